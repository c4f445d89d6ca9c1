"""Three-dimensional joints seen by a pinhole camera: what a 2-D model needs of a 3-D recording."""

from dataclasses import replace

import numpy as np

from model.errors import InvalidSequence
from model.sequence import SkeletonSequence, Units

FOCAL_PIXELS = 1000.0
DISTANCE_M = 4.0


def project(sequence: SkeletonSequence) -> SkeletonSequence:
    """Metres (right-handed, y up) to pixels (x right, y down), through a level pinhole camera that looks along z.

    Looking along z with y up, x points to the left of the image.
    Data of a depth camera lie in front of it (z > 0) and are projected as they are. Other 3-D data have no
    camera; they are seen from `DISTANCE_M` in front of the mean of all joints. Raises `InvalidSequence` if the
    sequence is not in metres.
    """
    if sequence.units is not Units.METRES:
        raise InvalidSequence("units", f"only metres can be projected, not {sequence.units}")
    seen = sequence.confidence > 0
    if not seen.any():
        return replace(sequence, joints=sequence.joints[..., :2], units=Units.PIXELS)
    points = sequence.joints.astype(np.float64)
    nearest = points[seen][:, 2].min()
    if nearest < 0.5:
        centre = points[seen].mean(axis=0)
        points = points - [centre[0], centre[1], nearest - DISTANCE_M]
    depth = np.where(seen, points[..., 2], 1.0)
    image = -points[..., :2] * (FOCAL_PIXELS / depth[..., None])
    return replace(sequence, joints=np.where(seen[..., None], image, 0).astype(np.float32), units=Units.PIXELS)
