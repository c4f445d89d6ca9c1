"""From templates to subjects: the best subjects of a probe, however many templates each of them has."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gallery.index import Ids, VectorIndex
from gallery.template import Candidate
from model.sequence import Floats

FIRST_ROUND = 32
GROWTH = 16
# The index computes in float32, in an order of its own; scores nearer than this may be the other way round.
ROUNDING = 1e-5

# Of one probe: subjects, and the embeddings of their templates by id.
Held: TypeAlias = dict[str, dict[int, Floats]]


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
    full = {subject: min(best, owners.templates_of.get(subject, 0)) for subject in held}
    partly = [] if everything else [subject for subject, mine in held.items() if len(mine) < full[subject]]
    means = {subject: _total(mine) / len(mine) for subject, mine in held.items() if subject not in partly}
    last = sorted(means.values())[-want] if len(means) >= want else -np.inf
    if not everything:
        # Whoever is not seen at all has at most the lowest score; who is seen partly, at most this much.
        lowest = scores[-1]
        bounds = [(_total(held[s]) + (full[s] - len(held[s])) * lowest) / full[s] for s in partly]
        if max([lowest, *bounds]) > last - ROUNDING:
            return None
    return {s: [template for _, template in held[s]] for s, mean in means.items() if mean >= last - ROUNDING}


def _total(scored: list[tuple[float, int]]) -> float:
    return sum(score for score, _ in scored)


def ranked(probe: Floats, lists: Held, best: int) -> list[Candidate]:
    """Candidates by score, then by subject; in an arithmetic whose result depends on these two vectors only."""
    rows = [(subject, template, held[template]) for subject, held in lists.items() for template in held]
    if not rows:
        return []
    exact = (np.stack([row[2] for row in rows]).astype(np.float64) * probe.astype(np.float64)).sum(axis=1)
    scored: dict[str, list[tuple[float, int]]] = {}
    for (subject, template, _), score in zip(rows, exact.clip(-1, 1).tolist(), strict=True):
        scored.setdefault(subject, []).append((-score, template))
    candidates = []
    for subject, mine in scored.items():
        chosen = sorted(mine)[:best]
        candidates.append(Candidate(subject, -sum(score for score, _ in chosen) / len(chosen), chosen[0][1]))
    return sorted(candidates, key=lambda found: (-found.score, found.subject))
