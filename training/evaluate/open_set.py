"""Identification where some are strangers: half of the people are enrolled, then the other half; everybody searches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gallery.calibration import Calibration
from gallery.metrics import fnir, fnir_at_fpir, fpir, smallest_rate
from training.data.arrays import Strings

Reals = NDArray[np.float64]
RATES = (0.01, 0.05, 0.1)


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Searches of all cells of a figure together.

    mated, first: of each search by somebody enrolled, the best score and whether it is their own. nonmated: of each
    search by a stranger, the best score. subjects, templates: of the largest gallery that was searched.
    """

    mated: Reals
    first: NDArray[np.bool_]
    nonmated: Reals
    subjects: int
    templates: int

    @classmethod
    def of(cls, scores: Reals, names: Strings, probes: Strings, templates: int) -> Self:
        """From scores (probes, subjects) of a gallery of everybody: each half of its subjects is enrolled in turn.

        >>> half = OpenSet.of(np.array([[0.9, 0.2], [0.3, 0.8]]), np.array(["ann", "bob"]), np.array(["ann", "bob"]), 2)
        >>> half.mated.tolist(), half.first.tolist(), half.nonmated.tolist()
        ([0.9, 0.8], [True, True], [0.3, 0.2])
        """
        mated, first, nonmated = [], [], []
        for half in (0, 1):
            enrolled, table = names[half::2], scores[:, half::2]
            if not len(enrolled):
                continue
            known = np.isin(probes, enrolled)
            mated.append(table[known].max(axis=1))
            first.append(enrolled[table[known].argmax(axis=1)] == probes[known])
            nonmated.append(table[~known].max(axis=1))
        size = -(-len(names) // 2)
        return cls(
            np.concatenate(mated), np.concatenate(first), np.concatenate(nonmated), size,
            -(-templates * size // max(len(names), 1)),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence["OpenSet"]) -> Self | None:
        """All of them as one; None of none, or where nobody is a stranger."""
        if not sum(len(part.nonmated) for part in parts) or not sum(len(part.mated) for part in parts):
            return None
        return cls(
            np.concatenate([part.mated for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.nonmated for part in parts]),
            max(part.subjects for part in parts),
            max(part.templates for part in parts),
        )

    def to_json(self, probes: int, prior: Calibration | None) -> dict[str, Any]:
        """Misses at rates that `probes` different searches can show, and both errors at the prior's threshold."""
        rates = [rate for rate in RATES if rate >= smallest_rate(probes)]
        content: dict[str, Any] = {
            "subjects_enrolled": self.subjects,
            "searches_by_strangers": len(self.nonmated),
            "searches_by_enrolled": len(self.mated),
            "fnir_at_fpir": {f"{rate:g}": fnir_at_fpir(self.mated, self.first, self.nonmated, rate) for rate in rates},
        }
        if prior is not None:
            held = prior.threshold(self.subjects, templates=self.templates)
            content["at_the_prior"] = {
                "target_fpir": held.fpir,
                "threshold": held.value,
                "fpir": fpir(self.nonmated, held.value),
                "fnir": fnir(self.mated, self.first, held.value),
            }
        return content
