"""Two kinds of npz, both without pickles.

Ours: arrays `joints` (T, V, 2 or 3) and `confidence` (T, V), scalars `layout`, `fps`, `units`, `aspect` (NaN where
unknown). Sequences end to end: `frames` (total, V, channels) and `offsets` (n + 1,), so that sequence i is
`frames[offsets[i]:offsets[i + 1]]`; `joints` names the joints, or `layout` the layout; `fps`, or `fps_seq` for each;
`subject`, `condition`, `view`, `sequence`, `action`, `part`, `run` are labels. Channels are coordinates and, where
`format` says so or there are four, confidence last. Each sequence is a track.
"""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import LimitExceeded
from model.layout import Layout
from model.limits import FILE_FRAMES
from model.named_layouts import layout_named
from model.readers.archive import Arrays, open_archive
from model.readers.assemble import clean
from model.readers.joint_names import layout_by_names
from model.readers.recording import Hints, Recording, Track
from model.readers.source import Source
from model.sequence import Floats, SkeletonSequence, Units

FORMAT = "gaitkeeper-npz"
SEQUENCES = "sequences-npz"
LABELS = ("subject", "condition", "view", "sequence", "action", "part", "run")


def read(source: Source, hints: Hints) -> Recording:
    """Raises `UnreadableFile`, `InvalidSequence` or `LimitExceeded`, naming the array."""
    arrays = open_archive(source)
    if {"frames", "offsets"} <= set(arrays):
        return _sequences(source, arrays, hints)
    if "joints" not in arrays or arrays["joints"].dtype.kind not in "fiu":
        there = ", ".join(sorted(arrays)[:8]) or "nothing"
        source.fail(f"is an npz with {there}; `joints` and `layout`, or `frames` and `offsets`, are expected")
    return _own(source, arrays, hints)


def _own(source: Source, arrays: Arrays, hints: Hints) -> Recording:
    if "layout" not in arrays and hints.layout is None:
        source.fail("layout: is not in the file; say which one it is")
    layout = layout_named(hints.layout or _text(source, arrays, "layout"))
    fps, notes = hints.rate(_number(source, arrays, "fps"))
    units = _units(source, _text(source, arrays, "units")) if "units" in arrays else None
    if units is None:
        source.fail("units: is not in the file; pixels, normalised or metres")
    if len(joints := arrays["joints"]) > FILE_FRAMES:
        raise LimitExceeded(f"frames of {source.name}", FILE_FRAMES, len(joints))
    confidence = arrays.get("confidence")
    if confidence is None:
        confidence = np.ones(joints.shape[:2], np.float32)
    aspect = hints.ratio or _number(source, arrays, "aspect")
    with np.errstate(over="ignore"):
        sequence = SkeletonSequence(joints, confidence, layout, fps, units, aspect)
    return Recording(FORMAT, (Track("1", sequence),), notes, source.name)


def _sequences(source: Source, arrays: Arrays, hints: Hints) -> Recording:
    frames, offsets = arrays["frames"], arrays["offsets"]
    if frames.ndim != 3 or frames.dtype.kind != "f" or frames.shape[2] not in (3, 4):
        source.fail(f"frames: must be (total, joints, 3 or 4) of floats, got {frames.shape} of {frames.dtype}")
    if len(frames) > FILE_FRAMES:
        raise LimitExceeded(f"frames of {source.name}", FILE_FRAMES, len(frames))
    if offsets.ndim != 1 or offsets.dtype.kind not in "iu" or len(offsets) < 2 or len(offsets) > FILE_FRAMES:
        source.fail("offsets: must be at least two whole numbers")
    offsets = offsets.astype(np.int64)
    if offsets[0] != 0 or offsets[-1] != len(frames) or (np.diff(offsets) <= 0).any():
        source.fail(f"offsets: must rise from 0 to the number of frames, {len(frames)}")
    layout, order = _layout(source, arrays, hints)
    if frames.shape[1] != len(order):
        source.fail(f"frames: {frames.shape[1]} joints, and {len(order)} names")
    units = _units(source, _text(source, arrays, "units"))
    poses = clean(_with_confidence(frames[:, order].astype(np.float32), arrays, units))
    tracks = tuple(_tracks(source, arrays, poses, offsets, layout, units, hints))
    notes = hints.rate(_number(source, arrays, "fps"))[1] if "fps_seq" not in arrays else ()
    return Recording(SEQUENCES, tracks, notes, source.name)


def _with_confidence(frames: Floats, arrays: Arrays, units: Units) -> Floats:
    """Coordinates and confidence: the last channel where there is one, otherwise 1 but for joints at the origin."""
    if "format" in arrays:
        return frames
    if units is Units.NORMALISED and frames.shape[2] == 4:
        return frames[..., [0, 1, 3]]  # MediaPipe's z has no unit
    if frames.shape[2] == 4:
        return frames
    seen = (frames != 0).any(axis=-1, keepdims=True) & np.isfinite(frames).all(axis=-1, keepdims=True)
    return np.concatenate([frames, seen.astype(np.float32)], axis=-1)


def _layout(source: Source, arrays: Arrays, hints: Hints) -> tuple[Layout, list[int]]:
    if hints.layout is not None or ("layout" in arrays and "joints" not in arrays):
        layout = layout_named(hints.layout or _text(source, arrays, "layout"))
        return layout, list(range(layout.count))
    names = [_string(source, "joints", name) for name in arrays.get("joints", np.empty(0)).ravel()[:1000]]
    found = layout_by_names(names)
    if found is None:
        source.fail(f"joints: {', '.join(names[:4]) or 'none'}, ... are no known layout's; say which one it is")
    return found


def _tracks(
    source: Source,
    arrays: Arrays,
    poses: Floats,
    offsets: NDArray[np.int64],
    layout: Layout,
    units: Units,
    hints: Hints,
) -> Iterator[Track]:
    count = len(offsets) - 1
    each = {key: arrays[key] for key in LABELS if key in arrays and arrays[key].shape == (count,)}
    rates = arrays.get("fps_seq")
    if rates is not None and (rates.shape != (count,) or rates.dtype.kind not in "fiu"):
        source.fail(f"fps_seq: must be {count} numbers")
    stated = _number(source, arrays, "fps")
    aspect = (hints.ratio or _number(source, arrays, "aspect")) if units is Units.NORMALISED else None
    for i in range(count):
        labels = {key: _string(source, key, values[i]) for key, values in each.items()}
        labels = {key: value for key, value in labels.items() if value}
        fps, _ = hints.rate(stated if rates is None else float(rates[i]))
        part = poses[offsets[i] : offsets[i + 1]]
        sequence = SkeletonSequence(part[..., :-1], part[..., -1], layout, fps, units, aspect)
        yield Track(labels.get("sequence") or str(i + 1), sequence, 0, MappingProxyType(labels))


def _units(source: Source, text: str) -> Units:
    """The unit that a free text begins with or mentions."""
    found = next((unit for unit in Units if unit.value in text.lower()), None)
    if found is None:
        source.fail(f"units: {text[:40]!r} names none of pixels, normalised, metres")
    return found


def _number(source: Source, arrays: Arrays, key: str) -> float | None:
    """A scalar; None where it is not there or NaN."""
    if key not in arrays:
        return None
    if arrays[key].size != 1 or arrays[key].dtype.kind not in "fiu":
        source.fail(f"{key}: must be one number")
    value = float(arrays[key].item())
    return None if np.isnan(value) else value


def _text(source: Source, arrays: Arrays, key: str) -> str:
    if key not in arrays or arrays[key].size != 1:
        source.fail(f"{key}: must be one word")
    return _string(source, key, arrays[key].ravel()[0])


def _string(source: Source, key: str, value: Any) -> str:
    try:
        return str(value)
    except ValueError as error:  # text whose code points are out of range
        source.fail(f"{key}: {error}")
