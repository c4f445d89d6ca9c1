import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.clips import ClipSpec, batch_clips, mean_over_clips, resample, to_clips, unit_length, windows
from model.errors import LayoutMismatch, UnusableSequence
from model.named_layouts import COCO_17
from model.sequence import SkeletonSequence, Units
from tests.fakes import walking

SPEC = ClipSpec()


@given(count=st.integers(2, 200), length=st.integers(4, 80), stride=st.integers(1, 90))
def test_windows_cover_every_frame_and_all_have_the_length(count: int, length: int, stride: int) -> None:
    frames = np.arange(count, dtype=np.float32)[:, None, None]
    cut = windows(frames, length, min(stride, length))
    assert cut.shape[1:] == (length, 1, 1)
    assert set(cut.ravel()) == set(range(count))


@given(count=st.integers(2, 120), fps=st.floats(5, 120), target=st.floats(5, 120))
def test_a_straight_movement_stays_straight_at_any_frame_rate(count: int, fps: float, target: float) -> None:
    t = np.arange(count, dtype=np.float64) / fps
    frames = np.stack([3 * t, np.ones(count)], axis=-1)[:, None].astype(np.float32)
    out = resample(frames, fps, target)
    np.testing.assert_allclose(out[:, 0, 0], 3 * np.arange(len(out)) / target, atol=1e-3)
    assert (out[..., 1] == pytest.approx(1, abs=1e-5)) if len(out) else True
    assert (len(out) - 1) / target <= (count - 1) / fps + 1e-6


def test_a_missing_joint_lends_no_coordinate_to_its_neighbours() -> None:
    frames = np.array([[[10.0, 1.0]], [[0.0, 0.0]], [[30.0, 1.0]]], dtype=np.float32)
    out = resample(frames, 10, 20)
    assert out[:, 0, 0].tolist() == [10, 10, 0, 30, 30]
    assert out[:, 0, 1].tolist() == [1, 0.5, 0, 0.5, 1]


def test_a_sequence_below_the_minimum_is_too_short() -> None:
    with pytest.raises(UnusableSequence, match="at least 24") as caught:
        to_clips(walking(frames=23), SPEC, COCO_17)
    assert caught.value.reasons == ("too_short",)
    assert to_clips(walking(frames=24), SPEC, COCO_17).shape == (1, 60, 17, 3)


def test_a_short_sequence_is_reflected_and_not_filled_with_zeros() -> None:
    sequence = walking(frames=40)
    clip = to_clips(sequence, SPEC, COCO_17)[0]
    np.testing.assert_array_equal(clip[:40, :, :2], sequence.joints)
    np.testing.assert_array_equal(clip[40:, :, :2], sequence.joints[38:18:-1])


def test_normalised_coordinates_are_stretched_by_the_aspect_ratio() -> None:
    joints = np.full((60, 17, 2), 0.5)
    sequence = SkeletonSequence(joints, np.ones((60, 17)), COCO_17, 25, Units.NORMALISED, aspect=1.5)
    clip = to_clips(sequence, SPEC, COCO_17)[0]
    assert clip[0, 0].tolist() == [0.75, 0.5, 1]


def test_another_layout_or_number_of_coordinates_is_refused() -> None:
    with pytest.raises(LayoutMismatch):
        to_clips(walking(), ClipSpec(dims=3), COCO_17)


def test_clips_of_many_sequences_find_their_owner_again() -> None:
    batch = batch_clips([walking(0), walking(1, frames=150), walking(2)], SPEC, COCO_17)
    assert batch.owner.tolist() == [0, 1, 1, 1, 1, 2]
    assert batch.sequences == 3
    values = batch.owner[:, None].astype(np.float32)
    assert mean_over_clips(values, batch.owner).ravel().tolist() == [0, 1, 2]


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=8))
def test_unit_length_is_one_or_zero(row: list[float]) -> None:
    length = np.linalg.norm(unit_length(np.array([row], dtype=np.float32)))
    assert length == pytest.approx(1, abs=1e-4) or np.linalg.norm(np.array(row)) < 1e-18
