import numpy as np
import pytest

from model.errors import UnreadableFile
from model.named_layouts import COCO_17
from model.readers import only_track, read
from tests.model.readers.files import ALICE, BOB, dumped, flat, poses


def person(pose, image, idx=None):
    found = {"image_id": image, "category_id": 1, "keypoints": flat(pose), "score": 2.9, "box": [1, 2, 3, 4]}
    return found if idx is None else {**found, "idx": idx}


def test_results_of_one_person_are_one_track():
    coco = poses(20)
    recording = read(dumped([person(pose, f"{i}.jpg") for i, pose in enumerate(coco)]))
    sequence = only_track(recording).sequence
    assert (recording.format, sequence.layout, sequence.frames) == ("alphapose", COCO_17, 20)
    np.testing.assert_allclose(sequence.joints, coco[..., :2], atol=1e-3)


def test_the_number_in_the_image_name_is_the_frame_even_if_results_are_sorted_as_text():
    coco = poses(12)
    shuffled = sorted(range(12), key=str)
    sequence = only_track(read(dumped([person(coco[i], f"{i}.jpg") for i in shuffled]))).sequence
    np.testing.assert_allclose(sequence.joints, coco[..., :2], atol=1e-3)


def test_images_in_which_nobody_was_found_keep_their_time():
    coco = poses(12)
    sequence = only_track(read(dumped([person(coco[i], f"{i}.jpg") for i in range(12) if i not in (5, 6)]))).sequence
    assert sequence.frames == 12
    assert (sequence.confidence[5:7] == 0).all()


def test_ids_of_a_tracker_name_the_tracks():
    both = zip(ALICE.poses(10), BOB.poses(10), strict=True)
    results = [person(p, f"{i}.jpg", idx) for i, pair in enumerate(both) for p, idx in zip(pair, (3, 8), strict=True)]
    recording = read(dumped(results))
    assert [track.name for track in recording.tracks] == ["3", "8"]


@pytest.mark.parametrize("idx", [0, [0.0], None])
def test_one_id_for_everybody_is_not_believed(idx):
    both = zip(ALICE.poses(10), BOB.poses(10), strict=True)
    results = [person(p, f"{i}.jpg", idx) for i, pair in enumerate(both) for p in pair]
    assert [track.sequence.frames for track in read(dumped(results)).tracks] == [10, 10]


@pytest.mark.parametrize("joints", [26, 133, 136])
def test_whole_body_sets_begin_with_coco(joints):
    coco = poses(3)
    whole = np.concatenate([coco, np.full((3, joints - 17, 3), 5, np.float32)], axis=1)
    sequence = only_track(read(dumped([person(pose, f"{i}.jpg") for i, pose in enumerate(whole)]))).sequence
    np.testing.assert_allclose(sequence.joints, coco[..., :2], atol=1e-3)


def test_images_of_several_cameras_stay_apart():
    coco = poses(10)
    results = [person(p, f"{camera}/{i:04d}.png") for camera in ("a", "b") for i, p in enumerate(coco)]
    assert [track.name for track in read(dumped(results)).tracks] == ["a/1", "b/1"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": [1.0, 2.0]}, "not a multiple of 3"),
        ({"keypoints": [1.0] * 21}, "7 joints"),
        ({"keypoints": None}, "keypoints"),
        ({"image_id": None}, "image_id"),
    ],
)
def test_a_malformed_result_is_refused(change, message):
    with pytest.raises(UnreadableFile, match=message):
        read(dumped([person(poses(1)[0], "0.jpg") | change]))


def test_people_with_different_numbers_of_joints_are_refused():
    with pytest.raises(UnreadableFile, match="different numbers"):
        read(dumped([person(poses(1)[0], "0.jpg"), person(poses(1)[0][:9], "1.jpg")]))
