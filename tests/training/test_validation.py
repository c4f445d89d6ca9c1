import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.of_people import recordings
from tests.training.small import small_recipe, small_set
from training.split import split
from training.validation import cross_view_rank1


def rank1(embeddings, data):
    return cross_view_rank1(embeddings, data.subject, data.condition, data.view, data.labels("sequence"))


def perfect(data):
    return np.eye(len(np.unique(data.subject)), dtype=np.float32)[np.unique(data.subject, return_inverse=True)[1]]


def test_a_perfect_encoder_scores_one_in_every_condition():
    data = small_set()
    scores = rank1(perfect(data), data)
    assert scores == {"rank1_nm": 1.0, "rank1_bg": 1.0, "rank1_cl": 1.0, "score": 1.0}


def test_what_only_the_same_view_gives_away_counts_for_nothing():
    data = small_set()
    right = perfect(data)
    wrong = np.roll(right, 1, axis=1)
    by_view = np.where((data.view == "000")[:, None], right, wrong)
    assert rank1(by_view, data)["score"] == 0.0


def test_with_one_view_it_is_not_left_out():
    data = small_set(views=("090",))
    assert rank1(perfect(data), data)["score"] == 1.0


def test_with_very_many_views_the_gallery_is_searched_as_one():
    data = small_set(views=tuple(f"{view:03d}" for view in range(30)))
    assert rank1(perfect(data), data)["score"] == 1.0


def test_identities_held_out_are_not_trained_on():
    data = split(small_set(), small_recipe())
    assert data.labels == ("001", "002", "003", "004")
    assert data.held_out is not None
    assert set(data.held_out.data.subject) == {"005", "006"}
    assert len(data.pool) + len(data.held_out.pool) == len(small_set())


def test_what_is_held_out_may_be_named_and_what_is_not_kept_is_nowhere():
    recipe = small_recipe(data={"validation_subjects": 0, "keep": {"subject": ("001-005",), "condition": ("nm",)},
                                "validation": {"subject": ("005",)}})  # fmt: skip
    data = split(small_set(), recipe)
    assert data.held_out is not None
    assert data.labels == ("001", "002", "003", "004")
    assert set(data.held_out.data.subject) == {"005"}
    assert set(data.held_out.data.condition) == {"nm"}


def test_a_limit_takes_sequences_from_everywhere():
    data = split(small_set(), small_recipe(validation={"limit": 7}))
    assert data.held_out is not None
    assert len(data.held_out.pool) == 7
    assert set(data.held_out.data.subject) == {"005", "006"}


def test_labels_nobody_has_are_refused():
    with pytest.raises(InvalidDataSet, match="has no subject '099', as the recipe says"):
        split(small_set(), small_recipe(data={"keep": {"subject": ("099",)}}))


def test_a_set_without_the_label_that_is_learned_is_refused():
    data = small_set()
    nameless = data.select(np.arange(len(data)))
    object.__setattr__(nameless, "action", np.full(len(data), ""))
    with pytest.raises(InvalidDataSet, match="no label 'action'"):
        split(nameless, small_recipe(data={"label": "action"}))


def held_out(batch=4, **validation):
    found = split(small_set(), small_recipe(validation={"batch": batch, **validation})).held_out
    assert found is not None
    return found


def test_clips_of_a_batch_are_those_of_its_sequences_one_after_the_other():
    once, thrice = held_out(), held_out(batch=12, clips=3)
    assert [len(rows) for rows in thrice.batches()] == [len(rows) for rows in once.batches()]
    clips = thrice.make(1)
    assert clips.shape == (12, 16, 17, 3)
    assert np.array_equal(once.make(1), clips[1::3])  # of three that go from start to end, the second is in the middle
    assert len(held_out(batch=2, clips=5).batches()) == len(once.pool)  # one at a time, at least


def test_probabilities_of_clips_are_averaged_not_their_logits():
    three = held_out(clips=3)
    object.__setattr__(three, "by_identity", False)
    logits = np.array([[9.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0]], dtype=np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.exp(three.over_clips(logits)) == pytest.approx(shares.mean(axis=0, keepdims=True), abs=1e-6)
    sure = np.array([[500.0, -500, 0]] * 3, dtype=np.float32)
    assert np.isfinite(three.over_clips(sure)).all()


def test_embeddings_of_clips_are_averaged_and_brought_to_unit_length():
    three = held_out(clips=3)
    given = np.array([[1.0, 0], [0, 1], [0, 1], [1, 0], [1, 0], [1, 0]], dtype=np.float32)
    assert three.over_clips(given) == pytest.approx(np.array([[1 / 5**0.5, 2 / 5**0.5], [1, 0]]))
    assert np.array_equal(held_out().over_clips(given), given)


def test_recordings_are_held_out_as_sequences_are():
    data = recordings([(1 + i % 2, 12 + i, i % 3) for i in range(30)])
    recipe = small_recipe(
        data={"label": "action", "validation_subjects": 1}, network={"layout": "ntu-25", "dims": 3, "people": 2},
        clip={"dims": 3, "people": 2, "sampling": "uniform", "clips": 2}, augment={"speed": 0.0},
        validation={"batch": 4, "clips": 2},
    )  # fmt: skip
    found = split(data, recipe).held_out
    assert found is not None
    assert set(found.data.subject) == {"005"}
    assert found.make(0).shape == (4, 2, 16, 25, 4)
    assert len(found.data) == len(found.pool) == 6
    perfect = np.repeat(np.eye(3, dtype=np.float32)[found.pool.labels], 2, axis=0) * 9
    assert found.score(found.over_clips(perfect)) == {"accuracy": 1.0, "class_accuracy": 1.0, "score": 1.0}
