import numpy as np
import pytest

from tests.training.evaluate.test_actions import Keeping, Watching, pairs
from training.data.occlude import Part, joints_of
from training.evaluate.actions import evaluate_actions
from training.evaluate.occlusion import (
    FRAMES,
    When,
    evaluate_occluded,
    evaluate_without_frames,
    without_frames,
    without_joints,
)


@pytest.mark.parametrize("when", When)
def test_each_part_is_missing_in_turn_before_and_after_clips_are_made(when):
    keeping = Keeping()
    found = evaluate_occluded(keeping, pairs(4), when=when)
    assert list(found) == list(Part)
    for part, clips in zip(Part, keeping.clips, strict=True):
        hidden = list(joints_of(keeping.layout, part))
        assert not clips[..., hidden, :].any()
        assert clips[:, 0, :, [i for i in range(25) if i not in hidden], 3].all()


def test_before_centring_a_hidden_trunk_leaves_nothing_to_centre_on_and_after_it_stays_centred():
    data = pairs(2)
    whole, before, after = Keeping(origin="spine"), Keeping(origin="spine"), Keeping(origin="spine")
    evaluate_actions(whole, data)
    evaluate_occluded(before, data, parts=[Part.TRUNK], when=When.BEFORE)
    evaluate_occluded(after, data, parts=[Part.TRUNK], when=When.AFTER)
    arm = joints_of(whole.layout, Part.LEFT_ARM)[0]
    assert (whole.clips[0][:, 0, :, arm, 0] == 0).all()
    assert (after.clips[0][:, 0, :, arm] == whole.clips[0][:, 0, :, arm]).all()
    assert before.clips[0][0, 0, :, arm, 0] == pytest.approx(0.1)


def test_nothing_of_the_data_or_of_the_classifier_is_changed():
    data, watching = pairs(6), Watching()
    first = evaluate_actions(watching, data)
    evaluate_occluded(watching, data, when=When.AFTER)
    again = evaluate_actions(watching, data)
    assert (again.probabilities == first.probabilities).all()


def test_the_middle_of_every_clip_is_hidden_as_much_as_is_asked():
    keeping = Keeping(frames=100)
    found = evaluate_without_frames(keeping, pairs(2, frames=120))
    assert list(found) == list(FRAMES)
    for count, clips in zip(FRAMES, keeping.clips, strict=True):
        dark = ~clips[0, 0, :, :, 3].any(axis=1)
        assert dark.sum() == count
        assert np.flatnonzero(dark).tolist() == list(range(50 - count // 2, 50 + count // 2))


def test_a_blindfolded_classifier_is_the_classifier_in_all_else():
    watching = Watching()
    for model in (without_joints(watching, Part.TRUNK), without_frames(watching, 10)):
        assert (model.labels, model.clip, model.layout) == (watching.labels, watching.clip, watching.layout)
        assert model.fingerprint == watching.fingerprint


def test_what_is_recorded_together_and_the_number_of_clips_are_passed_on():
    keeping = Keeping()
    groups = np.array(["a", "a", "b", "b"])
    found = evaluate_occluded(keeping, pairs(4), parts=[Part.TWO_HANDS], groups=groups, clips=3)
    assert found[Part.TWO_HANDS].groups.tolist() == groups.tolist()
    assert len(keeping.clips[0]) == 4 * 3
