import numpy as np
import pytest

from model.clips import ClipSpec
from model.errors import InvalidSequence, LayoutMismatch, LimitExceeded
from model.named_layouts import COCO_17, NTU_25
from model.prepare import prepare
from model.projection import FOCAL_PIXELS, project
from model.sequence import SkeletonSequence, Units
from tests.fakes import walking

SPEC = ClipSpec()


def in_metres(depth: float) -> SkeletonSequence:
    joints = np.zeros((30, 25, 3))
    joints[..., 0], joints[..., 1], joints[..., 2] = 1, 0.5, depth
    return SkeletonSequence(joints, np.ones((30, 25)), NTU_25, 30, Units.METRES)


def test_what_fits_already_passes_untouched() -> None:
    sequence = walking()
    prepared = prepare(sequence, COCO_17, SPEC)
    assert prepared.sequence is sequence
    assert prepared.notes == ()


def test_a_frame_rate_that_would_make_hours_of_a_few_frames_is_refused_before_the_work() -> None:
    with pytest.raises(LimitExceeded, match=r"fps 0\.001"):
        prepare(walking(fps=0.001), COCO_17, SPEC)


def test_a_depth_cameras_joints_become_an_image_and_every_change_is_noted() -> None:
    prepared = prepare(in_metres(2.0), COCO_17, SPEC)
    assert prepared.sequence.layout == COCO_17
    assert prepared.sequence.dims == 2
    hip = prepared.sequence.joints[0, COCO_17.index("left_hip")]
    assert hip == pytest.approx([-FOCAL_PIXELS / 2, -FOCAL_PIXELS / 4])
    text = " ".join(prepared.notes)
    assert "ntu-25" in text
    assert "missing: left_eye" in text
    assert "projected" in text


def test_who_faces_a_depth_camera_has_the_left_side_on_the_right_of_the_image() -> None:
    """Right-handed, y up, z away from the camera: x grows to the camera's left, where a facing person's right is."""
    joints = np.zeros((30, 25, 3))
    joints[..., 2] = 3.0
    joints[:, NTU_25.index("left_shoulder"), 0] = -0.2
    joints[:, NTU_25.index("right_shoulder"), 0] = 0.2
    image = project(SkeletonSequence(joints, np.ones((30, 25)), NTU_25, 30, Units.METRES)).joints[0, :, 0]
    assert image[NTU_25.index("left_shoulder")] > 0 > image[NTU_25.index("right_shoulder")]


def test_joints_without_a_camera_are_seen_from_the_front() -> None:
    image = project(in_metres(-3.0))
    assert np.isfinite(image.joints).all()
    assert np.abs(image.joints).max() < FOCAL_PIXELS


def test_pixels_cannot_be_projected() -> None:
    with pytest.raises(InvalidSequence, match="metres"):
        project(walking())


def test_two_coordinates_never_become_three() -> None:
    with pytest.raises(LayoutMismatch, match="3-D"):
        prepare(walking(), COCO_17, ClipSpec(dims=3))


def test_a_missing_aspect_ratio_is_said() -> None:
    sequence = SkeletonSequence(np.full((60, 17, 2), 0.5), np.ones((60, 17)), COCO_17, 25, Units.NORMALISED)
    assert "aspect" in prepare(sequence, COCO_17, SPEC).notes[0]
