import numpy as np
import pytest

from model.conversion import convert
from model.errors import LayoutMismatch
from model.layout import Layout
from model.named_layouts import BODY_25, COCO_17, LAYOUTS, MEDIAPIPE_33, NTU_25, OPENPOSE_18
from tests.fakes import walking


def test_same_layout_is_the_same_sequence() -> None:
    sequence = walking()
    conversion = convert(sequence, COCO_17)
    assert conversion.sequence is sequence
    assert conversion.notes == ()


def test_shared_joints_are_copied_exactly_from_every_layout() -> None:
    for layout in LAYOUTS.values():
        sequence = walking(layout=layout)
        converted = convert(sequence, COCO_17).sequence
        for joint in set(layout.joints) & set(COCO_17.joints):
            there, here = layout.index(joint), COCO_17.index(joint)
            np.testing.assert_array_equal(converted.joints[:, here], sequence.joints[:, there])
            np.testing.assert_array_equal(converted.confidence[:, here], sequence.confidence[:, there])


def test_the_neck_lies_between_the_shoulders_and_is_reported() -> None:
    sequence = walking()
    conversion = convert(sequence, OPENPOSE_18)
    shoulders = sequence.joints[:, [COCO_17.index("left_shoulder"), COCO_17.index("right_shoulder")]]
    np.testing.assert_allclose(conversion.sequence.joints[:, 1], shoulders.mean(axis=1), rtol=1e-5)
    assert conversion.interpolated == ("neck",)
    assert conversion.dropped == ()


def test_a_derived_joint_is_as_confident_as_its_weakest_source() -> None:
    sequence = walking()
    confidence = sequence.confidence.copy()
    confidence[3, COCO_17.index("left_shoulder")] = 0.2
    confidence[4, COCO_17.index("left_shoulder")] = 0
    changed = type(sequence)(sequence.joints, confidence, COCO_17, sequence.fps)
    neck = convert(changed, OPENPOSE_18).sequence.confidence[:, 1]
    assert neck[3] == pytest.approx(0.2)
    assert neck[4] == 0
    assert neck[5] == pytest.approx(0.9)


def test_joints_that_cannot_be_had_are_missing_and_named() -> None:
    conversion = convert(walking(layout=NTU_25), COCO_17)
    assert conversion.missing == ("left_eye", "right_eye", "left_ear", "right_ear")
    assert "nose" in conversion.interpolated
    assert "left_thumb" in conversion.dropped
    assert (conversion.sequence.confidence[:, 1:5] == 0).all()
    assert (conversion.sequence.joints[:, 1:5] == 0).all()


def test_there_and_back_keeps_what_both_layouts_know() -> None:
    sequence = walking()
    back = convert(convert(sequence, MEDIAPIPE_33).sequence, COCO_17).sequence
    np.testing.assert_array_equal(back.joints, sequence.joints)


def test_a_layout_of_which_less_than_half_can_be_had_is_refused() -> None:
    hand = Layout.of("hand", [("left_wrist", "left_wrist"), ("left_thumb", "left_wrist"), ("left_index", "left_wrist")])
    with pytest.raises(LayoutMismatch, match="25 joints cannot be had"):
        convert(walking(layout=hand), BODY_25)
