import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.data.written import standing
from training.data.ntu_denoise import people_of
from training.data.ntu_raw import Body


def a_body(name, frames, *, x=0.0, motion=0.1, seed=0, wide=False):
    numbers = np.asarray(frames, dtype=np.int64)
    poses = standing(len(numbers), x=x, motion=motion, seed=seed)
    if wide:
        poses[..., [0, 1]] = poses[..., [1, 0]]
    joints = np.concatenate([poses, np.ones((*poses.shape[:2], 1))], axis=-1).astype(np.float32)
    return Body(name, numbers, joints)


def seen(people):
    return (people[..., :3] != 0).any(axis=(2, 3))


def found(bodies, **how):
    people = people_of(bodies, **how)
    assert people is not None
    return people


def test_a_single_body_is_taken_however_short():
    body = a_body("1", range(3, 8))
    assert np.array_equal(found([body]), body.joints[None])


def test_bodies_of_eleven_frames_are_noise_beside_others():
    long, short = a_body("1", range(20)), a_body("2", range(11), motion=5.0)
    assert np.array_equal(found([long, short]), long.joints[None])
    assert found([long, a_body("2", range(12), x=1.0)]).shape[0] == 2


def test_a_body_that_is_mostly_wide_is_furniture():
    person, chair = a_body("1", range(20)), a_body("2", range(20), motion=5.0, wide=True)
    assert np.array_equal(found([person, chair]), person.joints[None])


def test_only_the_narrow_poses_count_for_the_motion_of_a_body_that_is_sometimes_wide():
    lively = a_body("1", range(40), motion=0.3)
    joints = a_body("2", range(40), motion=0.01).joints.copy()
    joints[:20] = a_body("2", range(20), motion=9.0, wide=True).joints
    people = found([Body("2", np.arange(40), joints), lively])
    assert np.array_equal(people[0], lively.joints)


def test_the_body_that_moves_most_comes_first():
    calm, lively = a_body("1", range(20), motion=0.01), a_body("2", range(20), x=1.0, motion=0.5)
    assert np.array_equal(found([calm, lively]), np.stack([lively.joints, calm.joints]))


def test_whoever_comes_back_under_another_id_is_the_same_person():
    first, again = a_body("1", range(20), motion=0.5), a_body("2", range(25, 45), motion=0.2)
    other = a_body("3", range(45), x=1.0, motion=0.1)
    people = found([first, again, other])
    assert people.shape == (2, 45, 25, 4)
    assert np.array_equal(people[0, 25:45], again.joints)
    assert not seen(people)[0, 20:25].any()
    assert np.array_equal(people[1], other.joints)


def test_a_third_body_at_the_same_time_is_nobody():
    bodies = [a_body(str(i), range(20), x=i, motion=0.5 / (i + 1)) for i in range(3)]
    people = found(bodies)
    assert np.array_equal(people, np.stack([bodies[0].joints, bodies[1].joints]))


def test_frames_before_and_after_anybody_are_cut():
    assert found([a_body("1", range(5, 25)), a_body("2", range(8, 28), x=1.0)]).shape[1] == 23


def test_who_is_there_at_the_start_comes_first():
    late, early = a_body("1", range(10, 40), motion=0.5), a_body("2", range(40), x=1.0, motion=0.1)
    assert np.array_equal(found([late, early])[0], early.joints)


def test_time_stands_still_for_nobody_unless_it_is_asked_for():
    gap = [*range(10), *range(15, 25)]
    one, other = a_body("1", gap, motion=0.5), a_body("2", gap, x=1.0)
    people = found([one, other])
    assert people.shape[1] == 25
    assert not seen(people)[:, 10:15].any()
    assert found([one, other], official=True).shape[1] == 20


def test_a_body_that_was_lost_for_a_while_keeps_its_time_unless_it_is_asked_for():
    one, other = a_body("1", range(30), motion=0.5), a_body("2", [*range(10), *range(20, 30)], x=1.0)
    assert seen(found([one, other]))[1].tolist() == [True] * 10 + [False] * 10 + [True] * 10
    assert seen(found([one, other], official=True))[1].tolist() == [True] * 20 + [False] * 10


def test_what_was_tracked_of_the_second_person_before_is_kept_unless_it_is_asked_for():
    first = a_body("1", range(60), motion=0.5)
    later, earlier = a_body("2", range(35, 60), x=1.0, motion=0.2), a_body("3", range(5, 25), x=1.0, motion=0.1)
    assert seen(found([first, later, earlier]))[1].sum() == 45
    assert seen(found([first, later, earlier], official=True))[1].sum() == 25


def test_nobody_is_left_of_furniture():
    assert people_of([]) is None
    assert people_of([a_body(str(i), range(20), wide=True) for i in range(2)]) is None


SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40), st.floats(0, 1)), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(spans=SPANS, official=st.booleans())
def test_one_or_two_people_are_found_and_everybody_is_somewhere(spans, official):
    bodies = [
        a_body(str(i), range(start, start + length), motion=motion, seed=i)
        for i, (start, length, motion) in enumerate(spans)
    ]
    people = people_of(bodies, official=official)
    if people is None:
        assert len(bodies) > 1
        return
    assert people.shape[0] in (1, 2)
    assert people.dtype == np.float32
    assert seen(people).any(axis=1).all()
    assert seen(people)[:, [0, -1]].any(axis=0).all()
