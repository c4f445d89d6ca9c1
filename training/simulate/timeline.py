"""Angles over time: keyframes with eased passages between them, and the poses they make."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from training.simulate import skeleton
from training.simulate.skeleton import Doubles, Pose


def eased(at: Doubles, *keys: tuple[float, float]) -> Doubles:
    """Values at times `at` (T,) of keyframes (time, value) in order, held outside of them, smooth in between.

    >>> eased(np.array([0.0, 1.0, 1.5, 2.0, 9.0]), (1.0, 0.0), (2.0, 4.0)).tolist()
    [0.0, 0.0, 2.0, 4.0, 4.0]
    """
    value = np.full(at.shape, keys[0][1])
    for (start, before), (stop, after) in pairwise(keys):
        part = np.clip((at - start) / max(stop - start, 1e-6), 0, 1)
        value = value + (after - before) * part * part * (3 - 2 * part)
    return value


@dataclass(slots=True)
class Motion:
    """Pose angles of one recording in degrees, (T,) each, by name; "left_" and "right_" before sided ones.

    Angles not mentioned have their value at rest. yaw: degrees turned to the left, the way the person faces.
    """

    seconds: Doubles
    angles: dict[str, Doubles | float] = field(default_factory=dict)
    yaw: Doubles | float = 0.0

    def set(self, **degrees: Doubles | float) -> "Motion":
        self.angles.update(degrees)
        return self

    def both(self, **degrees: Doubles | float) -> "Motion":
        """Set an angle on the left and on the right."""
        for name, value in degrees.items():
            self.angles[f"left_{name}"] = self.angles[f"right_{name}"] = value
        return self


def pose_of(motions: Sequence[Motion], wander: Doubles, rest: Sequence[dict[str, float]]) -> Pose:
    """Pose of recordings of equal length, (R, T): angles plus wandering (R, T, angles) in degrees.

    `rest` gives each recording's angles where it says nothing else; `lateral` is in metres.
    """
    names = [*skeleton.CENTRAL, *(f"{side}_{n}" for side in ("left", "right") for n in skeleton.SIDED)]
    rows = np.stack([_row(motion, names, r) for motion, r in zip(motions, rest, strict=True)])
    still = np.array([not name.endswith(("lateral", "foot", "thigh", "knee", "bow")) for name in names])
    values = rows + wander[..., : len(names)] * still
    metres = np.array([name.endswith("lateral") for name in names])
    values = np.where(metres, values, np.radians(values))
    central = {name: values[..., i] for i, name in enumerate(skeleton.CENTRAL)}
    limbs = values[..., len(skeleton.CENTRAL) :].reshape(*values.shape[:-1], 2, len(skeleton.SIDED))
    return Pose(**central, **{name: limbs[..., i] for i, name in enumerate(skeleton.SIDED)})


def _row(motion: Motion, names: list[str], rest: dict[str, float]) -> Doubles:
    still = np.zeros(len(motion.seconds))
    return np.stack([motion.angles.get(name, rest.get(name, 0.0)) + still for name in names], axis=-1)
