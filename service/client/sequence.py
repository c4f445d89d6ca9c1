"""A skeleton sequence as this client sends it: raw float32, which the service takes fastest."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

MEDIA_TYPE = "application/octet-stream"
_CHANNELS = {(2, False): "xy", (2, True): "xyc", (3, False): "xyz", (3, True): "xyzc"}


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """The frames of one person.

    joints: (frames, joints, 2 or 3). layout: the name of the joints and their order, such as `coco-17`. fps: frames a
    second. confidence: (frames, joints) in 0..1, where 0 means missing; 1 everywhere if not given. units: `pixels` (y
    down), `normalised` (of the image; with `aspect`, its width / height) or `metres` (y up).
    Raises ValueError for arrays that do not fit together; what else is wrong the service says.
    """

    joints: ArrayLike
    layout: str
    fps: float
    confidence: ArrayLike | None = None
    units: Literal["pixels", "normalised", "metres"] = "pixels"
    aspect: float | None = None

    def packed(self) -> tuple[bytes, dict[str, str]]:
        """The body, and the header fields that say what it is."""
        joints: NDArray[Any] = np.asarray(self.joints, np.float32)
        if joints.ndim != 3 or joints.shape[2] not in (2, 3):
            raise ValueError(f"joints must be (frames, joints, 2 or 3), got {joints.shape}")
        parts = [joints]
        if self.confidence is not None:
            confidence = np.asarray(self.confidence, np.float32)
            if confidence.shape != joints.shape[:2]:
                raise ValueError(f"confidence must be {joints.shape[:2]}, got {confidence.shape}")
            parts.append(confidence[..., None])
        array = np.concatenate(parts, axis=2).astype("<f4", copy=False)
        headers = {
            "Content-Type": MEDIA_TYPE,
            "X-Shape": ",".join(map(str, array.shape)),
            "X-Channels": _CHANNELS[joints.shape[2], self.confidence is not None],
            "X-Layout": self.layout,
            "X-Fps": repr(float(self.fps)),
            "X-Units": self.units,
        }
        if self.aspect is not None:
            headers["X-Aspect"] = repr(float(self.aspect))
        return array.tobytes(), headers
