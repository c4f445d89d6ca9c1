import numpy as np
import pytest

from model.errors import UnreadableFile
from model.named_layouts import COCO_17
from model.readers import only_track, read
from tests.model.readers.files import ALICE, BOB, dumped, poses


def instance(pose, **extra):
    xy, scores = pose[:, :2].tolist(), pose[:, 2].tolist()
    return {"keypoints": xy, "keypoint_scores": scores, "bbox": [[0, 0, 9, 9]], "bbox_score": 0.9} | extra


def new_style(frames, start=1):
    info = [{"frame_id": i, "instances": people} for i, people in enumerate(frames, start)]
    return {"meta_info": {"dataset_name": "coco"}, "instance_info": info}


def old_style(pose, **extra):
    return {"bbox": [0, 0, 9, 9, 0.9], "keypoints": pose.tolist()} | extra


def test_version_1_with_meta_info_counts_frames_from_one():
    coco = poses(20)
    recording = read(dumped(new_style([[instance(pose)] for pose in coco])))
    track = only_track(recording)
    assert (recording.format, track.first_frame, track.sequence.layout) == ("mmpose", 1, COCO_17)
    np.testing.assert_allclose(track.sequence.joints, coco[..., :2], rtol=1e-6)


def test_version_1_predictions_without_meta_info():
    frames = new_style([[instance(pose)] for pose in poses(6)])["instance_info"]
    assert only_track(read(dumped(frames))).sequence.frames == 6


def test_version_0_is_a_list_of_people_for_each_frame_empty_ones_too():
    coco = poses(10)
    frames = [[], [], *[[old_style(pose)] for pose in coco[2:]]]
    track = only_track(read(dumped(frames)))
    assert (track.first_frame, track.sequence.frames) == (2, 8)


def test_a_list_of_people_without_frames_is_one_frame_and_says_so():
    recording = read(dumped([old_style(ALICE.poses(1)[0]), old_style(BOB.poses(1)[0])]))
    assert len(recording.tracks) == 2
    assert recording.notes[0].startswith("flat_list")


def test_two_people_follow_their_track_ids():
    both = zip(ALICE.poses(10), BOB.poses(10), strict=True)
    frames = [[old_style(a, track_id=4), old_style(b, track_id=7)] for a, b in both]
    assert [track.name for track in read(dumped(frames)).tracks] == ["4", "7"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (new_style([[]]), "no person"),
        (new_style([[instance(poses(1)[0], keypoint_scores=[0.5])]]), "1 scores for 17 joints"),
        (new_style([[instance(poses(1)[0], keypoints=poses(1)[0].tolist())]]), "3-D keypoints"),
        (new_style([[instance(poses(1)[0], keypoints=[[1, 2], [3], *[[1, 2]] * 15])]]), r"keypoints\[1\]: 1 values"),
        (new_style([[instance(poses(1)[0], keypoints="x")]]), "keypoints"),
        ([[old_style(poses(1)[0][:, :2])]], "need x, y and a score"),
        ([[{"keypoints": [[1, 2, 3]] * 9}]], "9 joints"),
    ],
)
def test_malformed_files_are_refused(document, message):
    with pytest.raises(UnreadableFile, match=message):
        read(dumped(document))


def test_a_frame_that_is_there_twice_is_refused():
    frames = new_style([[instance(pose)] for pose in poses(2)])
    frames["instance_info"][1]["frame_id"] = 1
    with pytest.raises(UnreadableFile, match="frame 1 is there twice"):
        read(dumped(frames))
