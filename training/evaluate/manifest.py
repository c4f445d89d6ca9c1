"""The gallery side of a protocol as a manifest, so that `gaitkeeper enroll` can enroll a recording's people."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from model.errors import InvalidDataSet
from training.data.arrays import read_arrays
from training.evaluate.sources import GaitProtocol, open_source

HEADER = ("file", "subject", "track", "aspect", "view", "condition")


def manifest_rows(path: Path, protocol: GaitProtocol, table: str | None = None) -> Iterator[tuple[str, ...]]:
    """One row a sequence that the cells of `table` (default: the first) search; raises `InvalidDataSet`.

    A track is named by its recording's own name of the sequence, as the reader of keypoint files names it.
    """
    if path.suffix != ".npz":
        raise InvalidDataSet(str(path), "only a recording in npz has tracks that a manifest can name")
    source = open_source(path, protocol)
    known = tuple(dict.fromkeys(cell.table for cell in source.cells))
    chosen = table or known[0]
    if chosen not in known:
        raise InvalidDataSet(str(path), f"protocol {protocol.value} has no {chosen!r}; it has {', '.join(known)}")
    names, data = read_arrays(path, only=("sequence",)).get("sequence"), source.data
    if names is None or len(names) != len(data):
        raise InvalidDataSet(str(path), "does not name its sequences")
    aspect = "" if data.aspect is None else f"{data.aspect:.6g}"
    galleries = [cell.gallery for cell in source.cells if cell.table == chosen]
    for i in np.unique(np.concatenate(galleries)).tolist():
        yield (
            str(path.resolve()), str(data.subject[i]), str(names[i]), aspect, str(data.view[i]), str(data.condition[i])
        )  # fmt: skip
