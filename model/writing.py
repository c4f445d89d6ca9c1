"""Sequences to files of ours: JSON for one or several people, npz for one; whole or not at all."""

import io
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidRequest
from model.readers.own_json import SequenceJson, TrackJson, TracksJson
from model.readers.recording import Track
from model.sequence import Floats, SkeletonSequence

SUFFIXES = (".json", ".npz")


def to_json(tracks: Sequence[Track]) -> bytes:
    """Our JSON; several tracks keep their names, first frames and labels. Reading it gives the same numbers."""
    if len(tracks) == 1:
        return msgspec.json.encode(sequence_json(tracks[0].sequence))
    several = [TrackJson(t.name, sequence_json(t.sequence), t.first_frame, dict(t.labels)) for t in tracks]
    return msgspec.json.encode(TracksJson(several))


def to_npz(sequence: SkeletonSequence) -> bytes:
    """Our npz of one sequence."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        joints=sequence.joints,
        confidence=sequence.confidence,
        layout=np.array(sequence.layout.name),
        fps=np.array(sequence.fps),
        units=np.array(sequence.units.value),
        aspect=np.array(np.nan if sequence.aspect is None else sequence.aspect),
    )
    return file.getvalue()


def write(path: Path, content: bytes, *, force: bool = False) -> None:
    """Put the content at `path` in one step; raises `InvalidRequest` where a file is already, but for `force`."""
    if path.is_dir():
        raise InvalidRequest("out", f"{path} is a directory; name a file in it")
    if path.exists() and not force:
        raise InvalidRequest("out", f"{path} is there already; --force replaces it")
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = os.umask(0)
    os.umask(mask)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).chmod(0o666 & ~mask)
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def sequence_json(sequence: SkeletonSequence) -> SequenceJson:
    """As it is encoded: the same numbers, as short as float32 allows."""
    return SequenceJson(
        layout=sequence.layout.name,
        joints=_short(sequence.joints).tolist(),
        confidence=_short(sequence.confidence).tolist(),
        fps=sequence.fps,
        units=sequence.units.value,
        aspect=sequence.aspect,
    )


def _short(values: Floats) -> NDArray[np.float64]:
    """The same numbers, so that they are written as short as float32 allows: 0.1, not 0.10000000149."""
    return values.astype(np.str_).astype(np.float64)
