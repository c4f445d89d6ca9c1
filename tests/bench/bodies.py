"""One sequence as each kind of body that /identify takes: path, body, headers."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np

from model.sequence import SkeletonSequence

Asked: TypeAlias = tuple[str, bytes, Mapping[str, str]]
PATH = "/identify"


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    of: Callable[[SkeletonSequence], Asked]


def raw(probe: SkeletonSequence) -> Asked:
    values = _with_confidence(probe)
    shape = ",".join(str(size) for size in values.shape)
    return PATH, values.tobytes(), {"Content-Type": "application/octet-stream", "X-Shape": shape, **_about(probe)}


def npy(probe: SkeletonSequence) -> Asked:
    file = io.BytesIO()
    np.save(file, _with_confidence(probe))
    return PATH, file.getvalue(), {"Content-Type": "application/x-npy", **_about(probe)}


def in_json(probe: SkeletonSequence) -> Asked:
    return PATH, json.dumps({"sequence": _document(probe)}, separators=(",", ":")).encode(), {}


def msgpack(probe: SkeletonSequence) -> Asked:
    return PATH, msgspec.msgpack.encode({"sequence": _document(probe)}), {"Content-Type": "application/msgpack"}


def _with_confidence(probe: SkeletonSequence) -> np.ndarray[Any, Any]:
    return np.concatenate([probe.joints, probe.confidence[..., None]], axis=-1).astype("<f4")


def _about(probe: SkeletonSequence) -> dict[str, str]:
    return {"X-Layout": probe.layout.name, "X-Fps": f"{probe.fps:g}", "X-Channels": "xyc"}


def _document(probe: SkeletonSequence) -> dict[str, Any]:
    """With a pose estimator's precision: a tenth of a pixel, a hundredth of confidence."""
    return {
        "layout": probe.layout.name,
        "fps": probe.fps,
        "joints": probe.joints.astype(float).round(1).tolist(),
        "confidence": probe.confidence.astype(float).round(2).tolist(),
    }


KINDS = (Kind("raw", raw), Kind("npy", npy), Kind("msgpack", msgpack), Kind("json", in_json))
