"""Embeddings and cells to ranks, through the gallery's own index and metrics; ranks to the figures of a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan

import numpy as np
from numpy.typing import NDArray

from gallery.index import FlatIndex
from gallery.metrics import NO_MATE, Interval, bootstrap, by_subject, ranks
from model.sequence import Floats
from training.data.arrays import Strings
from training.evaluate.open_set import OpenSet
from training.protocols.cells import Cell, Integers

Reals = NDArray[np.float64]
NOT_COMPARED = -1


@dataclass(frozen=True, eq=False)
class Table:
    """All cells of one figure.

    rank: (probes, gallery views); rank of the probe's own subject, 1 is best, `NO_MATE` where it is not in that
    gallery (which counts as not recognised), `NOT_COMPARED` where the protocol has no such cell or the gallery view
    holds nothing. probes, subject, probe_view: (probes,) index in the set, whose, and number of the view.
    gallery: indices of the gallery sequences, of all views. open_set: the same cells, half of the people enrolled.
    """

    name: str
    gallery_views: tuple[str, ...]
    probe_views: tuple[str, ...]
    rank: Integers
    probes: Integers
    subject: Strings
    probe_view: Integers
    gallery: Integers
    gallery_people: int
    open_set: OpenSet | None

    @property
    def people(self) -> int:
        """People among the probes."""
        return len(np.unique(self.subject))

    @cached_property
    def matrix(self) -> Reals:
        """Rank-1 (gallery views, probe views), each from all probes of the view; NaN where there is no cell."""
        return self._cells(1, np.arange(len(self.probes)))

    def accuracy(self, k: int = 1) -> float:
        """Share found within rank k: mean over the gallery views of each probe view, then over probe views."""
        return self._mean(self._cells(k, np.arange(len(self.probes))))

    def by_probe_view(self) -> Mapping[str, float]:
        """Rank-1 of each probe view, the mean over its gallery views."""
        return dict(zip(self.probe_views, _mean_of_columns(self.matrix).tolist(), strict=True))

    def interval(self, draws: int = 1000) -> Interval:
        """Rank-1 and its 95 % interval, by drawing the people among the probes again; NaN without probes."""
        if not len(self.probes):
            return Interval(nan, nan, nan)
        return bootstrap(lambda drawn: self._mean(self._cells(1, drawn)), self.subject, draws=draws)

    def _cells(self, k: int, drawn: Integers) -> Reals:
        rank = self.rank[drawn]
        compared = rank != NOT_COMPARED
        hit = compared & (rank != NO_MATE) & (rank <= k)
        of_view = self.probe_view[drawn][:, None] == np.arange(len(self.probe_views))
        hits, all_ = hit.T.astype(float) @ of_view, compared.T.astype(float) @ of_view
        return np.asarray(np.divide(hits, all_, out=np.full(hits.shape, np.nan), where=all_ > 0))

    @staticmethod
    def _mean(cells: Reals) -> float:
        columns = _mean_of_columns(cells)
        columns = columns[~np.isnan(columns)]
        return float(columns.mean()) if len(columns) else float("nan")


def _mean_of_columns(cells: Reals) -> Reals:
    """Mean of each column over what is there; NaN for a column with nothing."""
    there = ~np.isnan(cells)
    count = there.sum(axis=0)
    total = np.where(there, cells, 0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(cells.shape[1], np.nan), where=count > 0))


def score(embeddings: Floats, usable: NDArray[np.bool_], subject: Strings, cells: Sequence[Cell]) -> tuple[Table, ...]:
    """The tables of all cells, in the order in which the cells name them.

    embeddings: (n, dim) of unit length; usable: (n,), those that have one: the others are neither searched nor
    found. subject: (n,).
    """
    names = tuple(dict.fromkeys(cell.table for cell in cells))
    return tuple(_table(name, embeddings, usable, subject, [c for c in cells if c.table == name]) for name in names)


def _table(name: str, embeddings: Floats, usable: NDArray[np.bool_], subject: Strings, cells: Sequence[Cell]) -> Table:
    gallery_views = tuple(sorted({cell.gallery_view for cell in cells}))
    probe_views = tuple(sorted({cell.probe_view for cell in cells}))
    probes = _kept(np.concatenate([cell.probes for cell in cells]), usable)
    gallery = _kept(np.concatenate([cell.gallery for cell in cells]), usable)
    rank = np.full((len(probes), len(gallery_views)), NOT_COMPARED, dtype=np.int64)
    view = np.zeros(len(probes), dtype=np.int64)
    halves: list[OpenSet] = []
    for column, gallery_view in enumerate(gallery_views):
        for cells_alike in _with_equal_gallery([c for c in cells if c.gallery_view == gallery_view]):
            searched = _kept(np.concatenate([c.probes for c in cells_alike]), usable)
            enrolled = _kept(cells_alike[0].gallery, usable)
            rows = np.searchsorted(probes, searched)
            if len(enrolled) and len(searched):
                scores, names = search(embeddings, subject, enrolled, searched)
                rank[rows, column] = ranks(scores, subject[searched], names)
                halves.append(OpenSet.of(scores, names, subject[searched], len(enrolled)))
    for cell in cells:
        view[np.searchsorted(probes, _kept(cell.probes, usable))] = probe_views.index(cell.probe_view)
    people = len(np.unique(subject[gallery]))
    return Table(
        name, gallery_views, probe_views, rank, probes, subject[probes], view, gallery, people, OpenSet.joined(halves)
    )


def _kept(indices: Integers, usable: NDArray[np.bool_]) -> Integers:
    unique = np.unique(indices)
    return unique[usable[unique]]


def _with_equal_gallery(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that search the same templates, together: their index is built once."""
    groups: dict[bytes, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.gallery.tobytes(), []).append(cell)
    return list(groups.values())


def search(embeddings: Floats, subject: Strings, enrolled: Integers, probes: Integers) -> tuple[Reals, Strings]:
    """Scores (probes, subjects) and the subjects of the columns: a subject scores as its best enrolled sequence."""
    index = FlatIndex(embeddings.shape[1])
    index.add(embeddings[enrolled], enrolled)
    scores, ids = index.search(embeddings[probes], len(enrolled))
    # The index answers best first; the metrics want one column a template.
    columns = np.searchsorted(enrolled, ids)
    table = np.empty_like(scores)
    np.put_along_axis(table, columns, scores, axis=1)
    return by_subject(table, subject[enrolled])
