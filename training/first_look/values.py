"""What the numbers themselves say: finite, seen, moving, different from each other, not mostly padding."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from training.first_look.batch import Batch, some

_MANY = 0.1
_MOST = 0.5


def wrong_shape(batch: Batch) -> Iterator[str]:
    """Clips that the network would not take."""
    network, clip = batch.recipe.network, batch.recipe.clip
    wanted = (network.people, clip.frames, batch.layout.count, clip.channels)
    if batch.clips.ndim != 5 or batch.clips.shape[1:] != wanted:
        axes = "people, frames, joints, channels"
        yield f"clips are {batch.clips.shape[1:]}, but the recipe's network takes {wanted} ({axes})"
    elif len(batch.clips) == 0 or len(batch.labels) != len(batch.clips):
        yield f"there are {len(batch.clips)} clips and {len(batch.labels)} labels"


def not_finite(batch: Batch) -> Iterator[str]:
    """NaN or infinity: one is enough to make every weight NaN."""
    finite = np.isfinite(batch.clips)
    if not finite.all():
        n, _, t, v, _ = (int(place) for place in np.argwhere(~finite)[0])
        bad = int((~finite).any(axis=(1, 2, 3, 4)).sum())
        yield (
            f"{bad} of {len(batch.clips)} clips hold NaN or infinity (first: clip {n}, frame {t}, "
            f"{batch.layout.joints[v]}); write missing joints as zeros with confidence 0"
        )


def nobody_seen(batch: Batch) -> Iterator[str]:
    """Confidence 0 everywhere."""
    if not len(batch.bodies):
        yield (
            "the confidence of every joint in every clip is 0, so that nobody is seen; the last channel must be the "
            "confidence in [0, 1] (all 1 where the source has none)"
        )


def without_motion_or_difference(batch: Batch) -> Iterator[str]:
    """Nothing moves in any clip, or every clip is the same."""
    if not np.ptp(batch.bodies[..., :-1], axis=(1, 2)).any():
        yield "every joint of every clip is at one place: the coordinates were lost on the way, look at the reader"
    elif len(batch.clips) > 1 and (batch.clips == batch.clips[:1]).all():
        yield f"all {len(batch.clips)} clips are the same; look at how the recordings are cut and put together"


def confidences(batch: Batch) -> Iterator[str]:
    """Confidences out of range, empty clips, joints that are never seen."""
    confidence = batch.clips[..., -1]
    low, high = float(confidence.min()), float(confidence.max())
    if low < 0 or high > 1:
        yield f"confidence goes from {low:.3g} to {high:.3g}; it must lie in [0, 1] (percent are divided by 100)"
    if _learns_no_gaps(batch):
        yield (
            "confidence is the same for every joint, and so a network that takes it cannot learn what a missing joint "
            "is: the first one it meets will throw it off; set augment.drop_joint, or network.confidence = false"
        )
    empty = int((confidence.max(axis=(1, 2, 3)) <= 0).sum())
    if empty:
        yield f"{empty} of {len(confidence)} clips are empty (confidence 0 throughout); leave their recordings out"
    unseen = ~(batch.bodies[..., -1] > 0).any(axis=(0, 1))
    if unseen.any():
        joints = [batch.layout.joints[i] for i in np.flatnonzero(unseen)]
        yield (
            f"{some(joints)}: never seen in this batch; if the source has no such joint, "
            f"a smaller layout than {batch.layout.name} trains better"
        )


def _learns_no_gaps(batch: Batch) -> bool:
    """Whether confidence is a constant channel, which its batch normalisation then divides by next to nothing."""
    change = batch.recipe.augment
    drops = change.drop_joint or change.drop_limb or change.part_drop
    return batch.recipe.network.confidence and not drops and bool(np.ptp(batch.bodies[..., -1]) == 0)


def constants(batch: Batch) -> Iterator[str]:
    """A coordinate that is one number everywhere; clips in which nothing moves."""
    bodies = batch.bodies
    seen = bodies[..., -1] > 0
    for axis, name in enumerate("xyz"[: bodies.shape[-1] - 1]):
        values = bodies[..., axis][seen]
        if np.ptp(values) == 0:
            yield f"{name} is {values[0]:.6g} everywhere" + (
                "; data in the plane wants dims = 2" if name == "z" else ": the coordinate is lost"
            )
    still = ~np.ptp(bodies[..., :-1], axis=1).any(axis=(1, 2))
    if still.mean() > _MANY:
        yield f"in {int(still.sum())} of {len(still)} clips nothing moves; one frame may have been repeated"


def copies(batch: Batch) -> Iterator[str]:
    """The same clip twice, worst under two labels."""
    first: dict[bytes, int] = {}
    again, torn = 0, ""
    for n, clip in enumerate(batch.clips):
        before = first.setdefault(clip.tobytes(), n)
        again += before != n
        if batch.labels[before] != batch.labels[n]:
            torn = f"{batch.name(int(batch.labels[before]))!r} and {batch.name(int(batch.labels[n]))!r}"
    if torn:
        yield f"one and the same clip stands under {torn}; the labels may be in another order than the recordings"
    elif again > _MANY * len(batch.clips):
        yield f"{again} of {len(batch.clips)} clips are copies of another one; recordings may be in the set twice"


def padding(batch: Batch) -> Iterator[str]:
    """Clips that are mostly made up, because the recordings are shorter than a clip."""
    frames = batch.recipe.clip.frames
    if batch.lengths is not None:
        short = batch.lengths * 2 < frames
        share, middle = float(short.mean()), float(np.median(batch.lengths))
        told = f"{share:.0%} of the recordings fill less than half of a clip (median {middle:g} of {frames} frames)"
    else:
        filled = np.array([_own_frames(body) for body in batch.bodies])
        share = float((filled * 2 < frames).mean())
        told = f"{share:.0%} of the clips are padded to more than half, from {np.median(filled):g} of {frames} frames"
    if share > _MOST:
        yield f"{told}; shorten clip.frames, or check the frame rate of the data"


def _own_frames(body: NDArray[np.float32]) -> int:
    """Frames of a clip before it repeats: walks back, begins again, stands still or is empty to its end."""
    count = len(body)
    for length in range(1, count):
        rest = body[length:]
        back = body[:length][::-1]
        if (
            not rest.any()
            or (rest == body[length - 1]).all()
            or _is_continued(rest, np.concatenate([back[1:], body[1:length]]))
            or _is_continued(rest, body[:length])
        ):
            return length
    return count


def _is_continued(rest: NDArray[np.float32], cycle: NDArray[np.float32]) -> bool:
    """Whether `rest` is `cycle` over and over."""
    if not len(cycle) or not np.array_equal(rest[0], cycle[0]):
        return False
    return all(
        np.array_equal(rest[i : i + len(cycle)], cycle[: len(rest) - i]) for i in range(0, len(rest), len(cycle))
    )
