"""Three-dimensional joints seen by a pinhole camera: what a 2-D model needs of a 3-D recording."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidSequence
from model.sequence import Floats, SkeletonSequence, Units

FOCAL_PIXELS = 1000.0
DISTANCE_M = 4.0
NEAREST_M = 0.5


def project(sequence: SkeletonSequence) -> SkeletonSequence:
    """Metres (right-handed, y up) to pixels (x right, y down), through a level pinhole camera that looks along z.

    Looking along z with y up, x points to the left of the image.
    Data of a depth camera lie in front of it (z > 0) and are projected as they are. Other 3-D data have no
    camera; they are seen from `DISTANCE_M` in front of the mean of all joints. Raises `InvalidSequence` if the
    sequence is not in metres.
    """
    return project_together([sequence])[0]


def project_together(people: Sequence[SkeletonSequence]) -> tuple[SkeletonSequence, ...]:
    """The same of several people before one camera, so that who stands where is kept."""
    for sequence in people:
        if sequence.units is not Units.METRES:
            raise InvalidSequence("units", f"only metres can be projected, not {sequence.units}")
    origin = _origin(np.concatenate([sequence.joints[sequence.confidence > 0] for sequence in people]))
    return tuple(_seen_from(sequence, origin) for sequence in people)


def _origin(points: Floats) -> NDArray[np.float64]:
    """Where the camera is; points: (n, 3), all that is seen."""
    if not len(points) or points[:, 2].min() >= NEAREST_M:
        return np.zeros(3)
    centre = points.astype(np.float64).mean(axis=0)
    return np.array([centre[0], centre[1], points[:, 2].astype(np.float64).min() - DISTANCE_M])


def _seen_from(sequence: SkeletonSequence, origin: NDArray[np.float64]) -> SkeletonSequence:
    seen = sequence.confidence > 0
    points = sequence.joints.astype(np.float64) - origin
    depth = np.where(seen, points[..., 2], 1.0)
    image = -points[..., :2] * (FOCAL_PIXELS / depth[..., None])
    return replace(sequence, joints=np.where(seen[..., None], image, 0).astype(np.float32), units=Units.PIXELS)
