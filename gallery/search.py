"""One search of a view: the index proposes, exact scores rank, and the store is asked again whose each template is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from gallery.index import Ids
from gallery.rank import Search, exact_scores, ranked, shortlist
from gallery.store import Store
from gallery.store.moments import moment
from gallery.template import Candidate
from gallery.view import View
from model.sequence import Floats


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found among `subjects` subjects with `templates` templates, as of change `seq` at least.

    candidates: of each probe, best first. nearest: of each probe, the highest score of one template, -1 if there is
    none. complete: nothing was erased during the search, which would leave a place to somebody who was not looked for.
    """

    seq: int
    subjects: int
    templates: int
    candidates: Sequence[list[Candidate]]
    nearest: Sequence[float]
    complete: bool


def search(store: Store, view: View, probes: Floats, want: int, best: int, within: Ids | None = None) -> Found:
    """The best `want` subjects of each probe (q, dim), at least; `within`: among the subjects with these keys."""
    seq, now = view.seq, moment()
    look: Search = view.index.search
    if within is None:
        subjects, templates = view.owners.tally(now)
    else:
        ids, subjects = view.owners.templates_of(within, now)
        templates = len(ids)

        def look(probes: Floats, k: int) -> tuple[Floats, Ids]:
            return view.index.search_within(probes, ids, k)

    lists = shortlist(look, view.owners, probes, want, best, now)
    counts = [sum(map(len, found.values())) for found in lists]
    flat = np.array([*chain.from_iterable(chain.from_iterable(found.values()) for found in lists)], np.int64)
    scores = exact_scores(np.repeat(probes, counts, axis=0), view.index.vectors_of(flat))
    distinct = set(flat.tolist())
    # Last of all, so that whatever was erased until now is not named.
    names = store.owners(sorted(distinct))
    there = ~np.isnan(scores)  # else it left the index between the two questions
    pairs, at = list(zip(flat.tolist(), scores.tolist(), there.tolist(), strict=True)), 0
    candidates, nearest = [], []
    for count in counts:
        mine = [(template, score) for template, score, known in pairs[at : at + count] if known and template in names]
        candidates.append(ranked(mine, names, best))
        nearest.append(max((score for _, score in mine), default=-1.0))
        at += count
    return Found(seq, subjects, templates, candidates, nearest, bool(there.all()) and len(names) == len(distinct))
