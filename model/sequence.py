"""A skeleton sequence: the frames of one subject, valid by construction."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.errors import InvalidSequence, LayoutMismatch
from model.layout import Layout

Floats: TypeAlias = NDArray[np.float32]

COORDINATE_LIMIT = 1e5
FPS_LIMIT = 1000.0


class Units(StrEnum):
    """What one unit of a coordinate is, and which way the axes point.

    `PIXELS`: x to the right, y down. `NORMALISED`: x divided by image width and y by image height, y down;
    needs `aspect`. `METRES`: three axes, right-handed, y up.
    """

    PIXELS = "pixels"
    NORMALISED = "normalised"
    METRES = "metres"


@dataclass(frozen=True, slots=True, eq=False)
class SkeletonSequence:
    """Frames of one subject.

    joints: (frames, joints, 2 or 3), finite, |coordinate| < 1e5; zero where the joint is missing.
    confidence: (frames, joints) in [0, 1]; 0 means missing.
    fps: frames a second. aspect: image width / height, wanted for normalised coordinates.

    Raises `InvalidSequence`, naming the field. Both arrays are copied, float32, and read-only.
    """

    joints: Floats
    confidence: Floats
    layout: Layout
    fps: float
    units: Units = Units.PIXELS
    aspect: float | None = None

    def __post_init__(self) -> None:
        joints = _as_floats("joints", self.joints)
        confidence = _as_floats("confidence", self.confidence)
        self._check_shapes(joints, confidence)
        lowest, highest = _range("joints", joints)
        least, most = _range("confidence", confidence)
        if not 0 < self.fps <= FPS_LIMIT:
            raise InvalidSequence("fps", f"must be above 0 and at most {FPS_LIMIT:g}, got {self.fps:g}")
        if not math.isfinite(len(joints) / float(self.fps) * FPS_LIMIT):  # at any other rate, too
            raise InvalidSequence("fps", f"is so low ({self.fps:g}) that the sequence would have no end")
        if self.aspect is not None and not 0.1 <= self.aspect <= 10:
            raise InvalidSequence("aspect", f"width / height must be in [0.1, 10], got {self.aspect:g}")
        if self.units is Units.METRES and joints.shape[2] != 3:
            raise InvalidSequence("units", "metres need three coordinates a joint")
        if least < 0 or most > 1:
            raise InvalidSequence("confidence", "must lie in [0, 1]")
        if max(-lowest, highest) >= COORDINATE_LIMIT:
            raise InvalidSequence("joints", f"coordinates must be below {COORDINATE_LIMIT:g}")
        if least == 0:
            joints[confidence == 0] = 0.0
        joints.setflags(write=False)
        confidence.setflags(write=False)
        object.__setattr__(self, "joints", joints)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "fps", float(self.fps))

    def _check_shapes(self, joints: Floats, confidence: Floats) -> None:
        if joints.ndim != 3 or joints.shape[2] not in (2, 3):
            raise InvalidSequence("joints", f"must be (frames, joints, 2 or 3), got {joints.shape}")
        if joints.shape[0] == 0:
            raise InvalidSequence("joints", "there are no frames")
        if joints.shape[1] != self.layout.count:
            raise LayoutMismatch(self.layout.name, f"{joints.shape[1]} joints", f"it has {self.layout.count}")
        if confidence.shape != joints.shape[:2]:
            raise InvalidSequence("confidence", f"must be {joints.shape[:2]}, got {confidence.shape}")

    @classmethod
    def with_full_confidence(
        cls, joints: ArrayLike, layout: Layout, fps: float, units: Units = Units.PIXELS, aspect: float | None = None
    ) -> Self:
        """A sequence whose source gives no confidence: 1 everywhere, 0 at joints that are not finite."""
        array: Floats = np.array(joints, dtype=np.float32)
        seen = np.isfinite(array).all(axis=-1)
        array[~seen] = 0.0
        return cls(array, np.asarray(seen, dtype=np.float32), layout, fps, units, aspect)

    @property
    def frames(self) -> int:
        return int(self.joints.shape[0])

    @property
    def dims(self) -> int:
        return int(self.joints.shape[2])

    @property
    def seconds(self) -> float:
        return self.frames / self.fps

    def slice(self, start: int, stop: int) -> Self:
        """Frames [start, stop)."""
        return replace(self, joints=self.joints[start:stop], confidence=self.confidence[start:stop])


def _as_floats(field: str, values: ArrayLike) -> Floats:
    if isinstance(values, np.ndarray) and values.dtype == np.float32:
        return np.array(values)
    try:
        with np.errstate(over="ignore"):  # becomes infinite, and is refused as such
            array: Floats = np.array(values, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidSequence(field, "is not a regular array of numbers") from error
    return array


def _range(field: str, array: Floats) -> tuple[float, float]:
    """The least and the largest number, which are NaN where any is."""
    lowest, highest = float(array.min()), float(array.max())
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        raise InvalidSequence(field, "must be finite (no NaN, no infinity)")
    return lowest, highest
