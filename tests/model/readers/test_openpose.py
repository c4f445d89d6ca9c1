from pathlib import Path

import numpy as np
import pytest

from model.errors import SeveralTracks, UnreadableFile
from model.named_layouts import BODY_25, OPENPOSE_18
from model.readers import Hints, only_track, read
from model.sequence import Units
from tests.model.readers.files import ALICE, BOB, as_body_25, as_openpose_18, dumped, flat, openpose_frame, poses


def folder_of(path: Path, frames: list[bytes], numbers: list[int] | None = None, video: str = "street") -> Path:
    path.mkdir(exist_ok=True)
    for i, frame in zip(numbers or range(len(frames)), frames, strict=True):
        (path / f"{video}_{i:012d}_keypoints.json").write_bytes(frame)
    return path


def test_a_folder_of_body_25_is_one_track_in_pixels(tmp_path):
    body = as_body_25(poses())
    recording = read(folder_of(tmp_path / "out", [openpose_frame([pose]) for pose in body]), hints=Hints(fps=30))
    track = only_track(recording)
    assert (recording.format, recording.notes) == ("openpose", ())
    assert (track.sequence.layout, track.sequence.units, track.sequence.fps) == (BODY_25, Units.PIXELS, 30)
    np.testing.assert_allclose(track.sequence.joints[:, 1], body[:, 1, :2], atol=1e-3)


def test_eighteen_joints_are_openpose_18():
    frame = openpose_frame([as_openpose_18(poses(1))[0]])
    assert read(frame, name="x_000000000003_keypoints.json").tracks[0].sequence.layout == OPENPOSE_18


def test_a_joint_at_the_origin_is_missing():
    pose = as_body_25(poses(1))[0]
    pose[11] = 0
    sequence = read(openpose_frame([pose])).tracks[0].sequence
    assert sequence.confidence[0, 11] == 0
    assert sequence.confidence[0, 10] > 0


def test_without_a_frame_rate_twenty_five_is_assumed_and_said():
    recording = read(openpose_frame([as_body_25(poses(1))[0]]))
    assert recording.notes == ("fps_unknown: assumed 25",)


def test_frames_that_are_not_there_keep_their_time(tmp_path):
    body = as_body_25(poses(12))
    numbers = [0, 1, 2, 3, 4, 5, 9, 10, 11]
    folder = folder_of(tmp_path / "out", [openpose_frame([body[i]]) for i in numbers], numbers)
    sequence = only_track(read(folder)).sequence
    assert sequence.frames == 12
    assert (sequence.confidence[6:9] == 0).all()
    np.testing.assert_allclose(sequence.joints[11, 8], body[11, 8, :2], atol=1e-3)


def test_every_fifth_frame_is_a_fifth_of_the_rate(tmp_path):
    body = as_body_25(poses(60))
    numbers = list(range(0, 60, 5))
    folder = folder_of(tmp_path / "out", [openpose_frame([body[i]]) for i in numbers], numbers)
    recording = read(folder, hints=Hints(fps=25))
    assert only_track(recording).sequence.fps == 5
    assert only_track(recording).sequence.frames == 12
    assert recording.notes[0].startswith("frame_step")


def test_two_people_are_two_tracks_however_the_detector_orders_them(tmp_path):
    alice, bob = as_body_25(ALICE.poses(20)), as_body_25(BOB.poses(20))
    frames = [openpose_frame([a, b] if i % 2 else [b, a]) for i, (a, b) in enumerate(zip(alice, bob, strict=True))]
    recording = read(folder_of(tmp_path / "out", frames))
    assert [track.sequence.frames for track in recording.tracks] == [20, 20]
    starts = sorted(float(track.sequence.joints[0, 8, 0]) for track in recording.tracks)
    assert starts == pytest.approx([float(alice[0, 8, 0]), float(bob[0, 8, 0])], abs=1e-2)
    for track in recording.tracks:
        assert np.abs(np.diff(track.sequence.joints[:, 8, 0])).max() < 30
    with pytest.raises(SeveralTracks, match="2 people"):
        only_track(recording)


def test_two_videos_in_one_folder_stay_apart(tmp_path):
    body = as_body_25(poses(10))
    folder_of(tmp_path / "out", [openpose_frame([pose]) for pose in body], video="door")
    folder_of(tmp_path / "out", [openpose_frame([pose]) for pose in body], video="hall")
    assert [track.name for track in read(tmp_path / "out").tracks] == ["door/1", "hall/1"]


def test_alphapose_in_open_and_cmu_format_is_read_by_image_name():
    body = as_openpose_18(poses(10))
    opened = {f"{i}.jpg": {"version": "x", "people": [{"pose_keypoints_2d": flat(p)}]} for i, p in enumerate(body)}
    cmu = {f"{i}.jpg": {"version": "x", "bodies": [{"joints": flat(p)}]} for i, p in enumerate(body)}
    for document in (opened, cmu):
        track = only_track(read(dumped(document)))
        assert (track.sequence.frames, track.sequence.layout) == (10, OPENPOSE_18)


def test_coordinates_between_zero_and_one_are_normalised():
    body = as_body_25(poses(1))[0] / np.array([1000, 500, 1], dtype=np.float32)
    sequence = read(openpose_frame([body]), hints=Hints(width=1000, height=500)).tracks[0].sequence
    assert (sequence.units, sequence.aspect) == (Units.NORMALISED, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"version":1.3,"people":[]}', "no person"),
        (b'{"people":[{"pose_keypoints_2d":[1,2,3,4]}]}', "not a multiple of 3"),
        (b'{"people":[{"pose_keypoints_2d":[1,2,3]}]}', "1 joints in 2-D are no layout"),
        (b'{"people":[{"pose_keypoints_2d":"x"}]}', r"pose_keypoints_2d"),
        (b'{"people":[{"pose_keypoints_2d":[1,2', "truncated"),
    ],
)
def test_a_malformed_frame_is_refused_in_one_line(content, message):
    with pytest.raises(UnreadableFile, match=message) as caught:
        read(content, name="frame.json")
    assert "\n" not in str(caught.value)
    assert "frame.json" in str(caught.value)


def test_a_broken_file_of_a_folder_is_named(tmp_path):
    folder = folder_of(tmp_path / "out", [openpose_frame([as_body_25(poses(1))[0]]), b"{"])
    with pytest.raises(UnreadableFile, match=r"street_000000000001_keypoints\.json"):
        read(folder)
