"""People in a frame become people over time; each test knows who is who, and the tracks must agree."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import LimitExceeded
from model.sequence import Floats
from model.tracks import PEOPLE_PER_FRAME, Following, People, follow
from tests.model.two_people import Walker

FPS = 25.0
RIGHT = Walker((50, 300), (150, 0), height=200)
LEFT = Walker((750, 305), (-150, 0), height=215, stride_hz=0.95, phase=2.0)


def frames_of(people: list[Floats], *, hidden=None, seed: int = 0, shuffled: bool = True) -> list[People]:
    """Frames in which each person is seen but where `hidden(frame)` names one that is not; in random order."""
    rng = np.random.default_rng(seed)
    frames = []
    for t in range(len(people[0])):
        seen = [person[t] for i, person in enumerate(people) if hidden is None or i not in hidden(t)]
        if shuffled:
            rng.shuffle(seen)
        frames.append(People(t, np.stack(seen) if seen else np.empty((0, 17, 3), np.float32)))
    return frames


def owners(following: Following, people: list[Floats]) -> list[set[int]]:
    """Whose poses each track holds."""
    found = []
    for person in following.people:
        poses = zip(person.frames, person.poses, strict=True)
        found.append({min(range(len(people)), key=lambda i: float(np.abs(people[i][t] - p).sum())) for t, p in poses})
    return found


def near(people: list[Floats], within: float) -> Callable[[int], set[int]]:
    """Frames in which the two overlap so that a detector sees only one of them, by turns of some frames."""
    one, other = people
    apart = np.abs(one[:, :, 0].mean(axis=1) - other[:, :, 0].mean(axis=1))
    return lambda t: {(t // 4) % 2} if apart[t] < within else set()


def test_one_person_is_one_track():
    following = follow(frames_of([RIGHT.poses(50)]), FPS)
    assert [(person.name, len(person.frames)) for person in following.people] == [("1", 50)]
    assert following.notes == ()


def test_two_people_stay_apart_though_the_detector_swaps_its_order():
    people = [RIGHT.poses(60), LEFT.poses(60)]
    following = follow(frames_of(people), FPS)
    assert sorted(map(sorted, owners(following, people))) == [[0], [1]]
    assert all(len(person.frames) == 60 for person in following.people)


@pytest.mark.parametrize("fps", [25.0, 12.5])
@pytest.mark.parametrize("noise", [0.008, 0.015])
def test_people_who_cross_in_the_image_are_not_exchanged(fps, noise):
    people = [RIGHT.poses(int(5 * fps), fps, noise), LEFT.poses(int(5 * fps), fps, noise, seed=1)]
    following = follow(frames_of(people), fps)
    assert [len(each) for each in owners(following, people)] == [1, 1]
    assert sum(len(person.frames) for person in following.people) >= 0.95 * 2 * len(people[0])


@pytest.mark.parametrize("within", [20, 40, 60])
def test_people_of_whom_only_one_is_seen_while_they_cross_are_not_exchanged(within):
    people = [RIGHT.poses(125), LEFT.poses(125, seed=1)]
    following = follow(frames_of(people, hidden=near(people, within)), FPS)
    assert [len(each) for each in owners(following, people)] == [1, 1]


def test_detections_dropped_at_random_leave_gaps_not_new_people():
    people = [RIGHT.poses(125), LEFT.poses(125, seed=1)]
    rng = np.random.default_rng(3)
    lost = rng.random((125, 2)) < 0.2
    following = follow(frames_of(people, hidden=lambda t: set(np.flatnonzero(lost[t]))), FPS)
    assert [len(each) for each in owners(following, people)] == [1, 1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_crossings_of_any_two_people_never_mix_them(seed):
    rng = np.random.default_rng(seed)
    tall, small = rng.uniform(170, 230, 2)
    fast, slow = rng.uniform(0.5, 1.0) * tall, -rng.uniform(0.5, 1.0) * small
    meet = rng.uniform(1.5, 3.5)
    first = Walker((0, 300), (fast, 0), tall, rng.uniform(0.8, 1.05), rng.uniform(0, 6))
    start = ((fast - slow) * meet, 300 + rng.uniform(-10, 10))
    second = Walker(start, (slow, 0), small, rng.uniform(0.8, 1.05), rng.uniform(0, 6))
    people = [first.poses(125, seed=seed), second.poses(125, seed=seed + 1)]
    following = follow(frames_of(people, hidden=near(people, rng.uniform(0, 60)), seed=seed), FPS)
    assert all(len(each) == 1 for each in owners(following, people))


@pytest.mark.parametrize("seed", range(8))
def test_somebody_who_is_slowly_overtaken_is_told_apart_or_cut_but_never_mixed(seed):
    rng = np.random.default_rng(seed)
    slow = Walker((0, 300), (130, 0), rng.uniform(180, 220), phase=rng.uniform(0, 6))
    speed = 130 * rng.uniform(1.15, 1.6)
    quick = Walker(((130 - speed) * 4, 304), (speed, 0), rng.uniform(180, 220), 0.95, phase=rng.uniform(0, 6))
    people = [slow.poses(200, seed=seed), quick.poses(200, seed=seed + 50)]
    following = follow(frames_of(people, hidden=near(people, 15), seed=seed), FPS)
    assert all(len(each) == 1 for each in owners(following, people))
    told = {note.split(":")[0] for note in following.notes}
    assert len(following.people) == 2 or "cut" in told


def test_people_who_overlap_are_said_to():
    people = [RIGHT.poses(125), LEFT.poses(125, seed=1)]
    following = follow(frames_of(people, hidden=near(people, 40)), FPS)
    assert any(note.startswith("overlap: tracks 1, 2") for note in following.notes)
    first, last, other = following.people[0].overlaps[0]
    assert 40 < first <= last < 80
    assert other == "2"


def test_people_who_look_alike_and_vanish_together_for_seconds_are_cut_not_guessed():
    one = Walker((300, 300), (2, 0), height=200, stride_hz=0.01).poses(250)
    other = Walker((340, 300), (2, 0), height=200, stride_hz=0.01).poses(250, seed=1)
    following = follow(frames_of([one, other], hidden=lambda t: {0, 1} if 100 <= t < 160 else set()), FPS)
    assert len(following.people) == 4


def test_somebody_who_comes_and_goes_begins_and_ends_a_track():
    people = [RIGHT.poses(125), LEFT.poses(125)]
    following = follow(frames_of(people, hidden=lambda t: set() if 5 <= t < 25 else {1}), FPS)
    assert [(int(person.frames[0]), len(person.frames)) for person in following.people] == [(0, 125), (5, 20)]


def test_a_gap_of_more_than_a_second_ends_a_track():
    body = RIGHT.poses(100)
    following = follow(frames_of([body], hidden=lambda t: {0} if 40 <= t < 70 else set()), FPS)
    assert [len(person.frames) for person in following.people] == [40, 30]


def test_a_ghost_of_a_few_frames_is_dropped_and_takes_nothing_from_the_person():
    body = RIGHT.poses(100)
    ghost = body + np.array([30, 20, 0], dtype=np.float32)
    following = follow(frames_of([body, ghost], hidden=lambda t: set() if 50 <= t < 52 else {1}), FPS)
    assert [len(person.frames) for person in following.people] == [100]
    assert following.notes[0].startswith("fragments")


def test_a_second_detection_of_the_same_person_is_dropped():
    body = RIGHT.poses(50)
    twin = body + np.array([2, 1, -0.2], dtype=np.float32)
    following = follow(frames_of([body, twin]), FPS)
    assert [len(person.frames) for person in following.people] == [50]
    assert following.notes == ("twins: dropped as second detections of one person: 50",)


def test_poses_of_fewer_than_three_joints_are_nobody():
    body = RIGHT.poses(20)
    body[5:8, 2:] = 0
    assert [len(person.frames) for person in follow(frames_of([body]), FPS).people] == [17]


def test_ids_of_the_source_are_used_where_they_tell_people_apart():
    people = [RIGHT.poses(20), LEFT.poses(20)]
    frames = [People(t, np.stack([a, b]), ("x", "y")) for t, (a, b) in enumerate(zip(*people, strict=True))]
    assert [person.name for person in follow(frames, FPS).people] == ["x", "y"]


@pytest.mark.parametrize("ids", [("x", "x"), None])
def test_ids_that_are_there_twice_or_missing_are_not_used(ids):
    people = [RIGHT.poses(20), LEFT.poses(20)]
    frames = [People(t, np.stack([a, b]), ("x", "y")) for t, (a, b) in enumerate(zip(*people, strict=True))]
    frames[7] = People(7, frames[7].poses, ids)
    assert [person.name for person in follow(frames, FPS).people] == ["1", "2"]


def test_a_single_id_is_believed_only_of_a_source_that_tracks():
    jump = np.concatenate([RIGHT.poses(20), LEFT.poses(20)])
    frames = [People(t, pose[None], ("0",)) for t, pose in enumerate(jump)]
    assert len(follow(frames, FPS).people) == 2
    assert len(follow(frames, FPS, trust_ids=True).people) == 1


def test_distances_do_not_depend_on_the_unit():
    people = [RIGHT.poses(60), LEFT.poses(60)]
    small = [np.concatenate([p[..., :2] / 1000, p[..., 2:]], axis=-1) for p in people]
    for each in (people, small):
        assert [len(person.frames) for person in follow(frames_of(each), FPS).people] == [60, 60]


def test_a_walk_seen_at_five_frames_a_second_is_still_one_track():
    assert len(follow(frames_of([RIGHT.poses(30, 5.0)]), 5.0).people) == 1


def test_nobody_at_all_is_no_track():
    assert follow([], FPS).people == ()
    assert follow([People(0, np.empty((0, 17, 3), np.float32))], FPS).people == ()


def test_a_crowd_beyond_all_measure_is_refused():
    crowd = np.zeros((PEOPLE_PER_FRAME + 1, 17, 3), np.float32)
    with pytest.raises(LimitExceeded, match="people in one frame"):
        follow([People(0, crowd)], FPS)
