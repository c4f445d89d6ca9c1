"""What the skeletons say: size, which way is up, which side is left, and what serving would say of them."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from model.errors import GaitkeeperError
from model.layout import Layout
from model.quality import IN_WORDS, Reason, assess
from model.sequence import Floats, SkeletonSequence
from training.first_look.batch import Batch

_LOOKED_AT = 32
_MANY, _MOST = 0.3, 0.7
_UPRIGHT = 0.6
# A person in metres; the widest that a crouching child and a tall body with raised arms leave.
_LEAST_METRES, _MOST_METRES = 0.2, 5.0
_UNITS = ((200.0, "millimetres"), (5.0, "centimetres"), (0.2, "metres"), (0.0, "no unit of length"))


def size(batch: Batch) -> Iterator[str]:
    """Units, where nothing takes the size out of the coordinates, and noise that is given in these units."""
    tall = _heights(batch.bodies, batch.layout)
    tall = tall[np.isfinite(tall) & (tall > 0)]
    if not len(tall):
        return
    middle, augment = float(np.median(tall)), batch.recipe.augment
    if (noise := max(augment.point, augment.joint)) > middle / 5:
        yield f"augment's noise of {noise:g} drowns bodies that are {middle:.3g} tall in the data's own units"
    if batch.recipe.network.normalisation.scale != "none":
        return
    if tall.max() > 50 * np.percentile(tall, 10):
        yield f"bodies are from {tall.min():.3g} to {tall.max():.3g} tall: several units in one set; convert them"
    elif batch.recipe.network.dims == 3 and not _LEAST_METRES <= middle <= _MOST_METRES:
        unit = next(name for least, name in _UNITS if middle >= least)
        yield (
            f"bodies are {middle:.3g} tall: {unit}, where metres are expected and network.normalisation.scale is "
            '"none"; convert them, or set it to "clip"'
        )
    elif batch.recipe.network.dims == 2 and middle < 3:
        yield (
            f"bodies are {middle:.3g} tall: shares of the image, where pixels are expected and "
            'network.normalisation.scale is "none"; multiply by the image\'s height, or set it to "clip"'
        )


def standing(batch: Batch) -> Iterator[str]:
    """Heads below feet, or bodies that stand along another axis than y."""
    if max(batch.recipe.augment.rotation, batch.recipe.augment.turn) >= 90:
        return
    rise = _mean_rise(batch.bodies, batch.layout)
    rise = rise[np.isfinite(rise).all(axis=1)]
    length = np.linalg.norm(rise, axis=1)
    rise = rise[length > 0] / length[length > 0, None]
    if not len(rise):
        return
    if rise.shape[1] == 3 and (np.abs(rise[:, 2]) > 0.8).mean() > _MOST:
        yield "bodies stand along z, where y is expected to point up; turn the coordinates (x, y, z) to (x, z, -y)"
        return
    if (np.abs(rise[:, 0]) > 0.8).mean() > _MOST:
        yield "bodies lie along x; the coordinates may be exchanged (y, x), or the image turned"
        return
    upright = rise[np.abs(rise[:, 1]) > _UPRIGHT, 1]
    wrong = upright > 0 if rise.shape[1] == 2 else upright < 0
    share = float(wrong.mean()) if len(wrong) else 0.0
    down = "down in images" if rise.shape[1] == 2 else "up in space"
    if share > _MOST:
        yield f"bodies stand on their heads: y is expected to point {down}; change the sign of y"
    elif share > 0.1:
        yield f"{share:.0%} of the bodies stand on their heads, the others do not; y is expected to point {down}"


def sides(batch: Batch) -> Iterator[str]:
    """Left for right: hips against shoulders, and in space toes and knees against both."""
    bodies, layout = batch.bodies, batch.layout
    shoulders, hips = _across(bodies, layout, "shoulder"), _across(bodies, layout, "hip")
    if shoulders is None or hips is None:
        return
    if (_agreement(shoulders, hips) < -0.5).mean() > _MOST:
        yield (
            "left and right are exchanged between shoulders and hips; the joints are in another order than "
            f"{layout.name} has them"
        )
    elif bodies.shape[-1] == 4 and (ahead := _ahead(bodies, layout)) is not None:
        up = np.array([0.0, 1.0, 0.0])
        facing = np.cross(shoulders + hips, up)
        if (_agreement(facing, ahead) < -0.3).mean() > _MOST:
            yield (
                "toes and knees point backwards: left and right are exchanged, or one axis has the wrong sign "
                "(x, y, z must be right-handed)"
            )


def quality(batch: Batch) -> Iterator[str]:
    """What serving would say of such clips, where it says so of many."""
    if batch.recipe.clip.sampling == "uniform":
        return  # frames have no rate any more, and quality is judged by the second
    judged = [_reasons(body, batch) for body in batch.bodies[:_LOOKED_AT]]
    found = Counter(reason for reasons in judged for reason in reasons)
    for reason, count in found.most_common():
        if count > _MANY * len(judged):
            yield f"{reason.value} in {count} of {len(judged)} clips: {IN_WORDS[reason]}"


def _reasons(body: Floats, batch: Batch) -> tuple[Reason, ...]:
    clip = batch.recipe.clip
    try:
        sequence = SkeletonSequence(body[..., :-1], body[..., -1].clip(0, 1), batch.layout, clip.fps)
    except GaitkeeperError:
        return ()
    return assess(sequence, clip, walking=False).reasons


def _place(bodies: Floats, joints: list[int]) -> NDArray[np.float64]:
    """Mean place (bodies, T, dims) of those of the joints that are seen; NaN where none is."""
    seen = (bodies[:, :, joints, -1:] > 0).astype(np.float64)
    count = seen.sum(axis=2)
    total = (bodies[:, :, joints, :-1].astype(np.float64) * seen).sum(axis=2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _named(layout: Layout, *words: str) -> list[int]:
    return [i for i, joint in enumerate(layout.joints) if any(word in joint for word in words)]


def _mean_rise(bodies: Floats, layout: Layout) -> NDArray[np.float64]:
    """From ankles to shoulders (bodies, dims), mean over the frames in which both are seen; NaN where never."""
    rise = _place(bodies, _named(layout, "shoulder")) - _place(bodies, _named(layout, "ankle"))
    seen = np.isfinite(rise).all(axis=2, keepdims=True)
    count = seen.sum(axis=1)
    return np.where(count > 0, np.where(seen, rise, 0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _heights(bodies: Floats, layout: Layout) -> NDArray[np.float64]:
    """From ankles to shoulders (bodies,), and the quarter more that head and feet add."""
    return np.asarray(1.25 * np.linalg.norm(_mean_rise(bodies, layout), axis=1))


def _across(bodies: Floats, layout: Layout, joint: str) -> NDArray[np.float64] | None:
    """From the right joint to the left one (bodies, T, dims); None where the layout has no such pair."""
    left, right = f"left_{joint}", f"right_{joint}"
    if left not in layout or right not in layout:
        return None
    return _place(bodies, [layout.index(left)]) - _place(bodies, [layout.index(right)])


def _ahead(bodies: Floats, layout: Layout) -> NDArray[np.float64] | None:
    """Which way toes point and knees bend (bodies, T, 3); None where the layout has no feet: knees alone mislead.

    A depth camera often sees straight knees bent backwards: in half of KARD's recordings.
    """
    toes = _named(layout, "left_foot", "right_foot", "toe")
    if not toes or any(f"left_{joint}" not in layout for joint in ("hip", "knee", "ankle")):
        return None
    hip, knee, ankle = (_place(bodies, _named(layout, f"left_{j}", f"right_{j}")) for j in ("hip", "knee", "ankle"))
    ahead: NDArray[np.float64] = 2 * knee - hip - ankle + _place(bodies, toes) - ankle
    return ahead


def _agreement(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine of two directions over all frames of each body (bodies,), in -1 .. 1; 0 where nothing is known."""
    product = np.nansum((first * second).sum(axis=2), axis=1)
    lengths = np.nansum(np.linalg.norm(first, axis=2) * np.linalg.norm(second, axis=2), axis=1)
    return np.where(lengths > 0, product / np.maximum(lengths, 1e-12), 0.0)
