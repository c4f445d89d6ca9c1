import numpy as np
import pytest

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from tests.recordings import recording
from tests.training.data.test_recordings import KINECT
from training.data.arrays import SequenceSet
from training.data.load import load
from training.data.npz_sets import COPY, shared_frames
from training.data.recordings import load_recordings


def ucla(path, frames, *, views, actions=None, **more):
    """Recordings of NW-UCLA with these frames, of a view each."""
    arrays = {
        "frames": np.concatenate(frames),
        "offsets": np.cumsum([0, *map(len, frames)]),
        "subject": np.arange(len(frames)) + 1,
        "view": views,
        "action": actions or ["doffing"] * len(frames),
        "joints": KINECT,
        "fps": 30.0,
        "units": "metres",
    }
    np.savez(path, **arrays | more)
    return path


def poses(frames, seed):
    return np.random.default_rng(seed).uniform(1, 2, (frames, 20, 3)).astype(np.float32)


def test_an_exact_copy_is_left_out(tmp_path):
    given = [poses(4, 0), poses(3, 1), poses(4, 0)]
    loaded = load(ucla(tmp_path / "n.npz", given, views=["v01", "v02", "v03"]), cache=tmp_path / "cache")
    assert loaded.report.kind == "nw-ucla"
    assert loaded.report.left_out == {COPY: (1, ("00002",))}
    assert len(loaded.data) == 2


def test_training_recordings_that_share_frames_with_the_test_are_in_no_split(tmp_path):
    shared = poses(6, 0)
    given = [np.concatenate([shared, poses(2, 1)]), poses(5, 2), np.concatenate([shared, poses(3, 3)])]
    loaded = load(ucla(tmp_path / "n.npz", given, views=["v01", "v02", "v03"]), cache=tmp_path / "cache")
    assert loaded.splits["xview_train"].tolist() == [1]
    assert loaded.splits["xview_test"].tolist() == [2]
    assert loaded.report.counts["leaking into the test"] == 1
    assert loaded.report.notes == ("pairs of recordings share frames: 1",)


def test_shared_frames_are_counted_by_pair_and_empty_ones_are_not(tmp_path):
    shared = poses(2, 0)
    given = [np.concatenate([shared, np.zeros((1, 20, 3), np.float32)]), poses(1, 1)]
    given += [np.concatenate([shared, np.zeros((2, 20, 3), np.float32)]), shared[:1]]
    data = load_recordings(ucla(tmp_path / "n.npz", given, views=["v01"] * 4))
    assert shared_frames(data) == {(0, 2): 2, (0, 3): 1, (2, 3): 1}


def test_sets_of_the_same_sensor_are_told_apart_by_their_actions(tmp_path):
    for action, kind in (("arm curl", "utd-mhad"), ("golf swing", "msr-action3d"), ("doffing", "nw-ucla")):
        path = ucla(tmp_path / f"{kind}.npz", [poses(2, 0)], views=["front"], actions=[action])
        assert load(path, cache=tmp_path / "cache").report.kind == kind
    with pytest.raises(InvalidDataSet, match="its 1 actions in layout kinect-20 are of no known set"):
        load(ucla(tmp_path / "x.npz", [poses(2, 0)], views=["front"], actions=["juggling"]))


def test_odd_subjects_train_and_even_ones_test(tmp_path):
    given = [poses(2, i) for i in range(3)]
    path = ucla(tmp_path / "u.npz", given, views=[""] * 3, actions=["arm curl"] * 3)
    splits = load(path, cache=tmp_path / "cache").splits
    assert (splits["xsub_train"].tolist(), splits["xsub_test"].tolist()) == ([0, 2], [1])


def test_sets_of_ours_are_divided_by_their_parts(tmp_path):
    frames = np.random.default_rng(0).uniform(0, 1, (6, 17, 3)).astype(np.float32)
    data = SequenceSet.of(frames, [0, 2, 3, 6], COCO_17, 25, part=["train", "test", "train"], action=["a", "b", "a"])
    data.save_npz(tmp_path / "ours.npz")
    loaded = load(tmp_path / "ours.npz", cache=tmp_path / "cache")
    assert (loaded.report.kind, loaded.report.as_expected) == ("sequences", True)
    assert loaded.splits["train"].tolist() == [0, 2]
    assert np.array_equal(loaded.data.first_people().frames, frames)


@pytest.mark.parametrize(
    ("name", "kind", "splits"),
    [
        ("utd_mhad.npz", "utd-mhad", {"xsub_train": 431, "xsub_test": 430}),
        ("nw_ucla.npz", "nw-ucla", {"xview_train": 1019, "xview_test": 369}),
        ("msr_action3d.npz", "msr-action3d", {"xsub_train": 291, "xsub_test": 275}),
        ("kard.npz", "kard", {"xsub_train": 270, "xsub_test": 270}),
        ("hdm05_subset.npz", "hdm05", {"xsub_train": 188, "xsub_test": 99}),
        ("ucalgary_kinect2_gait.npz", "ucalgary", {"normal": 53, "abnormal_left": 53, "abnormal_right": 53}),
        ("cbkings34_mediapipe_gait.npz", "cbkings34", {"gallery_set": 389, "probe_set": 400}),
        ("cmu_mocap.npz", "cmu-mocap", {}),
    ],
)
def test_every_real_set_is_whole(name, kind, splits, tmp_path):
    path = recording(name)
    loaded = load(path, cache=tmp_path)
    assert loaded.report.kind == kind
    assert loaded.report.as_expected, "\n".join(loaded.report.lines())
    assert dict(loaded.report.splits) == splits
    before = load_recordings(path)
    after = loaded.data.first_people()
    assert np.array_equal(after.frames, before.frames)
    assert after.sequence_name.tolist() == before.sequence_name.tolist()


@pytest.mark.parametrize("name", ["utd_mhad.npz", "nw_ucla.npz", "msr_action3d.npz", "kard.npz", "hdm05_subset.npz"])
def test_no_frame_is_both_trained_and_tested_on(name, tmp_path):
    loaded = load(recording(name), cache=tmp_path)
    sides = [
        {frame.tobytes() for i in members for frame in loaded.data.clip_frames(i)[0] if frame[:, 3].any()}
        for members in loaded.splits.values()
    ]
    assert not sides[0] & sides[1]
