"""One sequence as every media type says it: arguments of a request."""

import io
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from model.readers.recording import Track
from model.sequence import Floats, SkeletonSequence
from model.writing import to_json, to_npz
from tests.service.conftest import as_json

MEDIA = ("json", "msgpack", "npy", "raw", "file", "npz")
ALONE = ("json", "msgpack", "npy", "raw")


def array_of(sequence: SkeletonSequence) -> Floats:
    """(frames, joints, coordinates + confidence)."""
    return np.concatenate([sequence.joints, sequence.confidence[..., None]], axis=-1)


def headers_of(sequence: SkeletonSequence) -> dict[str, str]:
    """What an array is, as header fields."""
    found = {"X-Layout": sequence.layout.name, "X-Fps": str(sequence.fps), "X-Units": sequence.units.value}
    found["X-Channels"] = "xyzc" if sequence.dims == 3 else "xyc"
    return found if sequence.aspect is None else {**found, "X-Aspect": str(sequence.aspect)}


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def raw(array: Floats, headers: Mapping[str, str]) -> dict[str, Any]:
    shape = ",".join(str(size) for size in array.shape)
    kind = {"Content-Type": "application/octet-stream", "X-Shape": shape}
    return {"content": array.astype("<f4").tobytes(), "headers": {**headers, **kind}}


def as_npy(array: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    return {"content": npy(array), "headers": {**headers, "Content-Type": "application/x-npy"}}


def files(*sent: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    return {"files": [("file", each) for each in sent], "data": fields}


def said(media: str, sequence: SkeletonSequence, **asked: Any) -> dict[str, Any]:
    """The sequence as that media type says it, and what is asked about it."""
    body = {"sequence": as_json(sequence), **asked}
    if media == "json":
        return {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    if media == "msgpack":
        return {"content": msgspec.msgpack.encode(body), "headers": {"Content-Type": "application/msgpack"}}
    params = {name: value if isinstance(value, str) else json.dumps(value) for name, value in asked.items()}
    if media == "raw":
        return {**raw(array_of(sequence), headers_of(sequence)), "params": params}
    if media == "npy":
        return {**as_npy(array_of(sequence), headers_of(sequence)), "params": params}
    file = to_npz(sequence) if media == "npz" else to_json([Track("1", sequence)])
    return {**files((f"walk.{media}", file)), "params": params}
