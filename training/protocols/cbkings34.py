"""cbkings34: 34 people, 4 views, normal walks; five of them again in another recording, also with bag and coat.

Within the gallery set, runs 1-2 are searched by run 3, in the same view and across views. The probe set is
searched in the whole gallery set, same view. These tests are ours; the recordings come without a protocol.
"""

import numpy as np

from training.data.arrays import SequenceSet
from training.protocols.cells import Cell, pairs_of_views

NAME = "cbkings34"
IN_PROBE_SET = ("013", "014", "017", "022", "023")
_OTHERS = tuple(f"{n:03d}" for n in range(1, 35) if f"{n:03d}" not in IN_PROBE_SET)

TEST = tuple(sorted((*IN_PROBE_SET, *_OTHERS[1::5], *_OTHERS[3::5])))
"""17 people: the five of the probe set, and two of every five others."""
TRAIN = tuple(subject for subject in _OTHERS if subject not in TEST)
"""17 people, none of whom is tested."""


def cells(data: SequenceSet) -> tuple[Cell, ...]:
    """Cells of both tests, for whoever is in `data`."""
    enrolled, probing = data.part == "gallery_set", data.part == "probe_set"
    early = enrolled & np.isin(data.sequence_name, ("normal-01", "normal-02"))
    late = enrolled & (data.sequence_name == "normal-03")
    out = pairs_of_views(data, "run 3, same view", early, late, same=True, across=False)
    out += pairs_of_views(data, "run 3, across views", early, late, same=False, across=True)
    for condition in ("normal", "bag", "coat", "angle"):
        probes = probing & (data.condition == condition)
        out += pairs_of_views(data, f"probe set, {condition}", enrolled, probes, same=True, across=False)
    return tuple(cell for cell in out if len(cell.probes))
