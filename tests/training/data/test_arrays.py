import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import Units
from training.data.arrays import SequenceSet, concatenate, load_npz

LENGTHS = (3, 5, 2)


def a_set(**changes):
    rng = np.random.default_rng(0)
    frames = rng.uniform(0, 1, (sum(LENGTHS), 17, 3)).astype(np.float32)
    given = {"subject": ["001", "002", "001"], "view": ["000", "018", "036"], "sequence": ["nm-01", "bg-02", "nm-02"]}
    return SequenceSet.of(frames, np.cumsum([0, *LENGTHS]), COCO_17, 25.0, **given | changes)


def test_a_sequence_is_cut_out_with_its_confidence():
    one = a_set().sequence(1)
    assert one.frames == 5
    assert np.array_equal(one.confidence, a_set().frames[3:8, :, 2])
    assert one.fps == 25.0
    assert one.layout == COCO_17


def test_labels_not_given_are_empty():
    assert a_set().action.tolist() == ["", "", ""]


def test_each_sequence_may_have_a_frame_rate_of_its_own():
    assert [s.fps for s in a_set(fps_each=[25, 30, 50]).sequences()] == [25, 30, 50]


@pytest.mark.parametrize("which", [[True, False, True], [0, 2]])
def test_a_selection_keeps_frames_and_labels_together(which):
    chosen = a_set(fps_each=[25, 30, 50]).select(which)
    assert chosen.lengths.tolist() == [3, 2]
    assert chosen.view.tolist() == ["000", "036"]
    assert chosen.fps_of(1) == 50
    assert np.array_equal(chosen.clip_frames(1), a_set().clip_frames(2))


def test_a_selection_may_reorder_and_may_be_empty():
    assert a_set().select([2, 0]).lengths.tolist() == [2, 3]
    assert len(a_set().select([False] * 3)) == 0


def test_concatenation_keeps_every_frame_rate():
    both = concatenate([a_set(), a_set(fps_each=[25, 30, 50])], name="both")
    assert len(both) == 6
    assert both.name == "both"
    assert [both.fps_of(i) for i in range(6)] == [25, 25, 25, 25, 30, 50]
    assert np.array_equal(both.clip_frames(4), a_set().clip_frames(1))


def test_sets_in_other_units_are_not_concatenated():
    with pytest.raises(InvalidDataSet, match="units"):
        concatenate([a_set(), a_set(units=Units.NORMALISED)])


def test_sequences_make_a_set_again():
    before = a_set(fps_each=[25, 30, 50])
    after = SequenceSet.of_sequences(list(before.sequences()), subject=before.subject)
    assert np.array_equal(after.frames, before.frames)
    assert [after.fps_of(i) for i in range(3)] == [25, 30, 50]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("changes", [{}, {"fps_each": [25, 30, 50], "aspect": 1.5, "units": Units.NORMALISED}])
def test_what_is_saved_is_loaded(tmp_path, dtype, changes):
    before = a_set(**changes)
    before = before.of(
        before.frames.astype(dtype), before.offsets, COCO_17, 25.0, **{"subject": before.subject, **changes}
    )
    before.save_npz(tmp_path / "deep" / "set.npz")
    after = load_npz(tmp_path / "deep" / "set.npz")
    assert after.frames.dtype == dtype
    assert np.array_equal(after.frames, before.frames)
    assert (after.layout, after.fps, after.units, after.aspect) == (COCO_17, 25.0, before.units, before.aspect)
    assert after.subject.tolist() == ["001", "002", "001"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["set.npz"]


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "set.npz"
    a_set().save_npz(path)
    before = path.read_bytes()

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full_disk)
    with pytest.raises(OSError, match="No space"):
        a_set().save_npz(path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": ["1", "2"]}, "subject: 3 labels"),
        ({"fps_each": [1.0]}, "fps_each"),
    ],
)
def test_labels_that_do_not_fit_are_refused(changes, message):
    with pytest.raises(InvalidDataSet, match=message):
        a_set(**changes)


@pytest.mark.parametrize(
    ("frames", "offsets", "message"),
    [
        (np.zeros((4, 16, 3), np.float32), [0, 4], "must be"),
        (np.zeros((4, 17, 3), np.float64), [0, 4], "float16 or float32"),
        (np.zeros((4, 17, 3), np.float32), [0, 3], "offsets"),
        (np.zeros((4, 17, 3), np.float32), [0, 2, 2, 4], "sequence 1 has no frames"),
        (np.full((4, 17, 3), np.nan, np.float32), [0, 4], "finite"),
        (np.full((4, 17, 3), 2, np.float32), [0, 4], "confidence"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(frames, offsets, message):
    with pytest.raises(InvalidDataSet, match=message):
        SequenceSet.of(frames, offsets, COCO_17, 25.0)


def test_files_that_are_no_sets_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(InvalidDataSet, match="no such file"):
        load_npz(path)
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(InvalidDataSet, match="not a readable npz"):
        load_npz(path)
    np.savez(path, frames=np.zeros(3))
    with pytest.raises(InvalidDataSet, match="format"):
        load_npz(path)
    np.savez(path, format="gaitkeeper-sequences-1", frames=np.array([{}], dtype=object))
    with pytest.raises(InvalidDataSet, match="not a readable npz"):
        load_npz(path)
    np.savez(path, format="gaitkeeper-sequences-1", frames=np.zeros(3))
    with pytest.raises(InvalidDataSet, match="lacks action"):
        load_npz(path)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=8), data=st.data())
def test_selecting_keeps_each_sequence_what_it_was(lengths, data):
    frames = np.random.default_rng(0).uniform(0, 1, (sum(lengths), 17, 3)).astype(np.float32)
    names = [str(i) for i in range(len(lengths))]
    whole = SequenceSet.of(frames, np.cumsum([0, *lengths]), COCO_17, 25, subject=names)
    which = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=10))
    chosen = whole.select(np.array(which, dtype=np.int64))
    assert chosen.subject.tolist() == [str(i) for i in which]
    for place, i in enumerate(which):
        assert np.array_equal(chosen.clip_frames(place), whole.clip_frames(i))
