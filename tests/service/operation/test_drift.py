"""Drift: silent where nothing has moved, loud where it has, and never by chance alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gallery.calibration import Calibration
from gallery.calibration_table import Histogram
from gallery.library import Library
from gallery.template import Decision, NewTemplate, Outcome
from service.operation.drift import LEAST, WINDOW, Reference, Scores, State, Window
from service.operation.watch import IMPOSTOR, MATED, Watch
from tests.fakes import FakeEncoder
from tests.service.conftest import open_library

EDGES = np.linspace(-0.5, 1.0, 61)
PEOPLE = 50


def shares(values: np.ndarray) -> tuple[float, ...]:
    return tuple((np.histogram(np.clip(values, -0.5, 1.0), EDGES)[0] / len(values)).tolist())


def nonmated(rng: np.random.Generator, count: int, others: int = PEOPLE, shift: float = 0.0) -> np.ndarray:
    """The best of so many scores of other people, for each of `count` probes."""
    best: np.ndarray = rng.normal(0.1 + shift, 0.15, (count, others)).max(axis=1)
    return best


def calibration() -> Calibration:
    rng = np.random.default_rng(0)
    histogram = Histogram(
        start=-0.5, width=0.025, mated=shares(rng.normal(0.9, 0.03, 20_000)), nonmated=shares(nonmated(rng, 20_000))
    )
    table = [{"subjects": PEOPLE, "fpir": 0.05, "threshold": 0.65, "fnir": 0.1}]
    content = {"format": 2, "id": "own", "made_on": "these", "subjects": PEOPLE + 1, "searches": 5000, "table": table}
    return Calibration.from_json({**content, "histogram": histogram.model_dump()})


_SEEN = Decision(Outcome.NO_MATCH, threshold=0.65, searched=PEOPLE, basis="gallery", calibration="own")


def decisions(rng: np.random.Generator, count: int, shift: float = 0.0, mated: float = 0.9) -> list[Decision]:
    """Half of them of people who are enrolled."""
    found = []
    for number, other in enumerate(nonmated(rng, count, shift=shift).tolist()):
        own = float(rng.normal(mated, 0.03))
        if number % 2 and own >= max(0.65, other):
            found.append(replace(_SEEN, outcome=Outcome.MATCH, subject="a", score=own, margin=own - other))
        else:
            found.append(replace(_SEEN, score=other))
    return found


@pytest.fixture
def library(tmp_path: Path) -> Library:
    encoder = FakeEncoder()
    library = open_library(tmp_path, encoder)
    rows = np.eye(16, dtype=np.float32)
    new = [NewTemplate(f"s{number}", row) for number, row in enumerate(rows)]
    library.enroll("default", new, fingerprint=encoder.fingerprint)
    library.set_calibration("default", calibration())
    library.warm("default")
    return library


def states(watch: Watch) -> dict[str, State]:
    return {name: shift.state for found in watch.shifts().values() for name, shift in found.items()}


def test_nothing_is_said_of_few_decisions(library: Library) -> None:
    watch = Watch(library)
    for decision in decisions(np.random.default_rng(1), LEAST // 2, shift=0.5):
        watch.decided("default", decision, {})
    assert set(states(watch).values()) == {State.FEW}


@pytest.mark.parametrize("seed", range(5))
def test_scores_as_they_were_measured_are_stable(library: Library, seed: int) -> None:
    watch = Watch(library)
    for decision in decisions(np.random.default_rng(10 + seed), WINDOW):
        watch.decided("default", decision, {})
    assert states(watch)[IMPOSTOR] == states(watch)[MATED] == State.STABLE


def test_strangers_who_score_higher_than_they_did_are_drift(library: Library) -> None:
    watch = Watch(library)
    for decision in decisions(np.random.default_rng(2), WINDOW, shift=0.08):
        watch.decided("default", decision, {})
    assert (states(watch)[IMPOSTOR], states(watch)[MATED]) == (State.DRIFTED, State.STABLE)


def test_matches_that_score_lower_than_they_did_are_drift(library: Library) -> None:
    watch = Watch(library)
    for decision in decisions(np.random.default_rng(3), WINDOW, mated=0.84):
        watch.decided("default", decision, {})
    assert (states(watch)[IMPOSTOR], states(watch)[MATED]) == (State.STABLE, State.DRIFTED)


def test_drift_goes_when_the_window_has_passed_it(library: Library) -> None:
    watch = Watch(library)
    rng = np.random.default_rng(4)
    for decision in [*decisions(rng, WINDOW, shift=0.1), *decisions(rng, WINDOW)]:
        watch.decided("default", decision, {})
    assert states(watch)[IMPOSTOR] == State.STABLE


@pytest.mark.parametrize("times", [0.25, 0.5, 2, 8, 16])
def test_a_gallery_of_another_size_is_no_drift(times: float) -> None:
    held = calibration()
    assert held.histogram is not None
    scores, others = Scores(held.histogram, PEOPLE), round(times * PEOPLE + 0.1)
    window = Window(Reference.uniform(5000))
    for score in nonmated(np.random.default_rng(5), WINDOW, others=others).tolist():
        found = scores.impostor(score, others)
        assert found is not None
        window.add(found)
    assert window.shift().state is State.STABLE


def test_of_a_gallery_of_quite_another_size_nothing_is_said() -> None:
    held = calibration()
    assert held.histogram is not None
    scores = Scores(held.histogram, PEOPLE)
    assert scores.impostor(0.4, PEOPLE // 10) is None
    assert scores.impostor(0.4, PEOPLE * 20) is None


def test_decisions_that_rest_on_another_calibration_are_not_held_against_this_one(library: Library) -> None:
    watch = Watch(library)
    for decision in decisions(np.random.default_rng(6), WINDOW, shift=0.3):
        watch.decided("default", replace(decision, calibration="former"), {})
    assert states(watch)[IMPOSTOR] is State.FEW


def test_quality_is_held_against_what_came_first_under_this_calibration(library: Library) -> None:
    rng = np.random.default_rng(7)
    watch = Watch(library, learned=300)
    some = decisions(rng, 1)[0]

    def come(count: int, confidence: float) -> None:
        for value in rng.normal(confidence, 0.05, count):
            watch.decided("default", some, {"mean_confidence": float(value), "missing_share": 0.0})

    come(300, 0.8)
    assert states(watch)["mean_confidence"] is State.FEW
    come(LEAST * 2, 0.8)
    assert states(watch)["mean_confidence"] is State.STABLE
    again = Watch(library, learned=300)
    watch = again
    come(LEAST * 2, 0.6)
    assert states(again)["mean_confidence"] is State.DRIFTED, "what was learned is known after a restart"
    assert states(again)["missing_share"] is State.STABLE, "a measure that is always the same can be held too"


def test_what_is_learned_begins_anew_with_another_calibration(library: Library) -> None:
    watch = Watch(library, learned=LEAST)
    some = decisions(np.random.default_rng(8), 1)[0]
    for _ in range(LEAST + 1):
        watch.decided("default", some, {"mean_confidence": 0.8})
    assert watch.shifts()[1]["mean_confidence"].samples == 1
    library.set_calibration("default", calibration().model_copy(update={"id": "new"}))
    library.warm("default")
    watch.decided("default", some, {"mean_confidence": 0.8})
    assert watch.shifts()[1]["mean_confidence"].samples == 1
    assert Watch(library).shifts() == {}


def test_false_alarms_are_rare_in_small_windows() -> None:
    rng = np.random.default_rng(9)
    alarms = 0
    for _ in range(400):
        window = Window(Reference.measured(rng.normal(size=300).tolist()))
        for value in rng.normal(size=LEAST):
            window.add(float(value))
        alarms += window.shift().state is not State.STABLE
    assert alarms <= 4


def test_a_damaged_file_of_what_was_learned_is_learned_again(library: Library) -> None:
    folder = library.store.directory / "drift"
    folder.mkdir()
    (folder / "1.json").write_text('{"calibration": "own", "measures": {"mean_confidence": {"edges": 3}}}')
    watch = Watch(library)
    watch.decided("default", decisions(np.random.default_rng(8), 1)[0], {"mean_confidence": 0.8})
    assert watch.shifts()[1]["mean_confidence"].samples == 1
