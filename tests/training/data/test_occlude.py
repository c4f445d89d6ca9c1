import numpy as np
import pytest

from model.named_layouts import LAYOUTS, NTU_25
from tests.training.evaluate.test_actions import pairs
from training.data.action_set import ActionSet
from training.data.occlude import Part, hide_frames, hide_joints, joints_of, occlude, occlude_frames

RA_GCN = {
    Part.LEFT_ARM: {4, 5, 6, 7, 21, 22},
    Part.RIGHT_ARM: {8, 9, 10, 11, 23, 24},
    Part.TWO_HANDS: {21, 22, 23, 24},
    Part.TWO_LEGS: set(range(12, 20)),
    Part.TRUNK: {0, 1, 2, 3, 20},
}


def test_the_joints_of_ntu_are_those_of_ra_gcn():
    assert {part: set(joints_of(NTU_25, part)) for part in Part} == RA_GCN


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_in_every_layout_each_part_has_joints_and_arms_legs_and_trunk_are_the_body(layout):
    found = {part: joints_of(layout, part) for part in Part}
    assert all(found.values())
    limbs = [joint for part in set(Part) - {Part.TWO_HANDS} for joint in found[part]]
    assert sorted(limbs) == list(range(layout.count))
    assert set(found[Part.TWO_HANDS]) < {*found[Part.LEFT_ARM], *found[Part.RIGHT_ARM]}
    mirrored = {layout.mirror[joint] for joint in found[Part.LEFT_ARM]}
    assert mirrored == set(found[Part.RIGHT_ARM])


def test_a_part_is_missing_in_all_frames_of_all_people_and_nothing_else():
    data = pairs(4)
    seen = occlude(data, Part.TWO_LEGS)
    legs = list(joints_of(NTU_25, Part.TWO_LEGS))
    others = [joint for joint in range(25) if joint not in legs]
    for i in range(len(data)):
        assert not seen.clip_frames(i)[:, :, legs].any()
        assert (seen.clip_frames(i)[:, :, others] == data.clip_frames(i)[:, :, others]).all()
    assert (seen.sequence(1, 1).confidence[:, legs] == 0).all()


def test_nothing_is_copied_and_the_data_stay_as_they_are():
    data = pairs(4)
    data.frames.setflags(write=False)
    seen = occlude(data, Part.TRUNK)
    assert np.shares_memory(seen.frames, data.frames)
    seen.clip_frames(0)[:] = 7
    assert data.clip_frames(0).max() == 1


def test_what_is_hidden_stays_hidden_in_a_part_of_the_set_and_in_its_first_people():
    seen = occlude(pairs(4), Part.LEFT_ARM).select([2, 1])
    assert seen.sequence_name.tolist() == ["r2", "r1"]
    assert not seen.clip_frames(0)[:, :, [4, 5, 6, 7, 21, 22]].any()
    assert not seen.first_people().frames[:, [4, 5, 6, 7, 21, 22]].any()


def test_two_occlusions_add_up():
    seen = occlude(occlude(pairs(2), Part.TWO_HANDS), Part.TWO_LEGS)
    assert not seen.clip_frames(0)[:, :, [21, 22, 23, 24, *range(12, 20)]].any()
    assert seen.clip_frames(0)[:, :, 0].all()
    both = occlude_frames(seen, 30)
    assert both.hidden == seen.hidden
    assert occlude(both, Part.TRUNK).frames_hidden == 30


def test_the_middle_of_the_time_is_hidden():
    data = pairs(1, frames=20)
    seen = occlude_frames(data, 50).clip_frames(0)
    assert seen[0, :, :, -1].any(axis=1).tolist() == [True] * 5 + [False] * 10 + [True] * 5
    assert isinstance(occlude_frames(data, 0), ActionSet)
    assert (occlude_frames(data, 0).clip_frames(0) == data.clip_frames(0)).all()


def test_clips_are_changed_in_an_array_of_their_own():
    clips = np.ones((3, 2, 10, 25, 4), np.float32)
    assert not hide_joints(clips, (1, 3))[..., [1, 3], :].any()
    hidden = hide_frames(clips, 20)
    assert hidden[0, 0, :, 0, 0].tolist() == [1, 1, 1, 1, 0, 0, 1, 1, 1, 1]
    assert clips.all()
