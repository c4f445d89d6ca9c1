"""Labelled embeddings of walks: from a data set through the bundle's encoder, or from a file of embeddings."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from model.clips import unit_length
from model.errors import InvalidDataSet, InvalidRequest
from model.runtime import Encoder
from model.sequence import Floats, Units
from training.data.arrays import SequenceSet, Strings, read_arrays
from training.data.recordings import seen_by_its_camera
from training.evaluate.embedding import LeftOut, Progress, embed_set
from training.protocols.cells import Integers, Mask

WALKS = ("walk", "sequence")
"""Columns that may say, within a subject and part, which embeddings are of one walk."""
DEFAULT_BY = ("condition", "view")
_NUMBER = re.compile(r"(<|>=)? ?(-?\d+(?:\.\d+)?)(?= to < |$)")


@dataclass(frozen=True, eq=False)
class Walks:
    """embeddings: (n, dim), unit length. subject: (n,). walk: (n,) number of the walk: what several cameras saw of one
    is one search, and never template and mated probe. columns: other labels, (n,) each. walks_known: whether the data
    say which embeddings are of one walk; where they do not, every embedding counts as a walk of its own."""

    name: str
    embeddings: Floats
    subject: Strings
    walk: Integers
    columns: Mapping[str, Strings]
    walks_known: bool
    simulated: bool = False
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.subject)

    @property
    def people(self) -> int:
        return len(np.unique(self.subject))

    def select(self, mask: Mask) -> "Walks":
        kept = {name: column[mask] for name, column in self.columns.items()}
        walk = np.unique(self.walk[mask], return_inverse=True)[1]
        return replace(
            self, embeddings=self.embeddings[mask], subject=self.subject[mask], walk=walk.astype(np.int64), columns=kept
        )


def embedded(encoder: Encoder, data: SequenceSet, *, simulated: bool, progress: Progress | None = None) -> Walks:
    """Every sequence of the set that can be embedded. Joints in metres are seen by the camera that measured them.

    Raises `InvalidDataSet` where subjects are missing or nothing can be embedded.
    """
    if (data.subject == "").any():
        raise InvalidDataSet(data.name, "some sequences have no subject")
    if data.units is Units.METRES and encoder.clip.dims == 2:
        data = seen_by_its_camera(data)
    made = embed_set(encoder, data, np.arange(len(data)), progress=progress)
    if not made.usable.any():
        first = made.left_out[0]
        raise InvalidDataSet(data.name, f"no sequence can be embedded ({', '.join(first.reasons)}: {first.detail})")
    labels = {label: data.labels(label) for label in ("condition", "view", "part", "action")}
    walks = _walks(Path(data.name).name, made.embeddings, data.subject, labels | {"sequence": data.labels("sequence")})
    return replace(walks.select(made.usable), simulated=simulated, left_out=made.left_out)


def read_embeddings(path: Path) -> Walks:
    """An npz with `embeddings` (n, dim) and `subject` (n,); every other array (n,) is a column of labels.

    A column `walk` or `sequence` says which are of one walk. Raises `InvalidDataSet`.
    """
    arrays = read_arrays(path)
    if not {"embeddings", "subject"} <= set(arrays):
        raise InvalidDataSet(str(path), "lacks embeddings or subject")
    embeddings = np.asarray(arrays.pop("embeddings"), dtype=np.float32)
    subject = arrays.pop("subject").astype(str)
    if embeddings.ndim != 2 or subject.shape != (len(embeddings),) or not len(embeddings):
        raise InvalidDataSet(str(path), f"embeddings {embeddings.shape} and subject {subject.shape} do not fit")
    if not np.isfinite(embeddings).all() or not embeddings.any(axis=1).all():
        raise InvalidDataSet(str(path), "embeddings must be finite and not zero")
    labels = {name: column.astype(str) for name, column in arrays.items() if column.shape == subject.shape}
    return _walks(path.name, unit_length(embeddings), subject, labels)


def _walks(name: str, embeddings: Floats, subject: Strings, labels: Mapping[str, Strings]) -> Walks:
    known = next((labels[column] for column in WALKS if column in labels and (labels[column] != "").any()), None)
    columns = {key: column for key, column in labels.items() if (column != "").any()}
    walk = np.arange(len(subject), dtype=np.int64)
    if known is not None:
        part = labels.get("part", np.full(len(subject), ""))
        named = [f"{s}|{p}|{w}" if w else f"{i}" for i, (s, p, w) in enumerate(zip(subject, part, known, strict=True))]
        walk = np.unique(named, return_inverse=True)[1].astype(np.int64)
    return Walks(name, embeddings, subject, walk, columns, known is not None)


def with_people(walks: Walks, path: Path) -> Walks:
    """The same with columns from a CSV file about people: its column `subject` names them. Raises `InvalidDataSet`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidDataSet(str(path), f"cannot be read ({error})") from error
    if not rows or "subject" not in rows[0]:
        raise InvalidDataSet(str(path), "needs a first line with the column subject, and lines below it")
    of = {row["subject"]: row for row in rows}
    if not set(of) & set(walks.subject.tolist()):
        raise InvalidDataSet(str(path), "names nobody of the data")
    more = {
        column: np.array([of.get(subject, {}).get(column) or "" for subject in walks.subject.tolist()])
        for column in rows[0]
        if column and column != "subject"
    }
    return replace(walks, columns={**walks.columns, **more})


def chosen_columns(walks: Walks, by: Sequence[str]) -> tuple[Walks, tuple[str, ...]]:
    """The columns asked for, default condition and view where they differ. `age:18,65` cuts numbers into bands.

    Raises `InvalidRequest` for a column that is not there.
    """
    if not by:
        found = [c for c in DEFAULT_BY if c in walks.columns and len(np.unique(walks.columns[c])) > 1]
        return walks, tuple(found)
    made: dict[str, Strings] = dict(walks.columns)
    names = []
    for text in by:
        name, _, cuts = text.partition(":")
        made[name] = _banded(_column(walks, name), name, cuts) if cuts else _column(walks, name)
        names.append(name)
    return replace(walks, columns=made), tuple(names)


def values_of(column: Strings) -> list[str]:
    """The distinct values of a column but the unknown one, numbers and bands of them by size.

    >>> values_of(np.array([">= 65", "18 to < 65", "", "< 18"]))
    ['< 18', '18 to < 65', '>= 65']
    >>> values_of(np.array(["nm", "bg"]))
    ['bg', 'nm']
    """

    def size(value: str) -> tuple[float, int, str]:
        number = _NUMBER.match(value)
        if number is None:
            return np.inf, 0, value
        return float(number[2]), {"<": -1, ">=": 1}.get(number[1] or "", 0), value

    return sorted((str(value) for value in np.unique(column) if value != ""), key=size)


def mask_of(walks: Walks, filters: Sequence[str]) -> Mask:
    """(n,): which embeddings satisfy every `COLUMN=VALUE[,VALUE]`. Raises `InvalidRequest`."""
    mask: Mask = np.ones(len(walks), bool)
    for text in filters:
        name, equals, values = text.partition("=")
        if not equals:
            raise InvalidRequest("filter", f"{text!r} is not COLUMN=VALUE")
        mask &= np.isin(_column(walks, name), values.split(","))
    return mask


def _column(walks: Walks, name: str) -> Strings:
    if name == "subject":
        return walks.subject
    if name not in walks.columns:
        raise InvalidRequest("column", f"the data have no {name!r}; they have {', '.join(walks.columns) or 'none'}")
    return walks.columns[name]


def _banded(column: Strings, name: str, cuts: str) -> Strings:
    try:
        edges = sorted(float(cut) for cut in cuts.split(","))
        values = np.array([float(text or "nan") for text in column.tolist()])
    except ValueError as error:
        raise InvalidRequest("by", f"{name}:{cuts}: only numbers can be cut into bands ({error})") from error
    texts = [f"{edge:g}" for edge in edges]
    names = [f"< {texts[0]}", *(f"{a} to < {b}" for a, b in pairwise(texts)), f">= {texts[-1]}"]
    bands = np.array([*names, ""])
    return np.asarray(bands[np.where(np.isnan(values), len(names), np.searchsorted(edges, values, side="right"))])
