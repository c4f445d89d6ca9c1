"""Who is enrolled and who is a stranger: random divisions in which everybody is both, as often as the share asks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from training.evaluate.openset_data import Walks
from training.protocols.cells import Integers, Mask


@dataclass(frozen=True, eq=False)
class Split:
    """One gallery and who searches it. templates, mated, strangers: indices of embeddings; templates by person."""

    templates: Integers
    mated: Integers
    strangers: Integers


def enrolled_people(people: int, share: float, splits: int, rng: np.random.Generator) -> Iterator[Mask]:
    """`splits` masks (people,): round(share x people) are enrolled, at least one, and at least one is not.

    A window moves over a random order, by the smaller of both sides, until everybody was enrolled and a stranger;
    then comes a new order.

    >>> found = list(enrolled_people(4, 0.5, 2, np.random.default_rng(0)))
    >>> [int(mask.sum()) for mask in found], bool((found[0] ^ found[1]).all())
    ([2, 2], True)
    """
    size = min(max(round(share * people), 1), people - 1)
    step = min(size, people - size)
    order, start = rng.permutation(people), 0
    for _ in range(splits):
        mask = np.zeros(people, bool)
        mask[order[(start + np.arange(size)) % people]] = True
        yield mask
        start += step
        if start >= people:
            order, start = rng.permutation(people), 0


class Divider:
    """Makes a `Split` of the people who are enrolled.

    eligible: (n,) which embeddings may be templates. walks: how many walks of a person are enrolled, default half of
    the eligible ones; all that cameras saw of a walk goes with it. templates: at most so many of a person.
    """

    def __init__(self, data: Walks, eligible: Mask, *, walks: int | None = None, templates: int | None = None) -> None:
        self._data, self._walks, self._templates = data, walks, templates
        self.names, owner = np.unique(data.subject, return_inverse=True)
        self.owner = owner.astype(np.int64)
        order = np.argsort(self.owner, kind="stable")
        self._members = np.split(order, np.cumsum(np.bincount(self.owner))[:-1])
        self._eligible = eligible
        self.can_enroll = np.array([bool(eligible[rows].any()) for rows in self._members])

    def split(self, enrolled: Mask, rng: np.random.Generator) -> Split:
        templates, mated = [], []
        for person in np.flatnonzero(enrolled & self.can_enroll).tolist():
            rows = self._members[person]
            chosen = self._chosen_walks(rows, rng)
            inside = np.isin(self._data.walk[rows], chosen)
            held = rows[inside & self._eligible[rows]]
            if self._templates is not None and len(held) > self._templates:
                held = np.sort(rng.choice(held, self._templates, replace=False))
            templates.append(held)
            mated.append(rows[~inside])
        strangers = np.flatnonzero(~(enrolled & self.can_enroll)[self.owner])
        none = np.empty(0, np.int64)
        return Split(np.concatenate([none, *templates]), np.concatenate([none, *mated]), strangers)

    def _chosen_walks(self, rows: Integers, rng: np.random.Generator) -> Integers:
        """Walks of a person that are enrolled; one is left to be searched with, where there is one."""
        there = np.unique(self._data.walk[rows])
        able = np.unique(self._data.walk[rows[self._eligible[rows]]])
        most = max(len(able) - (len(able) == len(there)), 1)
        wanted = len(able) // 2 if self._walks is None else self._walks
        return np.asarray(rng.permutation(able)[: min(max(wanted, 1), most)])
