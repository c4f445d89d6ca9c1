"""A skeleton drawn small: bones in grey, joints coloured by how much a network hangs on them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from model.layout import Layout

COLOURS = "RdBu_r"
"""Blue for little weight, red for much, as the paper's Fig. 3 has them."""


@dataclass(frozen=True, eq=False)
class Pose:
    """One frame of somebody. joints: (V, 2), y up; seen: (V,) bool; weight: (V,) in [0, 1], for the colour."""

    layout: Layout
    joints: NDArray[np.float64]
    seen: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def fitted(self, centre: tuple[float, float], side: float) -> NDArray[np.float64]:
        """The joints (V, 2) moved and scaled into a square of that side, its proportions kept."""
        shown = self.joints[self.seen]
        low, high = shown.min(axis=0), shown.max(axis=0)
        scale = side / max(float((high - low).max()), 1e-9)
        return np.asarray((self.joints - (low + high) / 2) * scale + np.asarray(centre))


def draw_pose(axes: Any, pose: Pose, centre: tuple[float, float], side: float, dot: float = 20.0) -> None:
    """In the axes' data units; a bone is drawn where both its ends were seen. dot: area of a joint of mean weight."""
    if not pose.seen.any():
        return
    at = pose.fitted(centre, side)
    bones = [
        (at[joint], at[parent])
        for joint, parent in enumerate(pose.layout.parents)
        if joint != parent and pose.seen[joint] and pose.seen[parent]
    ]
    axes.add_collection(LineCollection(bones, colors="#9aa3b2", linewidths=1.3, zorder=3))
    size = dot * (0.5 + pose.weight[pose.seen])
    axes.scatter(
        *at[pose.seen].T, c=pose.weight[pose.seen], s=size, cmap=COLOURS, vmin=0, vmax=1, zorder=4,
        edgecolors="#1d2330", linewidths=0.3,
    )  # fmt: skip


def spread_weights(weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (V,) of any size as [0, 1]: the least 0, the greatest 1; all 0.5 where they are equal.

    >>> spread_weights(np.array([1.0, 3.0, 2.0])).tolist()
    [0.0, 1.0, 0.5]
    """
    low, high = float(weight.min()), float(weight.max())
    return np.asarray((weight - low) / (high - low)) if high > low else np.full(weight.shape, 0.5)
