"""UCalgary: 27 people from the front. Run 2 is searched in run 1; the two abnormal gaits in both normal runs."""

import numpy as np

from training.data.arrays import SequenceSet
from training.protocols.cells import Cell, pairs_of_views

NAME = "ucalgary"


def cells(data: SequenceSet) -> tuple[Cell, ...]:
    """Cells for whoever is in `data`; run 7, which its source calls experimental, is in none."""
    first = data.sequence_name == "normal-01"
    normal = np.isin(data.sequence_name, ("normal-01", "normal-02"))
    out = pairs_of_views(data, "normal", first, data.sequence_name == "normal-02", same=True, across=False)
    for condition in ("abnormal_left", "abnormal_right"):
        title = condition.replace("_", " ")
        out += pairs_of_views(data, title, normal, data.condition == condition, same=True, across=False)
    return tuple(out)
