from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from model.clips import ClipSpec, to_clips
from model.errors import UnusableSequence
from model.layout import Layout
from model.named_layouts import COCO_17
from model.quality import IN_WORDS, Quality, Reason, assess, assess_all, clip_frames
from model.readers import Hints, Track, read
from model.sequence import SkeletonSequence, Units
from tests.fakes import walking
from tests.model.two_people import Walker
from tests.recordings import recording

LEGS = [COCO_17.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "ankle")]


def walk(frames=100, fps=25.0, walker=None, noise=0.008):
    """Somebody who walks past, in profile."""
    poses = (walker or Walker((50, 300), (150, 0))).poses(frames, fps, noise)
    return SkeletonSequence(poses[..., :2], poses[..., 2], COCO_17, fps)


def with_arrays(sequence, joints=None, confidence=None):
    return replace(
        sequence,
        joints=sequence.joints if joints is None else joints,
        confidence=sequence.confidence if confidence is None else confidence,
    )


def without(sequence, joints):
    confidence = sequence.confidence.copy()
    confidence[:, joints] = 0
    return with_arrays(sequence, confidence=confidence)


def frozen(sequence):
    joints = sequence.joints.copy()
    joints[10:] = joints[10]
    return with_arrays(sequence, joints)


def elsewhere(sequence):
    joints = sequence.joints.copy()
    joints[40:] += 4 * np.ptp(joints[..., 1])
    return with_arrays(sequence, joints)


def by_turns(sequence):
    joints = sequence.joints.copy()
    joints[::2, :, 0] += 2 * np.ptp(joints[..., 1])
    return with_arrays(sequence, joints)


def grown(sequence):
    joints = sequence.joints.copy()
    centre = joints[50].mean(axis=0)
    joints[50:] = (joints[50:] - centre) * 2.5 + centre
    return with_arrays(sequence, joints)


def exchanged(sequence):
    joints = sequence.joints.copy()
    flipped = np.random.default_rng(0).random(sequence.frames) < 0.3
    joints[flipped] = joints[flipped][:, list(sequence.layout.mirror)]
    return with_arrays(sequence, joints)


def unsure(sequence):
    return with_arrays(sequence, confidence=np.full_like(sequence.confidence, 0.1))


def legless(sequence):
    layout: Layout = sequence.layout
    legs = [layout.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
    return without(sequence, legs)


DAMAGE = [
    (frozen, Reason.FROZEN),
    (elsewhere, Reason.TWO_PEOPLE),
    (by_turns, Reason.TWO_PEOPLE),
    (grown, Reason.TWO_PEOPLE),
    (unsure, Reason.LOW_CONFIDENCE),
    (legless, Reason.MISSING_JOINTS),
    (lambda sequence: sequence.slice(0, 20), Reason.TOO_SHORT),
]


def test_a_walk_is_usable_and_its_measures_are_plain_numbers():
    quality = assess(walk())
    assert isinstance(quality, Quality)
    assert (quality.usable, quality.reasons, quality.advice) == (True, (), ())
    assert quality.measures["frames"] == 100
    assert quality.measures["seconds"] == 4
    assert quality.measures["step_frequency_hz"] == pytest.approx(1.8, rel=0.06)
    assert quality.measures["mean_confidence"] == pytest.approx(0.9)
    assert all(isinstance(value, float) and np.isfinite(value) for value in quality.measures.values())


@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
def test_a_damaged_walk_is_unusable_and_says_why(damage, reason):
    quality = assess(damage(walk()))
    assert not quality.usable
    assert reason in quality.reasons


def test_a_walk_whose_left_and_right_are_exchanged_is_unusable():
    front = Walker((300, 300), (2, 0), depth_swing=0.3)
    assert assess(walk(walker=front)).usable
    assert Reason.LEFT_RIGHT_SWAPPED in assess(exchanged(walk(walker=front))).reasons


def test_legs_that_cross_in_profile_are_not_taken_for_exchanged():
    assert assess(walk(250)).measures["swaps_per_s"] == 0


def test_a_few_frames_elsewhere_are_advice_only():
    joints = walk().joints.copy()
    joints[3:9] += 600
    quality = assess(with_arrays(walk(), joints))
    assert (quality.usable, quality.advice) == (True, (Reason.TWO_PEOPLE,))


def test_one_wrong_frame_is_nothing():
    joints = walk().joints.copy()
    joints[30] += 600
    assert assess(with_arrays(walk(), joints)).advice == ()


def test_somebody_who_stands_is_advised_of_it_if_gait_is_what_counts():
    standing = walk(walker=Walker((300, 300), (1, 0), depth_swing=0.0, stride_hz=0.05))
    assert assess(standing).advice == (Reason.NOT_WALKING,)
    assert assess(standing).usable
    assert assess(standing, walking=False).advice == ()


def test_normalised_coordinates_without_an_aspect_ratio_are_advised_of():
    joints = walk().joints / 1000
    normalised = replace(walk(), joints=joints, units=Units.NORMALISED)
    assert assess(normalised).advice == (Reason.NORMALISED_WITHOUT_ASPECT,)
    assert assess(replace(normalised, aspect=1.0)).advice == ()


def test_a_frame_rate_that_was_assumed_is_advised_of():
    assert assess(walk(), notes=("fps_unknown: assumed 25",)).advice == (Reason.FPS_UNKNOWN,)


def test_frames_without_anybody_do_not_hide_a_walk():
    confidence = walk().confidence.copy()
    confidence[40:60] = 0
    quality = assess(with_arrays(walk(), confidence=confidence))
    assert quality.usable
    assert quality.measures["empty_share"] == pytest.approx(0.2)


def test_nobody_and_half_a_body_are_not_usable():
    nobody = with_arrays(walk(), confidence=np.zeros_like(walk().confidence))
    assert assess(nobody).reasons == (Reason.MISSING_JOINTS, Reason.LOW_CONFIDENCE)
    assert Reason.MISSING_JOINTS in assess(without(walk(), LEGS)).reasons


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_any_number_of_frames_is_judged(frames):
    assert assess(walk(frames)).reasons[0] is Reason.TOO_SHORT


@pytest.mark.parametrize("fps", [5.0, 12.5, 24.9, 25.0, 30.0, 120.0])
@pytest.mark.parametrize("frames", [20, 24, 25, 47, 48, 60, 115, 120])
def test_too_short_is_what_the_clips_say(frames, fps):
    spec = ClipSpec()
    sequence = walking(0, frames, fps=fps)
    try:
        to_clips(sequence, spec, COCO_17)
        enough = True
    except UnusableSequence:
        enough = False
    assert (clip_frames(sequence, spec) >= spec.minimum) is enough
    assert (Reason.TOO_SHORT not in assess(sequence, spec).reasons) is enough


def test_every_reason_has_words():
    assert set(IN_WORDS) == set(Reason)


# What real people's walks give. The limits were set on these: nearly all pass, and damaged copies do not.


@cache
def recorded(name: str) -> tuple[Track, ...]:
    return read(recording(name), hints=Hints(aspect=16 / 9)).tracks


@pytest.mark.parametrize(
    ("name", "usable", "walks"),
    [
        ("cbkings34_mediapipe_gait.npz", 0.98, 0.92),
        ("ucalgary_kinect2_gait.npz", 0.93, 0.88),
        ("cmu_mocap.npz", 1.0, 0.97),
    ],
)
def test_nearly_all_recorded_walks_are_usable(name, usable, walks):
    tracks = recorded(name)
    judged = [assess(track.sequence) for track in tracks if "walk" in track.labels["action"]]
    assert np.mean([quality.usable for quality in judged]) >= usable
    assert np.mean([Reason.NOT_WALKING not in quality.advice for quality in judged]) >= walks


@pytest.mark.parametrize("name", ["cbkings34_mediapipe_gait.npz", "ucalgary_kinect2_gait.npz", "cmu_mocap.npz"])
@pytest.mark.parametrize(("damage", "reason"), DAMAGE)
def test_damaged_recordings_are_refused(name, damage, reason):
    tracks = recorded(name)
    walks = [t.sequence for t in tracks if t.labels["action"] == "walk" and t.sequence.frames >= 60][::25]
    judged = [assess(damage(sequence)) for sequence in walks]
    assert np.mean([reason in quality.reasons for quality in judged]) >= 0.95


def test_recorded_actions_without_steps_are_seldom_taken_for_walks():
    tracks = recorded("utd_mhad.npz")
    still = [t.sequence for t in tracks[::3] if t.labels["action"] not in ("walk", "jog", "lunge", "bowling")]
    walks = [Reason.NOT_WALKING not in assess(sequence).advice for sequence in still]
    assert np.mean(walks) < 0.1


def damaged(sequence: SkeletonSequence, draw: np.random.Generator) -> SkeletonSequence:
    """The same with joints lost, frames frozen, a jump or sides exchanged, as chance has it."""
    joints, confidence = sequence.joints.copy(), sequence.confidence.copy()
    confidence[draw.random(confidence.shape) < draw.choice([0, 0.05, 0.3])] = 0
    if draw.random() < 0.3:
        joints[20:] = joints[20]
    if draw.random() < 0.3:
        joints[30:40] += 400
    if draw.random() < 0.2:
        confidence[:, LEGS] = 0
    if draw.random() < 0.2:
        confidence[10:25] = 0
    return with_arrays(sequence, joints, confidence)


@pytest.mark.parametrize("seed", range(12))
def test_several_are_judged_together_as_each_is_alone(seed):
    draw = np.random.default_rng(seed)
    frames = [60, 60, 60, 60, 45][seed % 5]
    several = [damaged(walking(subject, frames), draw) for subject in range(int(draw.integers(1, 9)))]
    for alone, together in zip(map(assess, several), assess_all(several, ClipSpec()), strict=True):
        assert (alone.reasons, alone.advice) == (together.reasons, together.advice)
        assert dict(alone.measures) == pytest.approx(dict(together.measures), abs=1e-9)


def test_several_that_are_unlike_are_judged_all_the_same():
    several = [walking(0), walking(1, 80), walking(2, fps=30.0), walking(3)]
    assert [each.measures["frames"] for each in assess_all(several, ClipSpec())] == [60, 80, 60, 60]
    assert assess_all([], ClipSpec()) == []
