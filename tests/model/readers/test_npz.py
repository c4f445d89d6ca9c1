import io
import zipfile

import numpy as np
import pytest

from model.errors import GaitkeeperError, InvalidSequence, LimitExceeded, UnreadableFile
from model.named_layouts import KINECT_20, MEDIAPIPE_33
from model.readers import Hints, only_track, read
from model.readers.joint_names import layout_by_names
from model.sequence import Units
from model.writing import to_npz
from tests.fakes import walking
from tests.recordings import recording


def npz(**values):
    file = io.BytesIO()
    np.savez_compressed(file, **values)
    return file.getvalue()


def member(name, content, compression=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def header(shape, descr="<f4", data=b""):
    """A .npy whose header promises this."""
    said = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    said += " " * (64 - (len(said) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said.encode() + data


OWN = {"joints": walking(0, 5).joints, "layout": "coco-17", "fps": 25.0, "units": "pixels"}
SEVERAL = {
    "frames": np.ones((9, 20, 3), np.float32),
    "offsets": np.array([0, 4, 9]),
    "joints": np.array(KINECT_20.joints),
    "units": "metres, Kinect v1 camera space",
    "fps": 30.0,
}


def test_our_own_npz_may_leave_out_confidence_and_aspect():
    sequence = only_track(read(npz(**OWN))).sequence
    assert (sequence.confidence == 1).all()
    assert sequence.aspect is None


def test_sequences_end_to_end_are_tracks_with_their_labels():
    labels = {"subject": np.array([3, 4]), "view": np.array(["front", ""]), "sequence": np.array(["a", "b"])}
    found = read(npz(**SEVERAL, **labels, fps_seq=np.array([25.0, 30.0])))
    assert found.format == "sequences-npz"
    assert [(t.name, t.sequence.frames, t.sequence.fps, dict(t.labels)) for t in found.tracks] == [
        ("a", 4, 25.0, {"subject": "3", "view": "front", "sequence": "a"}),
        ("b", 5, 30.0, {"subject": "4", "sequence": "b"}),
    ]


def test_joints_are_matched_by_name_not_by_place():
    names = np.array(KINECT_20.joints)[::-1]
    frames = np.arange(9 * 20 * 3, dtype=np.float32).reshape(9, 20, 3) + 1
    sequence = read(npz(**{**SEVERAL, "frames": frames, "joints": names})).tracks[0].sequence
    np.testing.assert_array_equal(sequence.joints[0], frames[0, ::-1])


def test_a_joint_at_the_origin_of_a_depth_camera_is_missing():
    frames = np.ones((9, 20, 3), np.float32)
    frames[2, 5] = 0
    sequence = read(npz(**{**SEVERAL, "frames": frames})).tracks[0].sequence
    assert np.argwhere(sequence.confidence == 0).tolist() == [[2, 5]]


def test_mediapipe_frames_keep_visibility_and_lose_z():
    values = {**SEVERAL, "frames": np.full((9, 33, 4), 0.5, np.float32), "joints": np.array(MEDIAPIPE_33.joints)}
    values |= {"units": "MediaPipe Pose: x,y normalised by image width/height"}
    sequence = read(npz(**values), hints=Hints(aspect=1.5)).tracks[0].sequence
    assert (sequence.units, sequence.dims, sequence.aspect) == (Units.NORMALISED, 2, 1.5)
    assert (sequence.confidence == 0.5).all()


@pytest.mark.parametrize("names", [("shoulder_1", "elbow_8"), ("nothing",) * 20, ()])
def test_unknown_names_of_joints_are_no_layout(names):
    assert layout_by_names(names) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": 7}, "unknown layout"),
        ({"units": "ells"}, "units"),
        ({"fps": np.array([1.0, 2.0])}, "fps: must be one number"),
        ({"fps": "fast"}, "fps"),
        ({"joints": np.ones((5, 17))}, "joints"),
        ({"joints": np.full((5, 17, 2), np.nan)}, "finite"),
        ({"joints": np.full((5, 17, 2), 1e300)}, "finite"),
        ({"confidence": np.ones((4, 17))}, "confidence"),
    ],
)
def test_a_wrong_array_of_ours_is_named(changes, message):
    with pytest.raises(GaitkeeperError, match=message):
        read(npz(**(OWN | changes)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"offsets": np.array([0, 9, 4])}, "offsets"),
        ({"offsets": np.array([0, 4, 4, 9])}, "offsets"),
        ({"offsets": np.array([0, 4])}, "offsets"),
        ({"offsets": np.array([0.0, 9.0])}, "offsets"),
        ({"frames": np.ones((9, 20, 7), np.float32)}, "frames"),
        ({"frames": np.ones((9, 19, 3), np.float32)}, "19 joints, and 20 names"),
        ({"joints": np.array(["a"] * 20)}, "no known layout"),
        ({"fps_seq": np.array([25.0])}, "fps_seq"),
    ],
)
def test_a_wrong_array_of_sequences_is_named(changes, message):
    with pytest.raises(UnreadableFile, match=message):
        read(npz(**(SEVERAL | changes)))


def test_an_archive_without_our_arrays_says_what_it_holds():
    with pytest.raises(UnreadableFile, match="an npz with apples"):
        read(npz(apples=np.ones(3)))


def test_a_pickled_array_is_never_loaded():
    with pytest.raises(UnreadableFile, match="object"):
        read(npz(joints=np.array([{"a": 1}], dtype=object)))


@pytest.mark.parametrize(
    "content",
    [
        header("(99999999999,)"),
        header("(-1, 5)"),
        header("(5,)", "<U0"),
        header("(2,)", "V8", b"0" * 16),
        header("(2, 2)", data=b"0" * 12),
        b"\x93NUMPY\x01\x00\xff\xff",
        b"no array",
    ],
)
def test_a_header_that_lies_is_refused_before_memory_is_taken(content):
    with pytest.raises(UnreadableFile):
        read(member("joints.npy", content))


def test_a_decompression_bomb_is_refused_by_its_headers():
    bomb = member("joints.npy", b"\0" * (80 * 1024 * 1024))
    assert len(bomb) < 200_000
    with pytest.raises(LimitExceeded, match="inflated"):
        read(bomb)


@pytest.mark.parametrize("cut", [10, 200, -30])
def test_a_truncated_archive_is_refused(cut):
    with pytest.raises(UnreadableFile):
        read(to_npz(walking())[:cut])


def test_units_of_metres_need_three_coordinates():
    with pytest.raises(InvalidSequence, match="three"):
        read(npz(**{**OWN, "units": "metres"}))


@pytest.mark.parametrize(
    ("name", "tracks", "layout"),
    [
        ("cbkings34_mediapipe_gait.npz", 789, "mediapipe-33"),
        ("ucalgary_kinect2_gait.npz", 164, "ucalgary-18"),
        ("cmu_mocap.npz", 191, "cmu-20"),
        ("hdm05_subset.npz", 287, "hdm05-27"),
        ("msr_action3d.npz", 566, "kinect-20"),
    ],
)
def test_recordings_of_real_people_are_read(name, tracks, layout):
    found = read(recording(name))
    assert (len(found.tracks), found.tracks[0].sequence.layout.name) == (tracks, layout)
