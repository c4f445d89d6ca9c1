import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import ClipSpec, to_clips
from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import Units
from tests.fakes import walking
from tests.training.small import small_recipe, small_set
from training.batches import Batches, plan
from training.data.arrays import SequenceSet
from training.pool import Pool
from training.sections import SamplerConfig

CLIP = ClipSpec(frames=16, minimum=8)


def pool(sequences, clip=CLIP):
    data = SequenceSet.of_sequences(sequences)
    return Pool.of(data, np.arange(len(data)), COCO_17, clip)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_pk_batches_hold_so_many_of_so_many_classes(classes, wanted, per_class, steps, seed):
    labels = np.repeat(np.arange(classes), np.random.default_rng(seed).integers(1, 7, classes))
    config = SamplerConfig(classes=wanted, per_class=per_class)
    chosen = plan(labels, steps, config, np.random.default_rng(seed))
    assert chosen.shape == (steps, config.batch)
    for batch in labels[chosen].reshape(steps, wanted, per_class):
        assert (batch == batch[:, :1]).all()
        if wanted <= classes:
            assert len(set(batch[:, 0])) == wanted


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 8))
def test_no_sequence_comes_twice_before_all_came_once(count, steps, batch):
    config = SamplerConfig(kind="plain", classes=batch, per_class=1)
    seen = np.bincount(plan(np.arange(count), steps, config, np.random.default_rng(0)).ravel(), minlength=count)
    assert seen.max() - seen.min() <= 1


def test_a_batch_is_a_function_of_seed_epoch_and_step():
    recipe = small_recipe(augment={"noise": 0.1})
    data = small_set()
    labels = np.unique(data.subject, return_inverse=True)[1]
    source = Pool.of(data, labels, COCO_17, recipe.clip)
    first, second = (Batches(source, COCO_17, recipe) for _ in range(2))
    clips, _ = first.make(2, 1)
    second.make(0, 0)
    assert (second.make(2, 1)[0] == clips).all()
    assert not (second.make(2, 2)[0] == clips).all()
    assert not (second.make(1, 1)[0] == clips).all()
    other = Batches(source, COCO_17, recipe.model_copy(update={"seed": 5}))
    assert not (other.make(2, 1)[0] == clips).all()


@pytest.mark.parametrize("frames", [8, 15, 16, 17, 40])
def test_an_unchanged_clip_is_what_serving_would_cut(frames):
    sequence = walking(3, frames)
    ours = pool([sequence]).cut(np.array([0]), np.zeros(1), np.ones(1))
    assert (ours[0] == to_clips(sequence, CLIP, COCO_17)[0]).all()


def test_sequences_are_brought_to_the_frame_rate_of_the_clip():
    sequence = walking(3, 60, fps=50.0)
    ours = pool([sequence]).cut(np.array([0]), np.zeros(1), np.ones(1))
    assert (ours[0] == to_clips(sequence, CLIP, COCO_17)[0]).all()


def test_normalised_coordinates_get_their_aspect_ratio():
    pixels = walking(3, 16)
    sequence = type(pixels)(
        (pixels.joints / 300).astype(np.float32), pixels.confidence, COCO_17, 25.0, units=Units.NORMALISED, aspect=1.5
    )  # fmt: skip
    ours = pool([sequence]).cut(np.array([0]), np.zeros(1), np.ones(1))
    assert ours[0] == pytest.approx(to_clips(sequence, CLIP, COCO_17)[0], abs=1e-6)


def test_a_faster_clip_goes_through_the_frames_faster_and_never_outside():
    sequence = walking(3, 40)
    fast = pool([sequence]).cut(np.array([0]), np.array([1.0]), np.array([2.0]))
    assert fast[0, :, 5, 0] == pytest.approx(sequence.joints[1:33:2, 5, 0], abs=1e-4)
    between = pool([sequence]).cut(np.array([0]), np.array([0.5]), np.array([1.0]))
    middle = (sequence.joints[:16] + sequence.joints[1:17]) / 2
    assert between[0, ..., :2] == pytest.approx(middle, abs=1e-3)
    past = pool([sequence]).cut(np.array([0]), np.array([35.0]), np.array([1.3]))
    assert np.isfinite(past).all()


def test_a_missing_joint_lends_no_coordinate_between_frames():
    sequence = walking(3, 20)
    confidence = sequence.confidence.copy()
    confidence[5, 9] = 0
    holed = type(sequence)(sequence.joints, confidence, COCO_17, 25.0)
    clip = pool([holed]).cut(np.array([0]), np.array([0.5]), np.array([1.0]))[0]
    assert clip[4, 9, :2] == pytest.approx(sequence.joints[4, 9])
    assert clip[5, 9, :2] == pytest.approx(sequence.joints[6, 9])


def test_sequences_too_short_are_left_out_and_a_set_of_nothing_else_is_refused():
    short, long = walking(0, 7), walking(1, 30)
    assert pool([short, long]).kept.tolist() == [1]
    with pytest.raises(InvalidDataSet, match="no sequence has 8 frames"):
        pool([short])
