"""Our own JSON: the form of a file and of the `sequence` of a request.

    {"layout": "coco-17", "fps": 25.0, "units": "pixels" | "normalised" | "metres", "aspect": 1.78 | null,
     "joints": [frame][joint][x, y(, z)], "confidence": [frame][joint] | null}

Several people: {"tracks": [{"name": "a", "first_frame": 0, "labels": {}, "sequence": {...}}, ...]}. `fps` may be
left out where the reader is told, `units` where coordinates leave no doubt. Unknown keys are refused, since a
misspelt `confidence` would otherwise count as full confidence.
"""

from types import MappingProxyType
from typing import Literal

import msgspec
import numpy as np

from model.errors import UnreadableFile
from model.layout import Layout
from model.limits import FILE_FRAMES
from model.named_layouts import layout_named
from model.readers.arrays import regular
from model.readers.assemble import units_of
from model.readers.document import Document, decode
from model.readers.recording import Hints, Recording, Track
from model.sequence import Floats, SkeletonSequence, Units

FORMAT = "gaitkeeper"


class SequenceJson(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, tag=False):
    """One sequence."""

    layout: str
    joints: list[list[list[float]]]
    confidence: list[list[float]] | None = None
    fps: float | None = None
    units: Literal["pixels", "normalised", "metres"] | None = None
    aspect: float | None = None
    format: Literal["gaitkeeper"] = "gaitkeeper"


class TrackJson(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One named sequence of several."""

    name: str
    sequence: SequenceJson
    first_frame: int = 0
    labels: dict[str, str] = {}


class TracksJson(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Several people."""

    tracks: list[TrackJson]
    format: Literal["gaitkeeper"] = "gaitkeeper"


def matches(document: Document) -> bool:
    keys = set(document.members)
    return {"layout", "joints"} <= keys or "tracks" in keys


def read(document: Document, hints: Hints) -> Recording:
    """Raises `UnreadableFile`, `InvalidSequence`, `UnknownLayout` or `LimitExceeded`, naming the field."""
    source = document.source
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    if "tracks" in document.members:
        several: TracksJson = decode(source, data, TracksJson)
        read_in = [(track, *_sequence(track.sequence, hints, source.name)) for track in several.tracks]
        tracks = tuple(
            Track(track.name, sequence, track.first_frame, MappingProxyType(track.labels))
            for track, sequence, _ in read_in
        )
        return Recording(FORMAT, tracks, tuple({note: None for *_, said in read_in for note in said}), source.name)
    single: SequenceJson = decode(source, data, SequenceJson)
    sequence, notes = _sequence(single, hints, source.name)
    return Recording(FORMAT, (Track("1", sequence),), notes, source.name)


def _sequence(raw: SequenceJson, hints: Hints, source: str) -> tuple[SkeletonSequence, tuple[str, ...]]:
    layout = layout_named(raw.layout)
    joints = _joints(raw.joints, layout, source)
    if raw.confidence is None:
        confidence = np.ones(joints.shape[:2], np.float32)
    else:
        confidence = regular(raw.confidence, source, "confidence", layout.count)
    fps, notes = hints.rate(raw.fps)
    if raw.units is not None:
        units = Units(raw.units)
    else:
        units = Units.METRES if joints.shape[2] == 3 else units_of([np.concatenate([joints, confidence[..., None]], 2)])
        notes += (f"units_unknown: assumed {units}",)
    aspect = (hints.ratio or raw.aspect) if units is Units.NORMALISED else raw.aspect
    return SkeletonSequence(joints, confidence, layout, fps, units, aspect), notes


def _joints(rows: list[list[list[float]]], layout: Layout, source: str) -> Floats:
    if len(rows) > FILE_FRAMES:
        raise UnreadableFile(source, f"joints: {len(rows)} frames; at most {FILE_FRAMES} are read")
    if not rows:
        raise UnreadableFile(source, "joints: there are no frames")
    for i, frame in enumerate(rows):
        if len(frame) != layout.count:
            reason = f"joints[{i}]: {len(frame)} joints where {layout.name} has {layout.count}"
            raise UnreadableFile(source, reason)
    dims = len(rows[0][0])
    if dims not in (2, 3):
        raise UnreadableFile(source, f"joints[0][0]: {dims} coordinates where 2 or 3 are expected")
    flat = regular([joint for frame in rows for joint in frame], source, "joint", dims)
    return flat.reshape(len(rows), layout.count, dims)
