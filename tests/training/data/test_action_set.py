import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet

SHAPES = ((2, 3), (1, 4), (2, 1))


def an_action_set(**changes):
    """Three recordings: two people for 3 frames, one for 4, two for 1."""
    rows = sum(people * length for people, length in SHAPES)
    people, lengths = np.array(SHAPES, dtype=np.int64).T
    given = {
        "frames": np.random.default_rng(0).uniform(0, 1, (rows, 17, 3)).astype(np.float16),
        "starts": np.cumsum([0, *(people * lengths)])[:-1],
        "lengths": lengths,
        "people": people,
        "class_labels": np.array([4, 0, 4]),
        **{key: np.array(["a", "b", "c"]) for key in ("subject", "condition", "view", "action", "part")},
        "sequence_name": np.array(["one", "two", "three"]),
        "layout": COCO_17,
        "fps": 30.0,
        "units": Units.PIXELS,
    }
    return ActionSet(**given | changes)


def test_no_person_of_a_recording_is_lost():
    data = an_action_set()
    assert [data.clip_frames(i).shape for i in range(3)] == [(2, 3, 17, 3), (1, 4, 17, 3), (2, 1, 17, 3)]
    assert np.array_equal(data.clip_frames(0)[1], data.frames[3:6])
    assert np.array_equal(data.clip_frames(2)[1, 0], data.frames[11])


def test_one_person_of_a_recording_is_a_skeleton_sequence():
    sequence = an_action_set(fps_each=np.array([10.0, 20.0, 30.0])).sequence(0, person=1)
    assert (sequence.frames, sequence.fps, sequence.layout) == (3, 10.0, COCO_17)


def test_the_first_people_become_a_set_of_sequences_with_all_labels():
    data = an_action_set()
    first = data.first_people()
    assert first.lengths.tolist() == [3, 4, 1]
    assert first.sequence_name.tolist() == ["one", "two", "three"]
    assert all(np.array_equal(first.frames[a:b], data.clip_frames(i)[0]) for i, (a, b) in enumerate([(0, 3), (3, 7)]))


def test_single_people_become_recordings_of_one_person_without_a_copy():
    frames = np.zeros((5, 17, 3), np.float32)
    single = SequenceSet.of(frames, [0, 2, 5], COCO_17, 25, subject=["1", "2"], action=["walk", "jump"])
    data = ActionSet.of_sequences(single)
    assert data.people.tolist() == [1, 1]
    assert data.class_labels.tolist() == [1, 0]
    assert np.shares_memory(data.frames, single.frames)
    assert np.array_equal(data.first_people().offsets, single.offsets)


def test_what_is_chosen_is_not_copied():
    data = an_action_set()
    chosen = data.select([False, True, True])
    assert chosen.frames is data.frames
    assert chosen.subject.tolist() == ["b", "c"]
    assert chosen.labels("sequence").tolist() == ["two", "three"]


@settings(max_examples=50, deadline=None)
@given(which=st.lists(st.integers(0, 2), max_size=6))
def test_a_choice_keeps_each_recording_what_it_was(which):
    data = an_action_set()
    chosen = data.select(np.array(which, dtype=np.int64))
    assert chosen.class_labels.tolist() == [int(data.class_labels[i]) for i in which]
    for place, i in enumerate(which):
        assert np.array_equal(chosen.clip_frames(place), data.clip_frames(i))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frames": np.zeros((12, 16, 3), np.float32)}, "must be"),
        ({"frames": np.zeros((12, 17, 3))}, "float16 or float32"),
        ({"frames": np.zeros((11, 17, 3), np.float32)}, "recording 2 has no frames, or more than there are"),
        ({"lengths": np.array([3, 0, 1])}, "recording 1 has no frames"),
        ({"people": np.array([2, 1])}, "people: 3 numbers"),
        ({"subject": np.array(["a"])}, "subject: 3 labels"),
        ({"fps_each": np.array([1.0])}, "fps_each"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(InvalidDataSet, match=message):
        an_action_set(**changes)
