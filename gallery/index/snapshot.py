"""A gallery's index in a file: immutable, encrypted under the key of its generation, and ready in a second or two.

FAISS's objects are not in the file: they are made again from arrays, every byte of which was authenticated before, and
FAISS parses nothing. What was removed is not in the file either.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.index.effort import Effort
from gallery.index.flat import FlatIndex
from gallery.index.parts import Parts
from gallery.index.policy import IndexPolicy, index_of
from gallery.index.protocol import Ids, VectorIndex
from gallery.index.quantiser import LEVELS, Codes, Quantiser
from gallery.index.rows import is_ascending
from gallery.index.sealed import Column, read_sealed, write_sealed
from gallery.index.training import listed
from gallery.index.view import Base, View
from model.errors import InvalidArchive

FORMAT = 1
MOST_NUMBERS = 1 << 16


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot is of. generation: number of its key; content: exclusive or of the marks."""

    generation: int
    gallery: int
    epoch: int
    seq: int
    fingerprint: str
    content: int


@dataclass(frozen=True, eq=False)
class Loaded:
    """Templates (n,) by rising id, as they were written, and the index of them."""

    header: SnapshotHeader
    ids: Ids
    subjects: Ids
    marks: Ids
    expires: Ids
    index: VectorIndex


@dataclass(frozen=True, slots=True)
class _Sizes:
    """lists: 0 where nothing was trained."""

    count: int
    dim: int
    half: bool
    lists: int
    directions: int

    def __post_init__(self) -> None:
        numbers = (self.count, self.dim, self.lists, self.directions)
        fits = all(type(n) is int and n >= 0 for n in numbers) and type(self.half) is bool
        if not fits or not 0 < self.dim <= MOST_NUMBERS or self.directions > MOST_NUMBERS or self.directions % 2:
            raise InvalidArchive("", "is of no sensible size")

    @property
    def columns(self) -> list[Column]:
        rows = "<f2" if self.half else "<f4"
        found = [Column(name, "<i8", (self.count,)) for name in ("ids", "subjects", "marks", "expires")]
        found.append(Column("vectors", rows, (self.count, self.dim)))
        if self.lists:
            found += [
                Column("rotation", "<f4", (self.dim, self.directions)),
                Column("centres", "<f4", (self.lists, self.directions)),
                Column("levels", "<f4", (self.directions, LEVELS)),
                Column("lists", "<i4", (self.count,)),
                Column("codes", "u1", (self.count, self.directions // 2)),
            ]
        return found


def write_snapshot(
    path: Path,
    key: bytes,
    header: SnapshotHeader,
    index: VectorIndex,
    ids: Ids,
    subjects: Ids,
    marks: Ids,
    expires: Ids,
) -> None:
    """Write the rows `ids` (n,), which rise, of an index and what belongs to them, as they are at the call.

    The file is on the disk when this returns, or is as it was before. Raises `OSError`.
    """
    assert is_ascending(ids)
    view = index.frozen()
    base, quantiser = view.base, view.base.quantiser
    half = any(array.dtype == np.float16 for array in base.parts.arrays)
    lists, directions = (quantiser.lists, quantiser.directions) if quantiser is not None else (0, 0)
    sizes = _Sizes(len(ids), base.parts.dim, half, lists, directions)
    arrays: dict[str, NDArray[Any]] = {"ids": ids, "subjects": subjects, "marks": marks, "expires": expires}
    effort = base.effort or Effort(0, 1.0)
    if quantiser is not None:
        codes = view.codes_of(ids)
        arrays |= {"rotation": quantiser.rotation, "centres": quantiser.centres, "levels": quantiser.levels}
        arrays |= {"lists": codes.lists, "codes": codes.codes}
    content = {
        "format": FORMAT, "header": asdict(header), "sizes": asdict(sizes), "effort": asdict(effort),
        "trained": base.trained,
    }  # fmt: skip
    sources = [(column, _source(view, ids, arrays.get(column.name))) for column in sizes.columns]
    write_sealed(path, key, header.generation, content, sources)


def read_snapshot(path: Path, key: bytes, policy: IndexPolicy = IndexPolicy()) -> Loaded:
    """What was written. Raises `InvalidArchive` for a file that is damaged, cut off, foreign, of another key or of
    another version, or that has rounded rows which the policy does not want."""
    generation, content, arrays = read_sealed(path, key, _columns)
    header, sizes = SnapshotHeader(**content["header"]), _Sizes(**content["sizes"])
    named = {column.name: array for column, array in zip(sizes.columns, arrays, strict=True)}
    sound = header.generation == generation and is_ascending(named["ids"])
    if sizes.lists and sizes.count:
        sound = sound and named["lists"].min() >= 0 and named["lists"].max() < sizes.lists
    if not sound:
        raise InvalidArchive(str(path), "contradicts itself")
    if sizes.half and policy.kind != "compact":
        raise InvalidArchive(str(path), "has rows of a compact index")
    index = _index(named, content, policy)
    return Loaded(header, named["ids"], named["subjects"], named["marks"], named["expires"], index)


def _index(arrays: dict[str, NDArray[Any]], content: dict[str, Any], policy: IndexPolicy) -> VectorIndex:
    vectors, ids = arrays["vectors"], arrays["ids"]
    if policy.kind == "flat":
        return FlatIndex.of(vectors, ids)
    if policy.kind == "compact":
        vectors = vectors.astype(np.float16, copy=False)
    base = Base(Parts((vectors,) if len(vectors) else (), vectors.shape[1]), ids)
    if "lists" not in arrays or (policy.kind == "auto" and len(ids) <= policy.flat_limit):
        return index_of(base, policy)
    quantiser = Quantiser(arrays["rotation"], arrays["centres"], arrays["levels"])
    codes, effort = Codes(arrays["lists"], arrays["codes"]), Effort(**content["effort"])
    return index_of(listed(Base(base.parts, ids, quantiser, codes, None, effort, content["trained"])), policy)


def _columns(content: dict[str, Any]) -> Sequence[Column]:
    """The arrays of a header, which is authenticated, but perhaps of another version."""
    if content.get("format") != FORMAT:
        raise InvalidArchive("", f"is of version {content.get('format')}, this reads {FORMAT}")
    return _Sizes(**content["sizes"]).columns


def _source(view: View, ids: Ids, array: NDArray[Any] | None) -> Any:
    if array is not None:
        return lambda start, stop: array[start:stop]

    def rows(start: int, stop: int) -> NDArray[Any]:
        found = view.vectors_of(ids[start:stop])
        assert not np.isnan(found[:, 0]).any(), "every id is in the index"
        return found

    return rows
