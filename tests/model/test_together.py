import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import ClipSpec
from model.errors import LayoutMismatch, LimitExceeded, SeveralTracks
from model.named_layouts import COCO_17, H36M_17, NTU_25
from model.prepare import prepare, prepare_people
from model.readers.recording import Recording, Track
from model.sequence import SkeletonSequence, Units
from model.together import together
from tests.fakes import walking


def _track(name: str, first: int, frames: int, **more) -> Track:
    return Track(name, walking(int(name) if name.isdigit() else 0, frames, **more), first)


def _together(people: int, *tracks: Track):
    return together(Recording("test", tracks, source="film.json"), people)


def _seen(sequence: SkeletonSequence) -> list[tuple[int, int]]:
    """Spans of frames, [from, to), in which the person is seen."""
    edges = np.flatnonzero(np.diff((sequence.confidence > 0).any(axis=1), prepend=False, append=False))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def test_two_who_are_there_at_the_same_time_are_one_recording_on_one_clock():
    found = _together(2, _track("1", 10, 30), _track("2", 25, 40))
    assert [sequence.frames for sequence in found.sequences] == [55, 55]
    assert [_seen(sequence) for sequence in found.sequences] == [[(15, 55)], [(0, 30)]]
    np.testing.assert_array_equal(found.sequences[1].joints[:30], walking(1, 30).joints)
    assert found.notes == ("together: 2 people are one recording (tracks 2; 1)",)


def test_somebody_alone_is_a_recording_of_one_without_a_word():
    found = _together(2, _track("1", 10, 30))
    assert [sequence.frames for sequence in found.sequences] == [30]
    assert found.notes == ()


def test_those_beyond_what_the_model_takes_are_left_out_shortest_first_and_it_is_said():
    found = _together(2, _track("1", 0, 20), _track("2", 0, 40), _track("3", 0, 30))
    assert [sequence.frames for sequence in found.sequences] == [40, 40]
    assert _seen(found.sequences[1]) == [(0, 30)]
    assert "left out: 1 tracks (1); the model takes 2 people" in found.notes


def test_frames_of_those_left_out_are_no_part_of_the_recording():
    found = _together(1, _track("1", 20, 30), _track("2", 0, 25))
    assert [sequence.frames for sequence in found.sequences] == [30]


def test_tracks_that_follow_each_other_are_taken_for_one_person_who_was_lost():
    found = _together(2, _track("1", 0, 100), _track("2", 0, 40), _track("3", 60, 35))
    assert [_seen(sequence) for sequence in found.sequences] == [[(0, 100)], [(0, 40), (60, 95)]]
    assert found.notes[0] == "together: 2 people are one recording (tracks 1; 2 and 3)"
    assert found.notes[1].startswith("joined: ")


@pytest.mark.parametrize(
    "tracks",
    [
        [("1", 0, 30), ("2", 30, 30)],
        [("1", 0, 30), ("2", 10, 30), ("3", 50, 10)],
        [("1", 0, 30), ("2", 1_000_000_000, 30)],
    ],
)
def test_tracks_with_no_moment_in_common_are_not_mixed(tracks):
    with pytest.raises(SeveralTracks, match=r"film\.json"):
        _together(2, *(_track(*each) for each in tracks))


def test_tracks_of_different_kinds_are_not_mixed():
    with pytest.raises(SeveralTracks):
        _together(2, _track("1", 0, 30), _track("2", 0, 30, fps=30.0))


@given(
    spans=st.lists(st.tuples(st.integers(0, 60), st.integers(8, 50)), min_size=1, max_size=6), people=st.integers(1, 4)
)
@settings(max_examples=60, deadline=None)
def test_nobody_is_in_two_places_and_no_frame_of_who_is_taken_is_lost(spans, people):
    tracks = [_track(str(i), first, frames) for i, (first, frames) in enumerate(spans)]
    try:
        found = _together(people, *tracks)
    except SeveralTracks:
        moments = {moment for first, frames in spans for moment in range(first, first + frames)}
        ends = {first + frames for first, frames in spans}
        gap = len(moments) < max(ends) - min(first for first, _ in spans)
        assert gap or ends & {first for first, _ in spans}
        return
    seen = [sum(stop - start for start, stop in _seen(sequence)) for sequence in found.sequences]
    assert len(seen) <= people
    assert len({sequence.frames for sequence in found.sequences}) == 1
    assert max(seen) >= max(frames for _, frames in spans)
    assert sum(seen) <= sum(frames for _, frames in spans)
    if not any(note.startswith("left out") for note in found.notes):
        assert sum(seen) == sum(frames for _, frames in spans)


def _in_metres(at: tuple[float, float, float], frames: int = 10) -> SkeletonSequence:
    joints = np.random.default_rng(0).normal(0, 0.3, (frames, 17, 3)) + np.array(at)
    return SkeletonSequence(joints, np.ones((frames, 17), np.float32), H36M_17, 25.0, Units.METRES)


@pytest.mark.parametrize("depth", [3.0, -1.0])
def test_people_are_projected_by_one_camera_so_that_who_stands_where_is_kept(depth):
    people = (_in_metres((-1, 0, depth)), _in_metres((1, 0, depth)))
    first, second = prepare_people(people, COCO_17, ClipSpec(people=2)).sequences
    apart = (second.joints - first.joints)[..., 0][first.confidence > 0]
    assert apart.max() < -150  # pixels; x points to the left in an image that looks along z with y up


def test_one_who_is_alone_is_prepared_as_before():
    sequence = _in_metres((0, 0, 3))
    alone, of_one = prepare(sequence, COCO_17, ClipSpec()), prepare_people((sequence,), COCO_17, ClipSpec())
    np.testing.assert_array_equal(alone.sequence.joints, of_one.sequences[0].joints)
    assert alone.notes == of_one.notes


def test_what_was_changed_is_said_once_for_all():
    people = (walking(1, layout=NTU_25), walking(2, layout=NTU_25))
    notes = prepare_people(people, COCO_17, ClipSpec(people=2)).notes
    assert sum("converted from ntu-25" in note for note in notes) == 1


def test_one_of_several_with_other_coordinates_is_refused():
    with pytest.raises(LayoutMismatch, match="2-D"):
        prepare_people((walking(1), walking(2)), COCO_17, ClipSpec(people=2, dims=3))


def test_a_rate_so_low_that_it_would_fill_hours_is_refused_only_where_it_is_resampled():
    slow = walking(1, 60, fps=0.001)
    with pytest.raises(LimitExceeded):
        prepare(slow, COCO_17, ClipSpec())
    assert prepare(slow, COCO_17, ClipSpec(sampling="uniform")).sequence is slow
