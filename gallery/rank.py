"""From templates to subjects: the best subjects of a probe, however many templates each of them has."""

from dataclasses import dataclass

import numpy as np

from gallery.index import Ids, VectorIndex
from model.sequence import Floats

FIRST_ROUND = 32
GROWTH = 16
# The index computes in float32, in an order of its own; scores nearer than this may be the other way round.
ROUNDING = 1e-5


@dataclass(slots=True)
class Owners:
    """Which subject each template in the index belongs to; one writer, any number of readers."""

    subject_of: dict[int, int]
    templates_of: dict[int, int]

    @classmethod
    def empty(cls) -> "Owners":
        return cls({}, {})

    @property
    def subjects(self) -> int:
        return len(self.templates_of)

    def add(self, ids: Ids, subjects: Ids) -> None:
        for template, subject in zip(ids.tolist(), subjects.tolist(), strict=True):
            self.subject_of[template] = subject
            self.templates_of[subject] = self.templates_of.get(subject, 0) + 1

    def remove(self, ids: Ids) -> None:
        for template in ids.tolist():
            subject = self.subject_of.pop(template, None)
            if subject is not None:
                self.templates_of[subject] -= 1
                if not self.templates_of[subject]:
                    del self.templates_of[subject]


def shortlist(
    index: VectorIndex, owners: Owners, probes: Floats, want: int, best: int = 1
) -> list[dict[int, list[int]]]:
    """For each probe (q, dim), the subjects that may be among its `want` best, with their `best` best templates.

    A subject's score is the mean of its `best` highest template scores. All of the `want` best subjects are there,
    and those so near to the last of them that only exact arithmetic can tell.
    """
    found: list[dict[int, list[int]]] = [{} for _ in range(len(probes))]
    open_probes = np.arange(len(probes))
    k = max(FIRST_ROUND, 4 * want * best)
    while len(open_probes):
        scores, ids = index.search(probes[open_probes], k)
        everything = scores.shape[1] < k
        still = []
        for place, row, templates in zip(open_probes.tolist(), scores.tolist(), ids.tolist(), strict=True):
            chosen = _choose(owners, row, templates, want, best, everything)
            if chosen is None:
                still.append(place)
            else:
                found[place] = chosen
        open_probes = np.array(still, dtype=np.intp)
        k *= GROWTH
    return found


def _choose(
    owners: Owners, scores: list[float], templates: list[int], want: int, best: int, everything: bool
) -> dict[int, list[int]] | None:
    """The subjects of one probe's templates, or None if templates further down could still change them."""
    held: dict[int, list[tuple[float, int]]] = {}
    for score, template in zip(scores, templates, strict=True):
        subject = owners.subject_of.get(template)
        if subject is not None:
            mine = held.setdefault(subject, [])
            if len(mine) < best:
                mine.append((score, template))
    lowest = -1.0 if everything or not scores else scores[-1]
    full = {s: min(best, owners.templates_of.get(s, 0)) for s in held}
    sure = sorted((_mean(held[s]) for s in held if everything or len(held[s]) >= full[s]), reverse=True)
    last = sure[want - 1] if len(sure) >= want else None
    if not everything:
        # A subject of whom not all is seen has at most this.
        unseen = [
            (_total(held[s]) + (full[s] - len(held[s])) * lowest) / full[s] for s in held if len(held[s]) < full[s]
        ]
        if last is None or max([lowest, *unseen]) > last - ROUNDING:
            return None
    limit = -np.inf if last is None else last - ROUNDING
    return {s: [template for _, template in mine] for s, mine in held.items() if _mean(mine) >= limit}


def _total(scored: list[tuple[float, int]]) -> float:
    return sum(score for score, _ in scored)


def _mean(scored: list[tuple[float, int]]) -> float:
    return _total(scored) / len(scored)
