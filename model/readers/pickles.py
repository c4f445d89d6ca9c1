"""Pickles of OpenGait / FastPoseGait and of pyskl; nothing that they name is run (`unpickle.py`).

OpenGait: `<root>/<subject>/<type>/<view>/<view>.pkl`, one array (T, V, 3) of x, y, confidence; one track, in pixels.
pyskl: {"split": {...}, "annotations": [{"frame_dir", "label", "total_frames", "keypoint": (M, T, V, C),
"keypoint_score": (M, T, V) for 2-D, "img_shape": (h, w)}]}; old names `annos`, `filename`. 2-D people are followed
over time, since their order means nothing there; 3-D ones are tracks already. People who are all zeros are padding.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

import numpy as np

from model.errors import LimitExceeded
from model.limits import FILE_FRAMES, FILE_TRACKS
from model.readers.arrays import floats, layout_of
from model.readers.assemble import clean, recording_of
from model.readers.pickle_arrays import Array
from model.readers.recording import ASSUMED_FPS, KINECT_FPS, Hints, Recording, Track
from model.readers.source import Source
from model.readers.unpickle import unpickle
from model.sequence import Floats, SkeletonSequence, Units
from model.tracks import People

OPENGAIT, PYSKL = "opengait-pickle", "pyskl-pickle"


def read(source: Source, hints: Hints) -> Recording:
    """Raises `UnreadableFile` naming what the pickle holds instead, or the annotation that is wrong."""
    content = unpickle(source)
    if isinstance(content, Array):
        return _opengait(source, content, hints)
    if isinstance(content, list) and content and all(isinstance(item, Array) for item in content):
        return _opengait(source, content[0], hints) if len(content) == 1 else _listed(source, content, hints)
    annotations = content.get("annotations", content.get("annos")) if isinstance(content, dict) else content
    if not isinstance(annotations, list) or not all(isinstance(item, dict) for item in annotations):
        source.fail(f"is a pickle of a {type(content).__name__}, not of OpenGait's array or pyskl's annotations")
    if len(annotations) > FILE_TRACKS:
        raise LimitExceeded(f"annotations of {source.name}", FILE_TRACKS, len(annotations))
    found = [track for i, item in enumerate(annotations) for track in _annotated(source, item, i, hints)]
    if (total := sum(track.sequence.frames for track, _ in found)) > FILE_FRAMES:
        raise LimitExceeded(f"frames of all tracks of {source.name}", FILE_FRAMES, total)
    notes = dict.fromkeys(note for _, said in found for note in said)
    return Recording(PYSKL, tuple(track for track, _ in found), tuple(notes), source.name)


def _listed(source: Source, arrays: list[Array], hints: Hints) -> Recording:
    """Several arrays: one a frame, as some OpenGait data sets are written."""
    shapes = {array.values.shape for array in arrays}
    if len(shapes) > 1:
        source.fail(f"is a list of arrays of different shapes ({', '.join(map(str, list(shapes)[:3]))})")
    stacked = Array()
    stacked.values = np.stack([_numeric(source, array, "frame") for array in arrays])
    return _opengait(source, stacked, hints)


def _opengait(source: Source, array: Array, hints: Hints) -> Recording:
    values = _numeric(source, array, "array")
    if values.ndim != 3 or values.shape[2] != 3 or len(values) == 0:
        source.fail(f"holds an array of shape {values.shape}, and (frames, joints, 3) is expected")
    layout = layout_of(values.shape[1], 2, hints, source.name)
    frames = [People(i, pose[None]) for i, pose in enumerate(values)]
    # One person by construction: the data set's makers cut it out, so that jumps are for the quality check to see.
    frames = [replace(people, ids=("1",)) for people in frames]
    recording = recording_of(OPENGAIT, source, frames, layout, hints, trust_ids=True)
    labels = _labels_of(PurePath(source.name))
    return replace(recording, tracks=tuple(replace(track, labels=labels) for track in recording.tracks))


def _labels_of(path: PurePath) -> MappingProxyType[str, str]:
    """Subject, sequence and view of `001/nm-01/090/090.pkl`."""
    parts = path.parts[-4:-1]
    if len(parts) < 3 or parts[-1] != path.stem:
        return MappingProxyType({})
    return MappingProxyType(dict(zip(("subject", "sequence", "view"), parts, strict=True)))


def _numeric(source: Source, value: object, where: str) -> Floats:
    if not isinstance(value, Array) or value.values.dtype.kind not in "fiu":
        source.fail(f"{where}: is no array of numbers")
    if value.values.size > FILE_FRAMES * 64 * 4:
        raise LimitExceeded(f"{where} of {source.name}", FILE_FRAMES * 64 * 4, value.values.size)
    return floats(value.values)


def _annotated(
    source: Source, item: Mapping[Any, Any], i: int, hints: Hints
) -> Iterator[tuple[Track, tuple[str, ...]]]:
    name = str(item.get("frame_dir", item.get("filename", i + 1)))
    where = f"annotations[{i}] ({name[:40]})"
    keypoint = _numeric(source, item.get("keypoint"), f"{where}: keypoint")
    if keypoint.ndim != 4 or keypoint.shape[3] not in (2, 3) or 0 in keypoint.shape:
        source.fail(f"{where}: keypoint has shape {keypoint.shape}, and (people, frames, joints, 2 or 3) is expected")
    labels = {"label": str(item["label"])} if isinstance(item.get("label"), int) else {}
    score = item.get("keypoint_score")
    if keypoint.shape[3] == 2 or score is not None:
        recording = _flat(source, keypoint, score, where, hints)
    else:
        recording = _solid(source, keypoint, where, hints)
    for track in recording.tracks if recording else ():
        several = recording is not None and len(recording.tracks) > 1
        named = replace(track, name=f"{name}/{track.name}" if several else name)
        yield replace(named, labels=MappingProxyType({**labels, **track.labels})), recording.notes if recording else ()


def _flat(source: Source, keypoint: Floats, score: object, where: str, hints: Hints) -> Recording | None:
    """2-D people, whose order in the file is the detector's."""
    confidence = _numeric(source, score, f"{where}: keypoint_score")
    if confidence.shape != keypoint.shape[:3]:
        source.fail(f"{where}: keypoint_score has shape {confidence.shape}, keypoint {keypoint.shape}")
    layout = layout_of(keypoint.shape[2], 2, hints, source.name)
    poses = np.concatenate([keypoint[..., :2], confidence[..., None]], axis=-1).transpose(1, 0, 2, 3)
    frames = [People(t, people[(people[..., 2] > 0).any(axis=1)]) for t, people in enumerate(poses)]
    if not any(len(people.poses) for people in frames):
        return None
    return recording_of(PYSKL, source, frames, layout, hints)


def _solid(source: Source, keypoint: Floats, where: str, hints: Hints) -> Recording | None:
    """3-D people, each a track; nobody's frames are zeros."""
    layout = layout_of(keypoint.shape[2], 3, hints, f"{source.name}, {where}")
    fps, notes = hints.rate(None, KINECT_FPS if layout.count in (20, 25) else ASSUMED_FPS)
    tracks = []
    for number, joints in enumerate(keypoint, 1):
        seen = (joints != 0).any(axis=-1, keepdims=True).astype(np.float32)
        if seen.any():
            frames = clean(np.concatenate([joints, seen], axis=-1))
            sequence = SkeletonSequence(frames[..., :3], frames[..., 3], layout, fps, Units.METRES)
            tracks.append(Track(str(number), sequence))
    return Recording(PYSKL, tuple(tracks), notes, source.name) if tracks else None
