import numpy as np
import pytest

from model.clips import ClipSpec
from model.errors import InvalidDataSet
from model.named_layouts import CMU_20, COCO_17, HDM05_27, KARD_15, KINECT_20, MEDIAPIPE_33, UCALGARY_18
from model.prepare import prepare
from model.sequence import Units
from tests.recordings import recording
from training.data.recordings import load_recordings, seen_by_its_camera

_NAMES = (
    "HipCenter Spine ShoulderCenter Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight ElbowRight "
    "WristRight HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight AnkleRight FootRight"
)
KINECT = _NAMES.split()


def a_file(tmp_path, joints=KINECT, values=None, **more):
    if values is None:
        values = np.arange(6 * len(joints) * 3, dtype=np.float32).reshape(6, len(joints), 3) / 100 + 1
    arrays = {
        "frames": values,
        "offsets": [0, 2, 6],
        "subject": [7, -1],
        "joints": joints,
        "fps": 30.0,
        "units": "metres, Kinect",
    } | more
    np.savez(tmp_path / "r.npz", **arrays)
    return tmp_path / "r.npz"


def test_joints_are_matched_by_name_whatever_their_order(tmp_path):
    straight = load_recordings(a_file(tmp_path))
    again = load_recordings(a_file(tmp_path, KINECT[::-1], straight.frames[:, ::-1, :3]))
    assert again.layout == KINECT_20
    assert np.array_equal(again.frames, straight.frames)


def test_unknown_subjects_have_no_name_and_runs_are_labelled(tmp_path):
    data = load_recordings(a_file(tmp_path, condition=["normal", "bag"], run=[1, 12], fps_seq=[25.0, 30.0]))
    assert data.subject.tolist() == ["007", ""]
    assert data.sequence_name.tolist() == ["normal-01", "bag-12"]
    assert data.fps_of(0) == 25


def test_joints_nearer_than_a_depth_camera_sees_are_missing(tmp_path):
    values = np.ones((6, 20, 3), np.float32)
    values[0, 3, 2] = -0.03
    data = load_recordings(a_file(tmp_path, values=values))
    assert data.sequence(0).confidence[0].tolist() == [1.0] * 3 + [0.0] + [1.0] * 16
    seen_by_its_camera(data)


def test_joints_of_no_known_recording_are_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match="no known recording"):
        load_recordings(a_file(tmp_path, ["snout", "tail"]))


def test_missing_arrays_are_named(tmp_path):
    np.savez(tmp_path / "r.npz", frames=np.zeros(3))
    with pytest.raises(InvalidDataSet, match="lacks fps, joints, offsets, subject"):
        load_recordings(tmp_path / "r.npz")


@pytest.mark.parametrize(
    ("name", "layout", "sequences", "people"),
    [
        ("cbkings34_mediapipe_gait.npz", MEDIAPIPE_33, 789, 34),
        ("ucalgary_kinect2_gait.npz", UCALGARY_18, 164, 27),
        ("utd_mhad.npz", KINECT_20, 861, 8),
        ("nw_ucla.npz", KINECT_20, 1388, 10),
        ("kard.npz", KARD_15, 540, 10),
        ("hdm05_subset.npz", HDM05_27, 287, 5),
        ("cmu_mocap.npz", CMU_20, 191, 25),  # 24 and the unknown one
    ],
)
def test_every_recording_is_read_in_its_layout(name, layout, sequences, people):
    data = load_recordings(recording(name))
    assert data.layout == layout
    assert len(data) == sequences
    assert len(np.unique(data.subject)) == people
    data.sequence(0)


SIDES = ("left_shoulder", "right_shoulder", "left_foot", "left_ankle", "mid_hip", "head")


@pytest.mark.parametrize("name", ["ucalgary_kinect2_gait", "utd_mhad", "nw_ucla", "hdm05_subset", "cmu_mocap"])
def test_three_dimensional_recordings_are_right_handed(name):
    data = load_recordings(recording(f"{name}.npz"))
    joints = {j: data.frames[:, data.layout.index(j), :3] for j in SIDES}
    left = joints["left_shoulder"] - joints["right_shoulder"]
    up, forward = joints["head"] - joints["mid_hip"], joints["left_foot"] - joints["left_ankle"]
    assert (np.einsum("ti,ti->t", left, np.cross(up, forward)) > 0).mean() > 0.85


def test_somebody_who_faces_the_camera_has_the_left_shoulder_on_the_right_of_the_image():
    for name in ("ucalgary_kinect2_gait", "kard", "utd_mhad"):
        data = seen_by_its_camera(load_recordings(recording(f"{name}.npz")))
        assert data.units is Units.PIXELS
        left, right = (data.frames[:, data.layout.index(f"{side}_shoulder"), 0] for side in ("left", "right"))
        assert np.median(left - right) > 30
        head, ankle = (data.frames[:, data.layout.index(joint), 1] for joint in ("head", "left_ankle"))
        assert np.median(ankle - head) > 100


def test_mediapipe_joints_become_what_a_coco_model_takes():
    data = load_recordings(recording("cbkings34_mediapipe_gait.npz"))
    assert data.units is Units.NORMALISED
    assert data.aspect == pytest.approx(16 / 9)
    prepared = prepare(data.sequence(0), COCO_17, ClipSpec()).sequence
    assert prepared.layout == COCO_17
    assert np.array_equal(prepared.joints[:, 5], data.sequence(0).joints[:, 11])
