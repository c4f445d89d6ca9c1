import numpy as np
import pytest

from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.protocols.reid import (
    SETTINGS,
    TEST,
    TRAIN,
    VALIDATION,
    Variant,
    allowed,
    knows_views,
    videos,
    windows,
)


def walks(lengths=(100, 85, 40, 39), **labels):
    frames = np.ones((sum(lengths), 17, 3), np.float32)
    frames[:, 0, 0] = np.arange(len(frames))
    count = len(lengths)
    given = {"subject": ["063"] * count, "sequence": ["nm-01"] * count, "view": ["000"] * count} | labels
    return SequenceSet.of(frames, np.cumsum([0, *lengths]), COCO_17, 25, **given)


def test_windows_follow_one_another_and_what_is_too_short_is_none():
    cut = windows(walks())
    assert cut.lengths.tolist() == [40] * 5
    assert [cut.clip_frames(i)[0, 0, 0] for i in range(5)] == [0, 40, 100, 140, 185]
    assert [cut.clip_frames(i)[-1, 0, 0] for i in range(5)] == [39, 79, 139, 179, 224]


def test_a_window_carries_what_its_sequence_is_called_and_its_frame_rate():
    data = walks((80, 40), subject=["063", "064"], condition=["nm", "cl"], view=["000", "018"], part=["a", "b"])
    cut = windows(data)
    assert cut.subject.tolist() == ["063", "063", "064"]
    assert cut.condition.tolist() == ["nm", "nm", "cl"]
    assert cut.view.tolist() == ["000", "000", "018"]
    assert cut.part.tolist() == ["a", "a", "b"]
    slow = SequenceSet.of(data.frames, data.offsets, COCO_17, 25, fps_each=[25, 30])
    assert [windows(slow).fps_of(i) for i in range(3)] == [25, 25, 30]


def test_windows_that_were_cut_by_whoever_made_the_data_stay_as_they_are():
    data = walks((40, 40))
    assert np.array_equal(windows(data).frames, data.frames)


def test_nothing_long_enough_leaves_no_windows():
    assert len(windows(walks((39, 10)))) == 0


def test_five_settings_say_what_probes_and_gallery_wear():
    assert [setting.name for setting in SETTINGS] == ["N-N", "B-B", "C-C", "C-N", "B-N"]
    data = walks((40, 40, 40), condition=["nm", "bg", "cl"])
    found = {s.name: (s.probes(data).tolist(), s.searched(data).tolist()) for s in SETTINGS}
    assert found == {"N-N": ([0], [0]), "B-B": ([1], [1]), "C-C": ([2], [2]), "C-N": ([2], [0]), "B-N": ([1], [0])}


def test_as_published_a_probe_finds_everything_but_itself():
    data = windows(walks((80, 40), view=["000", "018"]))
    all_ = np.arange(3)
    assert np.array_equal(allowed(data, all_, all_, Variant.PUBLISHED), ~np.eye(3, dtype=bool))


def test_strictly_it_finds_nothing_of_its_view_and_so_nothing_of_its_video():
    data = windows(walks((80, 40, 40), subject=["063", "063", "064"], view=["000", "018", "000"]))
    all_ = np.arange(4)
    found = allowed(data, all_, all_, Variant.STRICT)
    assert found.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0]]
    video = videos(data)
    assert not (found & (video[:, None] == video[None, :])).any()


def test_the_windows_of_a_video_are_known_by_their_labels():
    assert videos(windows(walks((80, 40), view=["000", "018"]))).tolist() == [
        "063||nm-01|000",
        "063||nm-01|000",
        "063||nm-01|018",
    ]


@pytest.mark.parametrize("missing", ["view", "sequence"])
def test_data_that_do_not_say_which_video_have_none(missing):
    data = walks((40,), **{missing: [""]})
    assert videos(data).tolist() == [""]
    assert knows_views(data) is (missing != "view")


def test_nobody_both_trains_and_is_tested():
    assert (len(TRAIN), len(TEST)) == (62, 62)
    assert not set(TRAIN) & set(TEST)
    assert set(VALIDATION) < set(TRAIN)
