import numpy as np

from model.people import about_spine, in_frame, main_first, padded, without_empty_frames


def people(*rows):
    """One joint a person; a row of frames each, 0 where that person is not there."""
    seen = np.array(rows, dtype=np.float32)[..., None, None]
    place = np.arange(seen.size, dtype=np.float32).reshape(seen.shape) + 1
    return np.concatenate([place, place, seen], axis=-1)


def test_whoever_is_in_most_frames_comes_first_and_equals_stay_in_order():
    given = people((1, 0, 0), (1, 1, 0), (0, 1, 1))
    assert np.array_equal(main_first(given), given[[1, 2, 0]])
    assert in_frame(given).sum(axis=1).tolist() == [1, 2, 2]


def test_only_frames_of_nobody_are_left_out():
    given = people((1, 0, 0), (0, 0, 1))
    assert np.array_equal(without_empty_frames(given), given[:, [0, 2]])
    nobody = people((0, 0))
    assert np.array_equal(without_empty_frames(nobody), nobody)


def test_one_origin_is_taken_from_all_that_is_seen_and_from_nothing_else():
    given = people((0, 1), (1, 0))
    out = about_spine(given, 0)
    assert out[0, :, 0].tolist() == [[0, 0, 0], [0, 0, 1]]
    assert out[1, :, 0].tolist() == [[1, 1, 1], [0, 0, 0]]


def test_without_a_spine_nothing_is_moved():
    given = people((0, 0), (1, 1))
    assert np.array_equal(about_spine(given, 0), given)


def test_there_are_as_many_people_as_asked_for():
    given = people((1,), (1,), (1,))
    assert np.array_equal(padded(given, 2), given[:2])
    assert np.array_equal(padded(given, 4)[:3], given)
    assert not padded(given, 4)[3].any()
