import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import kinetics, pyskl
from training.data.kinds import KINDS
from training.data.kinetics import decompressed
from training.data.load import check, load


def skeletons(count, *, score=0.5, seed=0):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(10, 300, (count, 17, 2))
    return np.concatenate([xy, np.full((count, 17, 1), score)], axis=-1).astype(np.float16)


def clips(**more):
    """a: two people in the second of four frames; b, in another file: one person."""
    return {
        "a": (3, "data/k400/kpfiles/part_1.pkl", [0, 1, 1, 3], skeletons(4), 4),
        "b": (399, "/elsewhere/kpfiles/part_2.pkl", [0, 1], skeletons(2, seed=1), 2),
        **more,
    }


def test_keypoint_files_beside_the_index_are_found_and_put_together(tmp_path):
    given = clips()
    path = kinetics(tmp_path, given, split={"train": ["a"], "val": ["b"]})
    loaded = load(tmp_path, cache=tmp_path / "cache")
    data, keypoint = loaded.data, given["a"][3]
    assert loaded.report.kind == load(path, cache=tmp_path / "cache").report.kind == "kinetics-pickle"
    assert data.sequence_name.tolist() == ["a", "b"]
    assert data.people.tolist() == [2, 1]
    assert data.class_labels.tolist() == [3, 399]
    assert np.array_equal(data.clip_frames(0)[0, [0, 1, 3]], keypoint[[0, 1, 3]])
    assert np.array_equal(data.clip_frames(0)[1, 1], keypoint[2])
    assert loaded.split("val").sequence_name.tolist() == ["b"]


def test_frames_without_a_skeleton_keep_their_time_and_are_noted(tmp_path):
    kinetics(tmp_path, clips())
    report = check(KINDS["kinetics-pickle"], tmp_path)
    assert report.counts["frames"] == 6
    assert "frames without a skeleton are kept as missing: 1" in report.notes


def test_in_a_crowd_the_surest_of_each_frame_are_taken():
    keypoint = np.concatenate([skeletons(1, score=0.1 + i / 20, seed=i) for i in range(12)])
    people = decompressed(np.zeros(12, np.int64), keypoint, 1)
    assert np.array_equal(people[:, 0], keypoint[[11, 10]])
    few = decompressed(np.zeros(10, np.int64), keypoint[:10], 1)
    assert np.array_equal(few[:, 0], keypoint[:2])


def test_what_no_keypoint_file_holds_is_left_out(tmp_path):
    path = kinetics(tmp_path, clips(c=(0, clips()["a"][1], [], skeletons(0), 3)))
    (tmp_path / "kpfiles" / "part_2.pkl").unlink()
    report = check(KINDS["kinetics-pickle"], path)
    assert report.left_out == {
        "nobody is in it": (1, ("c",)),
        "its keypoint file is not there": (1, ("b",)),
    }


def test_a_keypoint_file_may_lie_nowhere_but_below_the_index(tmp_path):
    (tmp_path / "inside").mkdir()
    path = kinetics(tmp_path / "inside", {"a": (0, "../outside.pkl", [0], skeletons(1), 1)})
    (tmp_path / "inside" / "kpfiles" / "outside.pkl").rename(tmp_path / "outside.pkl")
    report = check(KINDS["kinetics-pickle"], path)
    assert report.counts["recordings"] == 0
    assert report.left_out == {"its keypoint file is not there": (1, ("a",))}
    with pytest.raises(InvalidDataSet, match="holds no recording of Kinetics-Skeleton"):
        load(path, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((0, "p.pkl", [0, 5], skeletons(2), 2), r"annotations\[2\] \(c\): frame_inds must lie within the 2 frames"),
        ((0, "p.pkl", [0], skeletons(2), 2), r"annotations\[2\] \(c\): frame_inds has shape \(1,\), .* 2 skeletons"),
        ((0, "p.pkl", [0], skeletons(1)[:, :16], 1), r"p\.pkl: c: keypoint has shape \(1, 16, 3\)"),
        ((0, "p.pkl", [0], [1, 2], 1), r"p\.pkl: 'c': holds no keypoint"),
        ((400, "p.pkl", [0], skeletons(1), 1), r"annotations\[2\] \(c\): label 400 is none of the 400"),
    ],
)
def test_a_malformed_clip_is_named_by_file_and_place(tmp_path, bad, message):
    path = kinetics(tmp_path, clips(c=bad))
    with pytest.raises(InvalidDataSet, match=message):
        check(KINDS["kinetics-pickle"], path)


def test_an_index_that_names_no_file_is_refused(tmp_path):
    path = pyskl(tmp_path / "k400_hrnet.pkl", [{"frame_dir": "a", "label": 0, "total_frames": 1}])
    with pytest.raises(InvalidDataSet, match=r"annotations\[0\] \(a\): has neither keypoint nor raw_file"):
        check(KINDS["kinetics-pickle"], path)
