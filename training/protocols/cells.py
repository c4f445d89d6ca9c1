"""A protocol is a list of cells: which sequences are probes and which are searched. Pure data, no scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.arrays import SequenceSet

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cell:
    """Probes of one view against a gallery of one view.

    table: the figure it counts towards ("NM"). gallery, probes: indices of sequences in the set.
    """

    table: str
    gallery_view: str
    probe_view: str
    gallery: Integers
    probes: Integers


def pairs_of_views(
    data: SequenceSet, table: str, gallery: Mask, probes: Mask, *, same: bool, across: bool
) -> list[Cell]:
    """Cells of `probes` against `gallery` (masks (n,)), view by view: pairs of the same view, or across views."""
    views = [str(view) for view in np.unique(data.view[gallery | probes])]
    return [
        Cell(table, g, p, np.flatnonzero(gallery & (data.view == g)), np.flatnonzero(probes & (data.view == p)))
        for g in views
        for p in views
        if (same if g == p else across)
    ]


def used(cells: Sequence[Cell]) -> Integers:
    """Indices of all sequences that any cell uses, sorted."""
    parts = [part for cell in cells for part in (cell.gallery, cell.probes)]
    return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)
