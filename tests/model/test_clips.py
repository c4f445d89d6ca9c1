import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.clips import ClipSpec, batch_clips, mean_over_clips, resample, to_clips, unit_length, window_places
from model.errors import InvalidSequence, LayoutMismatch, UnusableSequence
from model.named_layouts import CASIA_14, COCO_17, NTU_25
from model.sequence import SkeletonSequence, Units
from model.uniform import fixed_clips
from tests.fakes import walking

SPEC = ClipSpec()


@given(count=st.integers(2, 200), length=st.integers(4, 80), stride=st.integers(1, 90))
def test_windows_cover_every_frame_and_all_have_the_length(count: int, length: int, stride: int) -> None:
    cut = window_places(count, length, min(stride, length))
    assert cut.shape[1:] == (length,)
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
    joints = np.full((60, 17, 2), 0.5, np.float32)
    sequence = SkeletonSequence(joints, np.ones((60, 17), np.float32), COCO_17, 25, Units.NORMALISED, aspect=1.5)
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


PAIR = ClipSpec(people=2, frames=16, minimum=8)


def without(sequence: SkeletonSequence, frames: slice) -> SkeletonSequence:
    """The same person, not there in some frames."""
    confidence = sequence.confidence.copy()
    confidence[frames] = 0
    return SkeletonSequence(sequence.joints, confidence, sequence.layout, sequence.fps)


def test_clips_of_two_people_have_a_person_each() -> None:
    one, other = walking(0, 40), walking(1, 40)
    clips = to_clips((one, other), PAIR, COCO_17)
    assert clips.shape == (2, 2, 16, 17, 3)
    single = ClipSpec(frames=16, minimum=8)
    np.testing.assert_array_equal(clips[:, 0], to_clips(one, single, COCO_17))
    np.testing.assert_array_equal(clips[:, 1], to_clips(other, single, COCO_17))


def test_another_frame_rate_is_resampled_person_by_person() -> None:
    one, other = walking(0, 40, fps=15.0), walking(1, 40, fps=15.0)
    clips = to_clips((one, other), PAIR, COCO_17)
    np.testing.assert_array_equal(clips[:, 1], to_clips(other, ClipSpec(frames=16, minimum=8), COCO_17))


def test_a_person_alone_is_accompanied_by_zeros() -> None:
    clips = to_clips(walking(0, 16), PAIR, COCO_17)
    assert clips.shape == (1, 2, 16, 17, 3)
    assert clips[:, 0].any()
    assert not clips[:, 1].any()


def test_who_is_seen_most_comes_first_and_who_is_seen_least_is_left_out() -> None:
    rarely, mostly, always = without(walking(0, 16), slice(4, None)), without(walking(1, 16), slice(2)), walking(2, 16)
    both = to_clips((rarely, mostly, always), PAIR, COCO_17)[0]
    np.testing.assert_array_equal(both[0, ..., :2], always.joints)
    np.testing.assert_array_equal(both[1, ..., :2], mostly.joints)
    alone = to_clips((rarely, mostly, always), ClipSpec(frames=16, minimum=8), COCO_17)
    np.testing.assert_array_equal(alone[0, ..., :2], always.joints)


def test_people_of_one_recording_have_the_same_frames() -> None:
    with pytest.raises(InvalidSequence, match="same number of frames"):
        to_clips((walking(0, 16), walking(1, 17)), PAIR, COCO_17)
    with pytest.raises(InvalidSequence, match="at least one"):
        to_clips((), PAIR, COCO_17)


UNIFORM = ClipSpec(frames=16, minimum=1, sampling="uniform", clips=3)


@pytest.mark.parametrize("frames", [5, 16, 20, 70])
def test_uniform_clips_are_frames_of_the_whole_recording_whatever_its_rate(frames: int) -> None:
    sequence = walking(0, frames, fps=11.0)
    clips = to_clips(sequence, UNIFORM, COCO_17)
    assert clips.shape == (3, 16, 17, 3)
    np.testing.assert_array_equal(clips[..., :2], sequence.joints[fixed_clips(frames, 16, 3)])


def test_uniform_clips_leave_out_frames_of_nobody() -> None:
    gone = slice(8, 20)
    one, other = without(walking(0, 32), slice(4, 20)), without(walking(1, 32), gone)
    clips = to_clips((one, other), UNIFORM.model_copy(update={"people": 2}), COCO_17)
    kept = np.delete(np.arange(32), np.arange(8, 20))[fixed_clips(20, 16, 3)]
    np.testing.assert_array_equal(clips[:, 0, ..., :2], other.joints[kept])
    np.testing.assert_array_equal(clips[:, 1, ..., :2], one.joints[kept])


def in_space(subject: int, frames: int = 16) -> SkeletonSequence:
    joints = np.random.default_rng(subject).uniform(1, 2, (frames, 25, 3))
    return SkeletonSequence.with_full_confidence(joints, NTU_25, 30, Units.METRES)


SPINE = ClipSpec(people=2, dims=3, frames=16, minimum=1, fps=30, origin="spine")


def test_the_main_persons_spine_where_it_is_first_seen_is_everybodys_origin() -> None:
    one, other = in_space(0), in_space(1)
    place = NTU_25.index("spine")
    confidence = one.confidence.copy()
    confidence[0, place] = 0
    late = SkeletonSequence(one.joints, confidence, NTU_25, 30, Units.METRES)
    clip = to_clips((late, other), SPINE, NTU_25)[0]
    origin = one.joints[1, place]
    np.testing.assert_allclose(clip[1, ..., :3], other.joints - origin, atol=1e-6)
    assert not clip[0, 1, place, :3].any()
    assert not clip[0, 0, place].any()
    assert clip[0, 2, 0, :3] == pytest.approx(one.joints[2, 0] - origin)


def test_a_layout_without_a_spine_has_none_for_an_origin() -> None:
    with pytest.raises(LayoutMismatch, match="spine"):
        to_clips(walking(0, 16), ClipSpec(origin="spine", frames=16, minimum=1), COCO_17)
    lifted = SkeletonSequence.with_full_confidence(np.ones((16, 14, 3)), CASIA_14, 25)
    with pytest.raises(LayoutMismatch, match="spine"):
        to_clips(lifted, SPINE.model_copy(update={"people": 1}), CASIA_14)


def test_clips_of_recordings_and_of_single_people_come_in_one_batch() -> None:
    batch = batch_clips([walking(0, 40), (walking(1, 16), walking(2, 16))], PAIR, COCO_17)
    assert batch.clips.shape == (3, 2, 16, 17, 3)
    assert batch.owner.tolist() == [0, 0, 1]
