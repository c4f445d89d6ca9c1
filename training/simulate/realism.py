"""Is the simulated data as hard as people are? Identification by simple features, nearest neighbour, same view.

`bones`: lengths of limbs in the image relative to one another; what a body gives away without moving. `motion`: means,
harmonics and timing of limb directions; what is left when every body has the same size. A simulator whose subjects are
told apart by their bones alone is too easy (above 99 %), one where motion is at chance teaches nothing.
Both are learned on the first half of the subjects (within-class whitening) and tested on the others, with gallery
NM1-4 and probes NM5-6, BG and CL as CASIA-B has them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.simulate.skeleton import Doubles

TOO_EASY = 0.99
# COCO-17 pairs: limbs, shoulder and hip lines, sides of the trunk, ears to shoulders, nose to ears.
_BONES = np.array(
    [5, 7, 7, 9, 6, 8, 8, 10, 11, 13, 13, 15, 12, 14, 14, 16, 5, 6, 11, 12, 5, 11, 6, 12, 3, 5, 4, 6, 0, 3, 0, 4]
).reshape(-1, 2)
_HARMONICS = 3
_VIEWS = 24  # more than these are not the views of a protocol


@dataclass(frozen=True, slots=True)
class Realism:
    """Rank-1 shares (0 to 1). people: how many were tested.

    bones, motion: by condition, same view. across, motion_across: bones and motion together, and motion alone, normal
    walks, different views.
    """

    people: int
    bones: dict[str, float]
    motion: dict[str, float]
    across: float
    motion_across: float

    @property
    def too_easy(self) -> bool:
        return self.bones.get("nm", 0.0) > TOO_EASY

    def lines(self) -> list[str]:
        """What is printed beside every simulated result."""

        def shares(scores: dict[str, float]) -> str:
            return ", ".join(f"{condition} {100 * score:.1f} %" for condition, score in scores.items())

        lines = [
            f"bone lengths alone, same view: {shares(self.bones)} of {self.people} people",
            f"body size removed (motion alone), same view: {shares(self.motion)}",
            f"across views, nm: both {100 * self.across:.1f} %, motion alone {100 * self.motion_across:.1f} %; "
            f"chance {100 / max(self.people, 1):.1f} %",
        ]
        return [*lines, "bone lengths alone identify: the simulator is too easy"] if self.too_easy else lines


def check(walkers: SequenceSet) -> Realism:
    """Both checks on simulated (or real) COCO-17 walkers with CASIA-B's labels.

    Views that are all different, as random cameras have them, count as the same within sectors of 30 degrees. With
    fewer than four people all are learned on and tested.
    """
    walkers = _by_sector(walkers)
    people = np.unique(walkers.subject)
    tested = np.isin(walkers.subject, people[len(people) // 2 :] if len(people) > 3 else people)
    learned = ~tested if len(people) > 3 else tested
    raw = _features(walkers, bone_features), _features(walkers, motion_features)
    bones, motion = (_whitened(features, walkers, learned) for features in raw)
    both, moving = (_view_free(features, walkers, learned) for features in (np.concatenate(raw, axis=1), raw[1]))
    test = walkers.select(tested)
    return Realism(
        len(np.unique(test.subject)),
        _by_condition(bones[tested], test),
        _by_condition(motion[tested], test),
        _rank1(both[tested], test, "nm", across=True),
        _rank1(moving[tested], test, "nm", across=True),
    )


def _by_sector(walkers: SequenceSet) -> SequenceSet:
    if len(np.unique(walkers.view)) <= _VIEWS:
        return walkers
    middle = np.round(walkers.view.astype(np.float64) / 30).astype(np.int64) * 30 % 360
    return replace(walkers, view=np.array([f"{view:03d}" for view in middle]))


def _features(walkers: SequenceSet, of: Callable[[Floats, float], Doubles]) -> Doubles:
    return np.stack([of(walkers.clip_frames(i), walkers.fps_of(i)) for i in range(len(walkers))])


def bone_vectors(frames: Floats) -> tuple[Doubles, NDArray[np.bool_]]:
    """Image vectors (T, 16, 2) of the bones in frames (T, 17, 3), and which have both ends seen."""
    ends: NDArray[np.bool_] = frames[:, _BONES, 2] > 0
    seen: NDArray[np.bool_] = ends[..., 0] & ends[..., 1]
    return (frames[:, _BONES[:, 1], :2] - frames[:, _BONES[:, 0], :2]).astype(np.float64), seen


def bone_features(frames: Floats, _: float = 25.0) -> Doubles:
    """Mean and 90th percentile of the lengths of 16 bones relative to the size of the body in each frame, (32,)."""
    vectors, seen = bone_vectors(frames)
    lengths = np.linalg.norm(vectors, axis=-1)
    size = _mean_seen(lengths[:, 4:], seen[:, 4:], axis=1)[:, None]
    shares = lengths / np.maximum(size, 1e-6)
    kept = np.where(seen, shares, _mean_seen(shares, seen, axis=0))
    return np.concatenate([kept.mean(axis=0), np.percentile(kept, 90, axis=0)])


def _mean_seen(values: Doubles, seen: NDArray[np.bool_], axis: int) -> Doubles:
    """Mean over the values that were seen; 0 where none was."""
    total: Doubles = np.where(seen, values, 0.0).sum(axis=axis)
    mean: Doubles = total / np.maximum(seen.sum(axis=axis), 1)
    return mean


def motion_features(frames: Floats, fps: float) -> Doubles:
    """Directions of 16 bones, their harmonics at the stride's frequency, and cadence, (1 + 16 * 2 * 7,).

    Lengths play no part: every bone counts as one long. Phases are relative to the legs' own swing.
    """
    vectors, seen = bone_vectors(frames)
    direction = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)
    both = np.repeat(seen[..., None], 2, axis=-1)
    direction = np.where(both, direction, _mean_seen(direction, both, axis=0))
    scissors = direction[:, 4, 0] - direction[:, 6, 0] + 0.5 * (direction[:, 5, 0] - direction[:, 7, 0])
    lift = direction[:, 5, 1] - direction[:, 7, 1]
    stride = _frequency(scissors, lift, fps)
    turns = 2 * np.pi * stride * np.arange(len(frames)) / fps
    basis = np.exp(-1j * turns[:, None] * np.arange(_HARMONICS + 1))
    spectrum = np.einsum("tk,tbd->kbd", basis, direction) / len(frames)
    lead = spectrum[1, 5, 1] - spectrum[1, 7, 1]
    turn = (lead / max(abs(lead), 1e-9)).conj() ** np.arange(_HARMONICS + 1)
    aligned = 2 * spectrum * turn[:, None, None]
    parts = [
        aligned[0].real / 2,
        *(part for k in range(1, _HARMONICS + 1) for part in (aligned[k].real, aligned[k].imag)),
    ]
    return np.concatenate([[stride], np.stack(parts).ravel()])


def _frequency(scissors: Doubles, lift: Doubles, fps: float) -> float:
    """Strides a second: the strongest frequency of the legs between 0.6 and 1.3."""
    candidates = np.arange(0.6, 1.3, 0.01)
    window = np.hanning(len(lift))
    waves = np.exp(-2j * np.pi * candidates[:, None] * np.arange(len(lift)) / fps) * window
    power = sum(np.abs(waves @ (signal - signal.mean())) ** 2 for signal in (scissors, lift))
    return float(candidates[np.argmax(power)])


def _whitened(features: Doubles, walkers: SequenceSet, learned: NDArray[np.bool_]) -> Doubles:
    """Features per view turned and scaled so that one person's walks scatter equally in all directions."""
    out = np.zeros_like(features)
    for view in np.unique(walkers.view):
        here = walkers.view == view
        scaled = features / (features[here].std(axis=0) + 1e-9)
        known = here & learned & (walkers.condition == "nm")
        out[here] = (scaled[here] - scaled[here].mean(axis=0)) @ _whitening(scaled[known], walkers.subject[known])
    return out


def _whitening(features: Doubles, owners: NDArray[np.str_]) -> Doubles:
    """The matrix after which features scatter around their owner's mean equally in all directions."""
    if len(features) < 2:
        return np.eye(features.shape[1])
    within = np.concatenate([features[owners == p] - features[owners == p].mean(axis=0) for p in np.unique(owners)])
    values, axes = np.linalg.eigh(within.T @ within / len(within))
    whitening: Doubles = axes / np.sqrt(values + 0.1 * values.mean() + 1e-9)
    return whitening


def _view_free(features: Doubles, walkers: SequenceSet, learned: NDArray[np.bool_]) -> Doubles:
    """What linear regression makes of one view about the person in all views, (n, up to 40), whitened.

    The target is, for each person learned on, their mean in every view, reduced to its principal components.
    """
    views, people = np.unique(walkers.view), np.unique(walkers.subject[learned])
    known = learned & (walkers.condition == "nm")
    scaled, means = np.zeros_like(features), []
    for view in views:
        here = walkers.view == view
        spread = features[here].std(axis=0) + 1e-9
        scaled[here] = (features[here] - features[here].mean(axis=0)) / spread
        chosen = [known & here & (walkers.subject == p) for p in people]
        means.append(np.stack([scaled[c].mean(axis=0) if c.any() else 0 * spread for c in chosen]))
    left, strength, _ = np.linalg.svd(np.concatenate(means, axis=1), full_matrices=False)
    target = (left * strength)[:, :40] / max(float(strength[0]), 1e-9)
    guess = np.zeros((len(features), target.shape[1]))
    for view in views:
        here = walkers.view == view
        sample = scaled[here & known]
        wanted = target[np.searchsorted(people, walkers.subject[here & known])]
        inner = sample.T @ sample + 300 * np.eye(sample.shape[1])
        guess[here] = scaled[here] @ np.linalg.solve(inner, sample.T @ wanted)
    return guess @ _whitening(guess[known], walkers.subject[known])


def _by_condition(features: Doubles, walkers: SequenceSet) -> dict[str, float]:
    present = [c for c in ("nm", "bg", "cl") if (walkers.condition == c).any()]
    return {condition: _rank1(features, walkers, condition) for condition in present}


def _rank1(features: Doubles, walkers: SequenceSet, condition: str, *, across: bool = False) -> float:
    """Share of probes whose nearest gallery sequence is of the same person; mean over views or pairs of views."""
    run = np.array([int(name.split("-")[1]) for name in walkers.sequence_name])
    gallery = (walkers.condition == "nm") & (run <= 4)
    probes = (walkers.condition == condition) & ~gallery
    views, scores = np.unique(walkers.view), []
    for at in views:
        for seen in views if across else [at]:
            if across and seen == at:
                continue
            g, p = np.flatnonzero(gallery & (walkers.view == at)), np.flatnonzero(probes & (walkers.view == seen))
            if not len(g) or not len(p):
                continue
            a, b = features[p], features[g]
            distance = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
            scores.append(float((walkers.subject[g[distance.argmin(axis=1)]] == walkers.subject[p]).mean()))
    return float(np.mean(scores)) if scores else 0.0
