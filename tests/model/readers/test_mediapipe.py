import numpy as np
import pytest

from model.errors import UnreadableFile
from model.named_layouts import MEDIAPIPE_33
from model.readers import Hints, only_track, read
from model.sequence import Units
from tests.model.readers.files import ALICE, BOB, as_mediapipe, dumped, landmarks, poses

BODY = as_mediapipe(poses(12))
FRAMES = [landmarks(pose) for pose in BODY]


@pytest.mark.parametrize(
    "document",
    [
        FRAMES,
        [{"landmarks": frame} for frame in FRAMES],
        [{"pose_landmarks": [frame]} for frame in FRAMES],
        [{"frame": i, "poseLandmarks": frame} for i, frame in enumerate(FRAMES)],
        {"frames": [{"pose_landmarks": frame} for frame in FRAMES]},
        {"landmarks": FRAMES},
        [[[mark["x"], mark["y"], mark["z"], mark["visibility"]] for mark in frame] for frame in FRAMES],
        [[frame] for frame in FRAMES],
    ],
)
def test_the_common_dumps_are_read_alike(document):
    recording = read(dumped(document))
    sequence = only_track(recording).sequence
    assert (recording.format, sequence.layout, sequence.units) == ("mediapipe", MEDIAPIPE_33, Units.NORMALISED)
    np.testing.assert_allclose(sequence.joints, BODY[..., :2], rtol=1e-5)
    np.testing.assert_allclose(sequence.confidence, BODY[..., 2])


def test_the_aspect_ratio_comes_from_the_file_or_the_caller_and_is_else_unknown():
    about = {"fps": 30, "width": 1920, "height": 1080, "frames": FRAMES}
    told = only_track(read(dumped(about))).sequence
    assert told.fps == 30
    assert told.aspect == pytest.approx(16 / 9)
    assert only_track(read(dumped(about), hints=Hints(aspect=1.5))).sequence.aspect == 1.5
    assert only_track(read(dumped(FRAMES))).sequence.aspect is None


def test_frames_without_anybody_keep_their_time():
    document: list[object] = [None, *FRAMES[:4], [], {"pose_landmarks": []}, {"pose_landmarks": None}, *FRAMES[7:]]
    track = only_track(read(dumped(document)))
    assert (track.first_frame, track.sequence.frames) == (1, 12)
    assert (track.sequence.confidence[4:7] == 0).all()


def test_time_stamps_give_the_frame_rate_and_the_holes():
    times = [0, 40, 80, 120, 280, 320]
    document = [{"timestamp_ms": t, "landmarks": FRAMES[i]} for i, t in enumerate(times)]
    sequence = only_track(read(dumped(document))).sequence
    assert (sequence.fps, sequence.frames) == (25, 9)
    assert (sequence.confidence[4:7] == 0).all()


def test_several_people_in_a_frame_become_tracks():
    both = zip(as_mediapipe(ALICE.poses(10)), as_mediapipe(BOB.poses(10)), strict=True)
    document = [
        {"pose_landmarks": [landmarks(p) for p in (pair if i % 2 else pair[::-1])]} for i, pair in enumerate(both)
    ]
    assert [track.sequence.frames for track in read(dumped(document), hints=Hints(aspect=2)).tracks] == [10, 10]


def test_world_landmarks_are_metres_with_y_up():
    frame = [{"x": 0.1, "y": -0.5 if i < 11 else 0.4, "z": 0.2, "visibility": 1.0} for i in range(33)]
    sequence = only_track(read(dumped([{"pose_world_landmarks": [frame]}] * 3))).sequence
    assert (sequence.units, sequence.dims) == (Units.METRES, 3)
    assert sequence.joints[0, 0, 1] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([FRAMES[0], FRAMES[1][:30]], "frame 1, person 0: 30 landmarks"),
        ([FRAMES[0], [{"x": 1.0}] * 33], "frame 1.*`y`"),
        ([FRAMES[0], "nobody"], "frame 1"),
        ([[[1.0]] * 33], "a landmark of 1 values"),
        ([{"landmarks": []}], "no person"),
        ({"frames": 3}, "frames"),
    ],
)
def test_malformed_dumps_are_refused_naming_the_frame(document, message):
    with pytest.raises(UnreadableFile, match=message):
        read(dumped(document))
