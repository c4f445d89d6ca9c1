"""What searches of galleries of one size answer, expected over every gallery of that size that can be drawn.

A probe's scores with everybody, highest first, say what its best score is in a gallery of N of them: it is the k-th
of M if that one is drawn and none of the k - 1 before it, which has a known chance. So no gallery needs to be drawn.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from gallery.intervals import per_subject, share_interval, worth
from gallery.metrics import Interval, Numbers, Reals
from gallery.trials import Trials

NEGLIGIBLE = 1e-6
EVENTS = 1_000_000
COMMON = 0.1
"""An error rate at which even little data have errors enough to see whether they hang together; rarer ones do less."""

Flags = NDArray[np.bool_]


def chance_of_none(people: int, size: int, ahead: Numbers) -> Reals:
    """Chance that of `people` of whom `size` are drawn, none is among those `ahead`: C(M - a, N) / C(M, N).

    >>> chance_of_none(4, 2, np.array([0, 1, 2, 3])).round(3).tolist()
    [1.0, 0.5, 0.167, 0.0]
    """
    rest = people - np.asarray(ahead, dtype=np.float64)
    possible = rest >= size
    left = np.where(possible, rest, size)
    log = gammaln(left + 1) - gammaln(left - size + 1) - gammaln(people + 1) + gammaln(people - size + 1)
    return np.asarray(np.where(possible, np.exp(np.minimum(log, 0.0)), 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Searches:
    """Searches of galleries of `size` subjects.

    score, mass: (events,) a best score of a stranger, highest first, and how often it is that, in searches of which
    there are `strangers`. by, taken_for: (events,) whose probe it was, and whom it was taken for. probe: (events,)
    row of the data. own: (mates,) scores of mates with their own subject; alone: (mates,) chance that nobody in the
    gallery scores as high; mate: (mates,) subject; mate_probe: (mates,) row of the data.
    trials: (people,) searches by strangers of each subject.
    """

    size: int
    people: int
    score: Reals
    mass: Reals
    by: Numbers
    taken_for: Numbers
    probe: Numbers
    own: Reals
    alone: Reals
    mate: Numbers
    mate_probe: Numbers
    trials: Reals

    @property
    def strangers(self) -> float:
        return float(self.trials.sum())

    @classmethod
    def of(cls, trials: Trials, size: int, rng: np.random.Generator) -> Self:
        """size: at most the people but one, since the probe's own subject is left out."""
        others = trials.people - 1
        none = chance_of_none(others, size, np.arange(others + 1))
        ranks = max(1, int(np.searchsorted(-none, -NEGLIGIBLE)))
        used = np.sort(rng.permutation(len(trials.probe))[: max(1, EVENTS // ranks)])
        score, taken_for = _best(trials.others[used], ranks)
        mass = np.broadcast_to(none[:ranks] - none[1 : ranks + 1], score.shape).ravel()
        row = np.repeat(used, ranks)
        order = np.argsort(-score.ravel(), kind="stable")
        mates = np.flatnonzero(~np.isnan(trials.own))
        return cls(
            size,
            trials.people,
            score.ravel()[order].astype(np.float64),
            mass[order],
            trials.subject[row[order]],
            taken_for.ravel()[order],
            trials.probe[row[order]],
            trials.own[mates],
            chance_of_none(others, size - 1, trials.ahead[mates]),
            trials.subject[mates],
            trials.probe[mates],
            per_subject(np.ones(len(used)), trials.subject[used], trials.people),
        )

    def only(self, chosen: Flags, trials: Trials) -> "Searches":
        """Searches by those probes whose row of the data is `chosen`, in the same galleries."""
        strange, mated = chosen[self.probe], chosen[self.mate_probe]
        share = self.strangers / len(trials.probe)
        counted = per_subject(chosen[trials.probe], trials.subject, self.people) * share
        return Searches(
            self.size,
            self.people,
            self.score[strange],
            self.mass[strange],
            self.by[strange],
            self.taken_for[strange],
            self.probe[strange],
            self.own[mated],
            self.alone[mated],
            self.mate[mated],
            self.mate_probe[mated],
            counted,
        )

    def threshold(self, rate: float) -> float:
        """Lowest threshold that no more than `rate` of the strangers' searches reach."""
        reached = np.cumsum(self.mass)
        first = int(np.searchsorted(reached, rate * self.strangers * (1 + 1e-9), side="right"))
        if first >= len(self.score):
            return -1.0
        return float(np.nextafter(np.float32(self.score[first]), np.float32(np.inf)))

    def fpir(self, threshold: float, weights: Reals) -> Interval:
        """Share of strangers let through; weights: of `drawn_again`."""
        by, taken_for = self._false(threshold)
        return share_interval(by, self.trials, weights, others=taken_for)

    def fnir(self, threshold: float, weights: Reals) -> Interval | None:
        """Share of mates missed, or taken for somebody else; None without mates."""
        if not len(self.own):
            return None
        missed = 1 - self.alone * (self.own >= threshold)
        events = per_subject(missed, self.mate, self.people)
        return share_interval(events, per_subject(np.ones(len(missed)), self.mate, self.people), weights)

    def worth(self, weights: Reals, searches: float, rate: float = COMMON) -> float:
        """How many independent searches by strangers these are worth, of `searches` among everybody.

        A search among everybody is one in each of the galleries of this size that people can be divided into.
        """
        by, taken_for = self._false(self.threshold(rate))
        most = searches * ((self.people - 1) // self.size)
        return worth(by, self.trials, weights, others=taken_for, most=most)

    def _false(self, threshold: float) -> tuple[Reals, Reals]:
        """False positives of each subject, and those in which it was taken for another."""
        count = int(np.searchsorted(-self.score, -threshold, side="right"))
        mass = self.mass[:count]
        return (
            per_subject(mass, self.by[:count], self.people),
            per_subject(mass, self.taken_for[:count], self.people),
        )


def _best(scores: NDArray[np.float32], ranks: int) -> tuple[NDArray[np.float32], Numbers]:
    """The `ranks` highest of each row, highest first, and their columns."""
    if ranks == 1:
        top = scores.argmax(axis=1)[:, None]
    elif ranks < scores.shape[1] // 2:
        top = np.argpartition(-scores, ranks, axis=1)[:, :ranks]
    else:
        top = np.argsort(-scores, axis=1)[:, :ranks]
    found = np.take_along_axis(scores, top, axis=1)
    within = np.argsort(-found, axis=1)
    return np.take_along_axis(found, within, axis=1), np.take_along_axis(top, within, axis=1)
