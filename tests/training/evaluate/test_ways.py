import json
from pathlib import Path

import numpy as np
import pytest

from gallery.calibration import Calibration
from gallery.metrics import fnir_at_fpir
from gallery.trials import Labelled, Trials
from model.clips import unit_length
from tests.training.evaluate.planted import casia_b_walks
from training.evaluate.cli import app
from training.evaluate.clip_ways import Clips, clip_scores
from training.evaluate.fusion import compare
from training.evaluate.growth import grow
from training.evaluate.score_ways import Searched, logistic, normalised, subject_scores
from training.evaluate.thresholds import Scene, compare_thresholds, scenes_of
from training.protocols import casia_b

PEOPLE, EACH = 40, 6


def people(noise: float = 0.5, people: int = PEOPLE, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.standard_normal((people, 16)), EACH, axis=0)
    rows = unit_length((centres + noise * rng.standard_normal(centres.shape)).astype(np.float32))
    return rows, np.repeat([f"s{i:02d}" for i in range(people)], EACH)


def halves() -> tuple[Labelled, np.ndarray, np.ndarray]:
    data = Labelled.of(*people())
    enrolled = np.arange(len(data.subject)) % EACH < 3
    return data, np.flatnonzero(enrolled), np.flatnonzero(~enrolled)


def test_the_best_score_misses_what_the_metrics_say() -> None:
    data, templates, probes = halves()
    found = dict(subject_scores(data, templates, probes))
    plain = found["best"]
    for rate, interval in zip((0.05, 0.2), plain.misses((0.05, 0.2), draws=100), strict=True):
        assert interval.value == pytest.approx(fnir_at_fpir(plain.mated, plain.right, plain.nonmated, rate))
        assert interval.low <= interval.value <= interval.high
    assert set(found) >= {"mean of best 2", "mean", "logistic: best, best 3, count"}


def test_what_is_taken_off_all_scores_of_a_probe_alike_changes_nothing_but_the_threshold() -> None:
    data, templates, probes = halves()
    trials = Trials.of(data, templates, probes)
    plain = Searched.of(trials.others, trials.own, trials.subject)
    for _, found in normalised(trials):
        assert found.right.tolist() == plain.right.tolist()
        assert found.taken_for.tolist() == plain.taken_for.tolist()


def test_a_feature_that_tells_nothing_gets_no_weight() -> None:
    rng = np.random.default_rng(0)
    mated = np.stack([rng.normal(1, 1, 4000), rng.normal(0, 1, 4000)], axis=1)
    nonmated = np.stack([rng.normal(-1, 1, 4000), rng.normal(0, 1, 4000)], axis=1)
    assert logistic(mated, nonmated) == pytest.approx([2.0, 0.0, 0.0], abs=0.15)


def test_one_clip_a_sequence_is_the_sequence() -> None:
    data, templates, probes = halves()
    clips = Clips(data.embeddings, np.arange(len(data.subject)))
    for name, found in clip_scores(data, clips, templates, probes):
        whole = Trials.of(data, templates, probes)
        assert found.nonmated == pytest.approx(whole.others.max(axis=1), abs=1e-6), name


def test_learning_on_half_of_the_people_gives_the_other_half_evidence() -> None:
    found = compare(Labelled.of(*people()), templates=2, draws=20)
    assert (found.people, found.templates, found.probes) == (PEOPLE, PEOPLE * 2, PEOPLE * 4)
    assert set(found.evidence) == {"pool adjacent violators", "logistic"}
    assert all(bits < 0.9 for bits in found.evidence.values())
    assert set(found.groups) == {
        "score of a subject", "held against other scores of the probe", "margin to the runner-up",
    }  # fmt: skip


def test_own_thresholds_hold_where_the_maker_s_do_not() -> None:
    rows, subjects = people(noise=0.4, people=80)
    foreign = Calibration.from_json(
        {"id": "p", "made_on": "x", "subjects": 9, "table": [{"subjects": 999, "fpir": 0.1, "threshold": 0.2}]}
    )
    every = np.arange(len(rows))
    scene = Scene("hall", every[every % EACH < 4], every[every % EACH >= 4])
    found = list(compare_thresholds(rows, subjects, every.astype(str), scene, (0.1,), foreign, splits=8))
    own, prior = ({one.kind: one for one in found}[kind] for kind in ("own", "prior"))
    assert own.fpir is not None
    assert prior.fpir is not None
    assert own.fpir.low <= 0.1 <= own.fpir.high
    assert prior.fpir.value > 0.8
    assert own.enrolled == 60


def test_too_few_people_are_counted_as_refused() -> None:
    rows, subjects = people()
    every = np.arange(len(rows))
    scene = Scene("hall", every[every % EACH < 4], every[every % EACH >= 4])
    (own,) = compare_thresholds(rows, subjects, every.astype(str), scene, (0.001,), None, splits=2)
    assert (own.refused, own.fpir, own.fnir) == (2, None, None)


def test_a_gallery_is_searched_by_a_protocol_and_by_itself() -> None:
    data = casia_b_walks(4)
    scenes = scenes_of(casia_b.cells(data), np.arange(len(data)))
    assert [scene.name for scene in scenes] == ["NM", "BG", "CL", "gallery of NM"]
    assert scenes[-1].enrolled.tolist() == scenes[-1].probes.tolist()


def test_the_command_prints_the_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, subjects = people()
    np.savez(tmp_path / "e.npz", embeddings=rows, subject=subjects)
    out = tmp_path / "ways.json"
    app(["fusion", "--embeddings", str(tmp_path / "e.npz"), "--draws", "20", "--out", str(out)], standalone_mode=False)
    said = capsys.readouterr().out
    assert "FNIR %, score of a subject" in said
    assert "40 people, 160 templates, 80 searches" in said
    assert json.loads(out.read_text())["fnir_at_fpir"]["margin to the runner-up"]


def test_a_rate_holds_in_galleries_larger_than_those_it_was_measured_in() -> None:
    rows, subjects = people(people=150)
    found = list(grow(Labelled.of(rows, subjects), 50, (0.1, 0.0001), splits=6))
    assert [one.size for one in found] == [50, 149, 50, 149]
    assert all(0.03 < one.fpir < 0.2 and one.refused == 0 for one in found[:2])
    assert found[1].fnir > found[0].fnir
    assert all(one.refused == 6 and np.isnan(one.fpir) for one in found[2:])
