"""From templates to subjects: the best subjects of a probe, however many templates each of them has."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.index import Ids
from gallery.owners import NOBODY, Owners
from gallery.template import Candidate
from model.sequence import Floats

FIRST_ROUND = 32
GROWTH = 16
# The index computes in float32, in an order of its own; scores nearer than this may be the other way round.
ROUNDING = 1e-5

# (probes, k) to scores and ids, as `VectorIndex.search`.
Search: TypeAlias = Callable[[Floats, int], tuple[Floats, Ids]]
# Of one probe, best first: scores, templates, whose each is, and how many templates that subject has.
Row: TypeAlias = tuple[list[float], list[int], list[int], list[int]]


def shortlist(
    search: Search, owners: Owners, probes: Floats, want: int, best: int, now: int
) -> list[dict[int, list[int]]]:
    """For each probe (q, dim), the subjects that may be among its `want` best, with their `best` best templates.

    A subject's score is the mean of its `best` highest template scores. All of the `want` best subjects are there,
    and those so near to the last of them that only exact arithmetic can tell. Who has expired at `now` is not.
    """
    found: list[dict[int, list[int]]] = [{} for _ in range(len(probes))]
    open_probes = np.arange(len(probes))
    k = max(FIRST_ROUND, 4 * want * best)
    while len(open_probes):
        scores, ids = search(probes[open_probes], k)
        subjects, held = owners.of(ids, now)
        everything = scores.shape[1] < k
        still = []
        rows = zip(scores.tolist(), ids.tolist(), subjects.tolist(), held.tolist(), strict=True)
        for place, row in zip(open_probes.tolist(), rows, strict=True):
            chosen = _choose(row, want, best, everything) if best > 1 else _choose_nearest(row, want, everything)
            if chosen is None:
                still.append(place)
            else:
                found[place] = chosen
        open_probes = np.array(still, dtype=np.intp)
        k *= GROWTH
    return found


def _choose(row: Row, want: int, best: int, everything: bool) -> dict[int, list[int]] | None:
    """The subjects of one probe's templates, or None if templates further down could still change them."""
    mine: dict[int, list[tuple[float, int]]] = {}
    full: dict[int, int] = {}
    for score, template, subject, count in zip(*row, strict=True):
        if subject != NOBODY:
            chosen = mine.setdefault(subject, [])
            if len(chosen) < best:
                chosen.append((score, template))
                full[subject] = min(best, count)
    partly = [] if everything else [subject for subject, chosen in mine.items() if len(chosen) < full[subject]]
    means = {subject: _total(chosen) / len(chosen) for subject, chosen in mine.items() if subject not in partly}
    last = sorted(means.values())[-want] if len(means) >= want else -np.inf
    if not everything:
        # Whoever is not seen at all has at most the lowest score; who is seen partly, at most this much.
        lowest = row[0][-1]
        bounds = [(_total(mine[s]) + (full[s] - len(mine[s])) * lowest) / full[s] for s in partly]
        if max([lowest, *bounds]) > last - ROUNDING:
            return None
    return {s: [template for _, template in mine[s]] for s, mean in means.items() if mean >= last - ROUNDING}


def _choose_nearest(row: Row, want: int, everything: bool) -> dict[int, list[int]] | None:
    """The same where the best template alone counts: each subject's is the first that comes."""
    found: dict[int, list[int]] = {}
    least = -np.inf
    for score, template, subject, _ in zip(*row, strict=True):
        if score < least:
            return found
        if subject != NOBODY and subject not in found:
            found[subject] = [template]
            if len(found) == want:
                least = score - ROUNDING
    return found if everything else None


def _total(scored: list[tuple[float, int]]) -> float:
    return sum(score for score, _ in scored)


def exact_scores(probes: Floats, rows: Floats) -> NDArray[np.float64]:
    """Cosines (n,) of probes (n, dim) with rows (n, dim), in an arithmetic whose result for a pair depends on its two
    vectors only."""
    scores: NDArray[np.float64] = (rows.astype(np.float64) * probes.astype(np.float64)).sum(axis=1)
    return scores.clip(-1, 1)


def ranked(templates: Sequence[tuple[int, float]], names: Mapping[int, str], best: int) -> list[Candidate]:
    """Candidates by score, then by subject, from (template, exact score) and the subject of each template.

    Templates that are nobody's are passed by.
    """
    scored: dict[str, list[tuple[float, int]]] = {}
    for template, score in templates:
        name = names.get(template)
        if name is not None:
            scored.setdefault(name, []).append((-score, template))
    candidates = []
    for subject, mine in scored.items():
        chosen = sorted(mine)[:best]
        candidates.append(Candidate(subject, -sum(score for score, _ in chosen) / len(chosen), chosen[0][1]))
    return sorted(candidates, key=lambda found: (-found.score, found.subject))
