import numpy as np
import pytest

from tests.training.first_look.bodies import CLASSES, FRAMES, LABELS, in_image, in_space, refusal, seen_in

RAW = {"normalisation": {"scale": "none"}}


def only(findings):
    assert findings.refused is None
    assert len(findings.notices) == 1, findings.notices
    return findings.notices[0]


@pytest.mark.parametrize("clips", [in_image(), in_space(), in_space()[:, None].repeat(2, axis=1)])
def test_of_good_clips_nothing_is_said(clips):
    found = seen_in(clips, counts=np.full(CLASSES, 9), lengths=np.full(36, FRAMES), network=RAW)
    assert found.refused is None
    assert found.notices == ()


def test_somebody_who_is_absent_is_no_fault():
    clips = np.zeros((12, 2, FRAMES, 25, 4), np.float32)
    clips[:, 0] = in_space()
    clips[:5, 1] = in_space()[5:10]
    assert seen_in(clips).notices == ()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_and_placed(value):
    clips = in_image()
    clips[7, 3, 9, 0] = value
    refused = refusal(clips)
    assert "1 of 12 clips" in refused
    assert "clip 7, frame 3, left_wrist" in refused


def test_a_batch_in_which_nobody_is_seen_is_refused():
    clips = in_image()
    clips[..., -1] = 0
    assert "confidence of every joint in every clip is 0" in refusal(clips)


def test_clips_without_any_motion_are_refused_and_some_are_told():
    clips = in_image()
    spread = clips.copy()
    clips[..., :-1] = 5
    assert "one place" in refusal(clips)
    spread[:4] = spread[:4, :1]
    assert any("in 4 of 12 clips nothing moves" in notice for notice in seen_in(spread).notices)


def test_clips_that_are_all_one_are_refused_and_one_under_two_labels_is_told():
    clips = in_image()
    assert "all 12 clips are the same" in refusal(np.repeat(clips[:1], 12, axis=0))
    clips[11] = clips[0]
    assert "stands under '001' and '004'" in only(seen_in(clips))
    clips = in_image()
    clips[1], clips[2] = clips[0], clips[0]
    assert "2 of 12 clips are copies" in only(seen_in(clips))


def test_clips_of_another_shape_than_the_network_takes_are_refused():
    refused = refusal(in_image()[:, :20])
    assert "(1, 20, 17, 3)" in refused
    assert f"(1, {FRAMES}, 17, 3)" in refused


def test_confidence_in_percent_is_told():
    clips = in_image()
    clips[..., -1] *= 100
    assert "goes from 90 to 90" in only(seen_in(clips))


def test_empty_clips_and_joints_never_seen_are_told():
    clips = in_image()
    clips[3] = 0
    assert "1 of 12 clips are empty" in only(seen_in(clips))
    clips = in_image()
    clips[:, :, :5] = 0
    assert "nose, left_eye, right_eye, left_ear, right_ear: never seen" in only(seen_in(clips))


def test_a_coordinate_that_is_one_number_is_told():
    clips = in_space()
    clips[..., 2] = 0
    assert any("z is 0 everywhere" in notice for notice in seen_in(clips).notices)


def reflected(clips, own):
    period = 2 * (own - 1)
    place = np.arange(FRAMES) % period
    return clips[:, np.minimum(place, period - place)]


@pytest.mark.parametrize(
    "shorten",
    [
        lambda clips: reflected(clips, 12),
        lambda clips: clips[:, np.arange(FRAMES) % 12],
        lambda clips: clips[:, np.minimum(np.arange(FRAMES), 11)],
        lambda clips: clips * (np.arange(FRAMES) < 12)[:, None, None],
    ],
    ids=["walking back", "beginning again", "standing still", "empty"],
)
def test_clips_that_are_mostly_padding_are_told_however_they_are_padded(shorten):
    clips = shorten(in_image()).astype(np.float32)
    assert any(
        "100% of the clips are padded to more than half, from 12 of 32 frames" in n for n in seen_in(clips).notices
    )


def test_lengths_of_all_recordings_say_more_than_a_batch():
    lengths = np.array([10] * 60 + [40] * 40)
    assert "60% of the recordings fill less than half of a clip (median 10 of 32 frames)" in only(
        seen_in(in_image(), lengths=lengths)
    )
    assert seen_in(reflected(in_image(), 20), lengths=np.full(100, 20)).notices == ()


def test_one_class_is_refused_as_are_labels_outside_of_the_classes():
    assert "'001' alone" in refusal(in_image(), np.zeros(12, np.int64), ("001",))
    assert "from 0 to 3, but there are 3 classes" in refusal(in_image(), LABELS, ("a", "b", "c"))


def test_a_network_that_never_meets_a_missing_joint_is_told():
    constant = in_space()
    assert "cannot learn what a missing joint is" in only(seen_in(constant, network=RAW, augment={"drop_limb": 0.0}))
    without = RAW | {"confidence": False}
    assert not seen_in(constant, network=without, augment={"drop_limb": 0.0}).notices
    assert not seen_in(constant, network=RAW, augment={"drop_limb": 0.0, "drop_joint": 0.1}).notices
