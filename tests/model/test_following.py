"""People followed while frames come in; each test knows who is who, and what is settled must be one person's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.by_motion import LONGEST_OVERLAP_S, ByMotion
from model.errors import InvalidRequest
from model.following import PATHS, ByIds, Follower, Seen, Step, Track
from model.linking import LONGEST_GAP_S
from model.overlaps import WINDOW
from model.sequence import Floats
from model.tracks import People, follow
from tests.model.test_tracks import LEFT, RIGHT, frames_of, near
from tests.model.two_people import Walker

FPS = 25.0


def followed(
    frames: list[People], follower: Follower | None = None
) -> tuple[list[Track], dict[str, list[Seen]], list[Step]]:
    """Tracks by name in the order of their start, what was settled of each, and every step."""
    follower = follower or ByMotion(FPS)
    steps = [follower.step(each.frame, each.poses, each.ids) for each in frames]
    steps.append(follower.finish())
    tracks = [track for step in steps for track in step.started]
    settled: dict[str, list[Seen]] = {track.name: [] for track in tracks}
    for step in steps:
        for track, seen in step.settled:
            settled[track.name] += seen
    return tracks, settled, steps


def owners(settled: dict[str, list[Seen]], people: list[Floats]) -> list[set[int]]:
    """Whose poses each track holds."""
    return [
        {min(range(len(people)), key=lambda i: float(np.abs(people[i][t] - pose).sum())) for t, pose in seen}
        for seen in settled.values()
    ]


def test_one_person_is_one_track_that_starts_after_a_few_frames_and_loses_none() -> None:
    poses = RIGHT.poses(50)
    tracks, settled, steps = followed(frames_of([poses]))
    assert [track.name for track in tracks] == ["1"]
    assert [frame for frame, _ in settled["1"]] == list(range(50))
    assert np.array_equal(np.stack([pose for _, pose in settled["1"]]), poses)
    assert [number for number, step in enumerate(steps) if step.started] == [4]
    assert [len(step.ended) for step in steps[-2:]] == [0, 1]


@pytest.mark.parametrize("fps", [25.0, 12.5])
@pytest.mark.parametrize("noise", [0.008, 0.015])
def test_people_who_cross_in_the_image_are_not_exchanged(fps: float, noise: float) -> None:
    people = [RIGHT.poses(int(5 * fps), fps, noise), LEFT.poses(int(5 * fps), fps, noise, seed=1)]
    _, settled, _ = followed(frames_of(people), ByMotion(fps))
    assert [len(each) for each in owners(settled, people)] == [1, 1]
    assert sum(map(len, settled.values())) >= 0.95 * 2 * len(people[0])


@pytest.mark.parametrize("within", [20, 40, 60])
def test_people_of_whom_only_one_is_seen_while_they_cross_are_not_exchanged(within: int) -> None:
    people = [RIGHT.poses(125), LEFT.poses(125, seed=1)]
    _, settled, _ = followed(frames_of(people, hidden=near(people, within)))
    assert [len(each) for each in owners(settled, people)] == [1, 1]


def test_what_was_told_is_never_taken_back() -> None:
    """Every frame is settled once, in order, of a track that has started and has not ended."""
    people = [RIGHT.poses(125), LEFT.poses(125, seed=1)]
    _, _, steps = followed(frames_of(people, hidden=near(people, 40)))
    alive: set[str] = set()
    last: dict[str, int] = {}
    for step in steps:
        alive |= {track.name for track in step.started}
        for track, seen in step.settled:
            assert track.name in alive
            numbers = [frame for frame, _ in seen]
            assert numbers == sorted(set(numbers))
            assert numbers[0] > last.get(track.name, -1)
            last[track.name] = numbers[-1]
        alive -= {track.name for track in step.ended}
    assert not alive


def test_somebody_who_leaves_ends_and_comes_back_as_a_new_track() -> None:
    poses = Walker((100, 300), (0, 0)).poses(200)
    frames = [People(t, poses[t : t + 1] if not 60 <= t < 120 else poses[:0]) for t in range(200)]
    tracks, settled, steps = followed(frames)
    assert [track.name for track in tracks] == ["1", "2"]
    assert (len(settled["1"]), len(settled["2"])) == (60, 80)
    ended_at = next(number for number, step in enumerate(steps) if step.ended)
    assert 60 + LONGEST_GAP_S * FPS - 1 <= ended_at <= 60 + LONGEST_GAP_S * FPS + 2


def test_people_who_cannot_be_told_apart_are_new_people_before_long_and_nothing_waits_without_a_bound() -> None:
    one = Walker((100, 300), (0, 0)).poses(1000)
    two = one + np.array([12, 0, 0], np.float32)
    follower = ByMotion(FPS)
    most = 0
    for t in range(1000):
        pair = np.stack([one[t], two[t]]) if t > 20 else one[t : t + 1]
        follower.step(t, pair)
        most = max(most, *(len(track.waiting) for track in follower.tracks))
    assert most <= LONGEST_OVERLAP_S * FPS + 3 * WINDOW


def test_no_more_people_are_kept_in_mind_than_may_be() -> None:
    rng = np.random.default_rng(0)
    follower = ByMotion(FPS)
    for t in range(30):
        places = rng.uniform(0, 20_000, (40, 1, 2))
        poses = np.concatenate([rng.normal(0, 50, (40, 17, 2)) + places, np.ones((40, 17, 1))], axis=-1)
        follower.step(t, poses.astype(np.float32))
        assert len(follower.tracks) <= PATHS


def test_ids_of_the_source_are_believed_and_who_is_away_for_long_is_somebody_new() -> None:
    poses = RIGHT.poses(2)
    frames = [People(t, poses, ("b", "a")) for t in range(10)] + [People(t, poses, ("a", "b")) for t in range(300, 310)]
    tracks, settled, _ = followed(frames, ByIds(FPS))
    assert sorted((track.name, track.source) for track in tracks) == [("1", "b"), ("2", "a"), ("3", "a"), ("4", "b")]
    assert all(len(seen) == 10 for seen in settled.values())


@pytest.mark.parametrize("ids", [None, ("a",), ("a", "a")])
def test_ids_that_are_missing_or_there_twice_are_refused_where_they_are_trusted(ids: tuple[str, ...] | None) -> None:
    with pytest.raises(InvalidRequest):
        ByIds(FPS).step(0, RIGHT.poses(2), ids)


def test_of_too_many_ids_at_a_time_those_seen_longest_ago_are_forgotten() -> None:
    follower = ByIds(FPS)
    poses = np.zeros((PATHS, 17, 3), np.float32)
    for t in range(5):
        follower.step(t, poses, [str(n) for n in range(PATHS)])
    step = follower.step(5, poses[:3], ["0", "1", "one more"])
    assert [track.source for track in step.ended] == ["2"]


@settings(max_examples=25, deadline=None)
@given(
    starts=st.lists(st.tuples(st.integers(0, 900), st.integers(200, 400)), min_size=1, max_size=3),
    speeds=st.lists(st.sampled_from([-150, -60, 60, 150]), min_size=3, max_size=3),
    lost=st.floats(0, 0.3),
    seed=st.integers(0, 99),
)
def test_whatever_people_do_frames_are_settled_once_and_of_those_who_were_seen(
    starts: list[tuple[int, int]], speeds: list[int], lost: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    people = [
        Walker(start, (speed, 0), phase=n).poses(80, seed=n)
        for n, (start, speed) in enumerate(zip(starts, speeds, strict=False))
    ]
    away = rng.random((80, len(people))) < lost
    frames = frames_of(people, hidden=lambda t: set(np.flatnonzero(away[t])), seed=seed)
    _, settled, steps = followed(frames)
    taken = [(frame, pose.tobytes()) for seen in settled.values() for frame, pose in seen]
    assert len(taken) == len(set(taken))
    assert set(taken) <= {(each.frame, pose.tobytes()) for each in frames for pose in each.poses}
    assert sum(len(step.started) for step in steps) == sum(len(step.ended) for step in steps)


def test_it_agrees_with_the_offline_path_where_nothing_is_in_doubt() -> None:
    people = [Walker((50, 200), (100, 0)).poses(100), Walker((50, 600), (80, 0), phase=1).poses(100, seed=1)]
    frames = frames_of(people)
    offline = follow(frames, FPS)
    _, settled, _ = followed(frames)
    assert [[frame for frame, _ in seen] for seen in settled.values()] == [
        person.frames.tolist() for person in offline.people
    ]


@pytest.mark.parametrize("seed", range(4))
def test_in_a_crowd_it_is_nearly_as_right_as_with_all_frames_at_hand(seed: int) -> None:
    """Six people cross, are hidden by each other and missed at random; hardly a frame goes to somebody else's track."""
    rng = np.random.default_rng(seed)
    people = [
        Walker(
            (rng.uniform(0, 1800), 300 + rng.uniform(-40, 40)),
            (rng.choice([-1, 1]) * rng.uniform(60, 200), 0),
            height=rng.uniform(150, 260),
            stride_hz=rng.uniform(0.8, 1.1),
            phase=rng.uniform(0, 6),
        ).poses(200, seed=100 * seed + k)
        for k in range(6)
    ]
    missed = rng.random((200, 6)) < 0.05
    _, settled, _ = followed(frames_of(people, hidden=lambda t: set(np.flatnonzero(missed[t])), seed=seed))
    wrong = 0
    for seen in settled.values():
        whose = [min(range(6), key=lambda i: float(np.abs(people[i][t] - pose).sum())) for t, pose in seen]
        wrong += sum(each != max(set(whose), key=whose.count) for each in whose)
    total = sum(map(len, settled.values()))
    assert wrong <= 0.02 * total
    assert total >= 0.85 * (~missed).sum()
