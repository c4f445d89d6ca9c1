import json

import numpy as np
import pytest

from model.clips import unit_length
from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from tests.training.evaluate.planted import PerfectEncoder, RandomEncoder
from training.data.arrays import SequenceSet
from training.evaluate.reid import FIGURES, evaluate_reid, search, steps
from training.evaluate.reid_show import to_json
from training.evaluate.reid_source import Windows, cut, open_windows
from training.evaluate.results import rounded, to_text
from training.evaluate.sources import People
from training.protocols.reid import SETTINGS, Variant

RUNS = ("nm-01", "nm-02", "bg-01", "bg-02", "cl-01", "cl-02")


def walks(people=3, views=("000", "018"), frames=85, first=75, runs=RUNS):
    """Two windows of 40 frames in each walk; the nose's x says who it is."""
    rows = [(f"{first + s:03d}", run, view) for s in range(people) for run in runs for view in views]
    subject, run, view = np.array(rows).T
    base = np.random.default_rng(0).uniform(0, 100, (17, 2)).astype(np.float32)
    poses = np.ones((len(rows) * frames, 17, 3), np.float32)
    poses[..., :2] = base
    poses[:, 0, 0] = 10 * np.repeat(subject.astype(int) - first + 1, frames)
    return SequenceSet.of(
        poses, frames * np.arange(len(rows) + 1), COCO_17, 25,
        subject=subject, sequence=run, view=view, condition=[r[:2] for r in run],
    )  # fmt: skip


class SeesTheVideoOnly(PerfectEncoder):
    """Tells videos apart and nothing else: their number is in the nose's x."""

    def embed_clips(self, clips):
        rng = np.random.default_rng(0)
        return unit_length(rng.normal(size=(500, self.dim)).astype(np.float32))[
            np.rint(clips[:, :, 0, 0].mean(axis=1) / 10).astype(int)
        ]


def numbered_by_video(data):
    data.frames[:, 0, 0] = 10 * np.repeat(np.arange(len(data)), data.lengths)
    return data


def test_a_perfect_encoder_scores_exactly_1_in_every_setting_by_both_variants():
    result = evaluate_reid(PerfectEncoder(), cut(walks()), draws=20)
    assert [(one.setting.name, one.variant) for one in result.searches] == [
        (setting.name, variant) for setting in SETTINGS for variant in Variant
    ]
    assert {one.figure(name) for one in result.searches for name in FIGURES} == {1.0}
    assert {i[name].low for i in result.intervals for name in FIGURES} == {1.0}
    assert {one.map_as_published for one in result.searches} == {1.0}
    assert result.people == 3


def test_a_random_encoder_scores_as_chance():
    result = evaluate_reid(RandomEncoder(), cut(walks(10)), draws=20)
    for one in result.searches:
        assert one.figure("rank1") == pytest.approx(0.1, abs=0.11)
        assert one.figure("minp") < 0.25


def test_an_encoder_that_knows_videos_shines_as_published_and_fails_strictly():
    data = numbered_by_video(walks(8))
    result = evaluate_reid(SeesTheVideoOnly(), cut(data), draws=20)
    figures = {(one.setting.name, one.variant): one for one in result.searches}
    published = figures["N-N", Variant.PUBLISHED]
    assert published.figure("rank1") == 1.0
    assert published.same_video == 1.0
    assert figures["N-N", Variant.STRICT].figure("rank1") < 0.5
    assert figures["N-N", Variant.STRICT].same_video == 0.0


def test_the_published_slip_flatters_and_only_where_probes_and_gallery_are_the_same():
    result = evaluate_reid(RandomEncoder(), cut(walks(6)), draws=20)
    for one in result.searches:
        if one.variant is Variant.PUBLISHED and one.setting.probe == one.setting.gallery:
            assert one.map_as_published > one.figure("map")
        else:
            assert one.map_as_published == one.figure("map")


def test_figures_come_from_the_embeddings_by_hand():
    """Four windows on a quarter of a circle: 0 and 20 degrees are a's, 5 and 60 are b's."""
    angle = np.radians([0, 20, 5, 60])
    embeddings = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    data = walks(2, views=("000",), frames=40, runs=("nm-01", "nm-02"))
    [one] = search(embeddings, np.arange(4), data, SETTINGS[0], (Variant.PUBLISHED,))
    # From 0: 5, 20, 60. From 20: 5, 0, 60. From 5: 0, 20, 60. From 60: 20, 5, 0.
    assert one.first.tolist() == [2, 2, 3, 2]
    assert one.ap.tolist() == pytest.approx([1 / 2, 1 / 2, 1 / 3, 1 / 2])
    assert one.inp.tolist() == one.ap.tolist()
    assert one.cmc[:3].tolist() == [0.0, 0.75, 1.0]


def test_every_window_is_told_of_and_every_probe():
    done: list[int] = []
    windows = cut(walks(2))
    evaluate_reid(PerfectEncoder(), windows, progress=done.append, draws=5)
    assert sum(done) == steps(windows.data)


def test_data_without_views_are_searched_as_published_only_and_say_so():
    data = walks(2)
    data.view[:] = ""
    result = evaluate_reid(PerfectEncoder(), cut(data), draws=5)
    assert {one.variant for one in result.searches} == {Variant.PUBLISHED}
    assert np.isnan(result.searches[0].same_video)
    content = json.loads(to_text(rounded(to_json(result))))
    assert "views" in content["strict"]
    assert content["settings"][0]["best_is_of_the_same_video"] is None


def test_with_one_view_there_is_nothing_to_find_strictly():
    result = evaluate_reid(PerfectEncoder(), cut(walks(2, views=("090",))), draws=5)
    strict = [one for one in result.searches if one.variant is Variant.STRICT]
    assert all(one.without_mate == len(one.first) for one in strict)
    assert all(np.isnan(one.figure(name)) for one in strict for name in FIGURES)
    to_text(to_json(result))


def test_a_condition_that_nobody_wears_has_no_settings():
    result = evaluate_reid(PerfectEncoder(), cut(walks(2, runs=("nm-01", "bg-01"))), draws=5)
    assert {one.setting.name for one in result.searches} == {"N-N", "B-B", "B-N"}


def test_windows_that_cannot_be_embedded_are_left_out_and_named():
    data = walks(2)
    fps = np.where(np.arange(len(data)) == 1, 50, 25)  # 40 frames are 20 of the encoder's, which wants 24
    mixed = SequenceSet.of(
        data.frames, data.offsets, COCO_17, 25, fps_each=fps,
        subject=data.subject, sequence=data.sequence_name, view=data.view, condition=data.condition,
    )  # fmt: skip
    result = evaluate_reid(PerfectEncoder(), cut(mixed), draws=5)
    assert [result.name_of(item.index) for item in result.left_out] == ["075-nm-01-018#1", "075-nm-01-018#2"]
    assert {item.reasons for item in result.left_out} == {("too_short",)}
    assert len(result.searches[0].first) == 2 * 2 * 2 * 2 - 2
    assert to_json(result)["windows"] == {"counted": 46, "left_out": 2}


def test_an_encoder_that_takes_no_window_is_told_why():
    encoder = PerfectEncoder()
    encoder.clip = encoder.clip.model_copy(update={"minimum": 41})
    with pytest.raises(InvalidDataSet, match="no window can be embedded"):
        evaluate_reid(encoder, cut(walks(2)))


def test_a_window_is_named_by_its_labels_and_its_place():
    result = evaluate_reid(PerfectEncoder(), cut(walks(2)), draws=5)
    assert [result.name_of(i) for i in (0, 1, 2)] == ["075-nm-01-000#1", "075-nm-01-000#2", "075-nm-01-018#1"]


def test_sequences_too_short_for_a_window_are_counted():
    data = walks(2, frames=40)
    short = SequenceSet.of(
        data.frames[:-1], [*data.offsets[:-1], len(data.frames) - 1], COCO_17, 25,
        subject=data.subject, sequence=data.sequence_name, view=data.view, condition=data.condition,
    )  # fmt: skip
    assert cut(short).too_short == 1
    with pytest.raises(InvalidDataSet, match="no sequence of 50 frames: the longest has 40"):
        cut(data, 50)


def test_the_test_split_is_what_is_evaluated(tmp_path):
    walks(4, first=61).save_npz(tmp_path / "walkers.npz")
    assert np.unique(open_windows(tmp_path).data.subject).tolist() == ["063", "064"]
    assert len(np.unique(open_windows(tmp_path, People.ALL).data.subject)) == 4
    walks(2, first=1).save_npz(tmp_path / "walkers.npz")
    with pytest.raises(InvalidDataSet, match="--people all"):
        open_windows(tmp_path)


def test_who_is_tested_the_source_may_say_itself(tmp_path):
    data = walks(2, first=1)
    data = SequenceSet.of(
        data.frames, data.offsets, COCO_17, 25, subject=data.subject, condition=data.condition, view=data.view,
        part=np.where(data.subject == "001", "train", "test"),
    )  # fmt: skip
    data.save_npz(tmp_path / "set.npz")
    found: Windows = open_windows(tmp_path / "set.npz")
    assert np.unique(found.data.subject).tolist() == ["002"]


def test_data_that_wear_something_else_are_refused():
    data = walks(1)
    data.condition[:] = "coat"
    with pytest.raises(InvalidDataSet, match="no sequences of the conditions nm, bg, cl"):
        cut(data)
