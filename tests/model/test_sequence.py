import numpy as np
import pytest

from model.errors import InvalidSequence, LayoutMismatch
from model.named_layouts import COCO_17
from model.sequence import SkeletonSequence, Units


def make(joints: object = None, confidence: object = None, **changes: object) -> SkeletonSequence:
    values: dict[str, object] = {
        "joints": np.ones((3, 17, 2)) if joints is None else joints,
        "confidence": np.ones((3, 17)) if confidence is None else confidence,
        "layout": COCO_17,
        "fps": 25.0,
    }
    return SkeletonSequence(**(values | changes))


def with_value(value: float) -> np.ndarray:
    joints = np.ones((3, 17, 2))
    joints[1, 2, 0] = value
    return joints


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e5, -2e5, 1e300])
def test_coordinates_must_be_finite_and_sane(value: float) -> None:
    with pytest.raises(InvalidSequence, match="joints"):
        make(joints=with_value(value))


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1])
def test_confidence_lies_between_0_and_1(value: float) -> None:
    confidence = np.ones((3, 17))
    confidence[0, 0] = value
    with pytest.raises(InvalidSequence, match="confidence"):
        make(confidence=confidence)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"joints": np.ones((17, 2))}, "joints"),
        ({"joints": np.ones((3, 17, 4))}, "joints"),
        ({"joints": np.ones((0, 17, 2)), "confidence": np.ones((0, 17))}, "joints"),
        ({"joints": [[[1.0, 2.0]], [[1.0]]]}, "joints"),
        ({"joints": "eleven"}, "joints"),
        ({"confidence": np.ones((2, 17))}, "confidence"),
        ({"fps": 0}, "fps"),
        ({"fps": float("nan")}, "fps"),
        ({"fps": 1e6}, "fps"),
        ({"fps": 1e-308}, "fps"),
        ({"fps": np.float64(1e-306)}, "fps"),
        ({"aspect": 0.0}, "aspect"),
        ({"aspect": float("nan")}, "aspect"),
        ({"units": Units.METRES}, "units"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidSequence) as caught:
        make(**changes)
    assert caught.value.field == field


def test_another_number_of_joints_is_a_layout_mismatch() -> None:
    with pytest.raises(LayoutMismatch, match="18 joints"):
        make(joints=np.ones((3, 18, 2)), confidence=np.ones((3, 18)))


def test_missing_joints_lie_at_zero_and_arrays_cannot_be_changed() -> None:
    confidence = np.ones((3, 17))
    confidence[1, 4] = 0
    sequence = make(confidence=confidence)
    assert (sequence.joints[1, 4] == 0).all()
    assert (sequence.joints[1, 5] == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        sequence.joints[0, 0, 0] = 3


def test_the_callers_array_is_left_alone() -> None:
    joints, confidence = np.ones((3, 17, 2), np.float32), np.zeros((3, 17), np.float32)
    make(joints=joints, confidence=confidence)
    assert (joints == 1).all()
    joints[0] = 2


def test_joints_that_are_not_finite_are_missing_where_no_confidence_is_given() -> None:
    sequence = SkeletonSequence.with_full_confidence(with_value(np.nan), COCO_17, 25)
    assert sequence.confidence[1, 2] == 0
    assert sequence.confidence.sum() == 3 * 17 - 1
