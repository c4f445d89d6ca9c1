"""When something in a gallery is out of the ordinary: rules whose false alarms are bounded over all they look at."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from gallery.metrics import Numbers, Reals

FALSE_ALARMS = 0.01
"""At most this probability that a check says anything of a gallery in which all is well, if its model holds."""
LEAST = 30
"""Fewer subjects, or templates, have no tail that could be followed."""
_LOWER, _UPPER = 0.8, 0.95


def outlying(values: Reals, *, alpha: float = FALSE_ALARMS, resolution: float = 0.0) -> float:
    """A bound that none of these (n,) passes but by chance `alpha`: the upper tail, carried on as an exponential.

    Scale and start come from the quantiles 0.8 and 0.95, which a twentieth of outliers does not move. Cosines end at 1
    and counts are thinned by a root before, so that their tails are lighter than this and the rule is careful; on an
    exponential tail itself it errs in 5 of 100 sets of 30 and 2 of 100 of 1,000, since quantiles of few are rough.
    Infinite for fewer than `LEAST`. resolution: what the values are known to, the least scale.

    >>> bound = outlying(np.linspace(0, 1, 101))
    >>> round(bound, 3)
    1.624
    """
    known = values[~np.isnan(values)]
    if len(known) < LEAST:
        return math.inf
    start, end = (float(q) for q in np.quantile(known, [_LOWER, _UPPER]))
    scale = max((end - start) / math.log((1 - _LOWER) / (1 - _UPPER)), resolution)
    return start + scale * math.log((1 - _LOWER) * len(known) / alpha)


def evidence_needed(hypotheses: float, *, alpha: float = FALSE_ALARMS / 10) -> float:
    """The log-likelihood ratio that none of so many false hypotheses reaches but by chance `alpha`.

    By Markov's inequality a likelihood ratio, whose mean is 1 where the hypothesis is false, reaches x with
    probability 1/x at most. A tenth of the other checks' alpha, since the model of the ratio is only a model.

    >>> round(evidence_needed(1000), 2)
    13.82
    """
    return math.log(max(hypotheses, 1.0) / alpha)


def ranks_of(values: Reals) -> Reals:
    """Ranks in (0, 1), equal values by their mean rank; NaN stays.

    >>> ranks_of(np.array([3.0, 1.0, 2.0, np.nan])).round(2).tolist()
    [0.83, 0.17, 0.5, nan]
    """
    found = np.full(len(values), np.nan)
    known = ~np.isnan(values)
    distinct, inverse, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    del distinct
    middle = np.cumsum(counts) - counts / 2
    found[known] = (middle / max(known.sum(), 1))[inverse]
    return found


def holm(p_values: list[float]) -> list[float]:
    """Adjusted p-values: none below alpha but by chance alpha, whichever hypotheses are true (Holm 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    adjusted, worst = [0.0] * len(p_values), 0.0
    for place, index in enumerate(order.tolist()):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = worst
    return adjusted


ANIMALS = {"dove": (True, False), "chameleon": (True, True), "phantom": (False, False), "worm": (False, True)}
"""Yager and Dunstone (2010): whether own and others' scores are in the highest quarter, or else in the lowest."""


def menagerie(own: Reals, others: Reals) -> dict[str, tuple[NDArray[np.int64], float]]:
    """Who is in which corner of own and others' mean scores (subjects,), and the adjusted p-value of so many there.

    Where the two have nothing to do with each other, a sixteenth is in each corner; the p-values are of more.

    >>> scores = np.linspace(0, 1, 64)
    >>> found = menagerie(scores, scores)
    >>> {name: (len(who), p < 0.001) for name, (who, p) in found.items()}
    {'dove': (0, False), 'chameleon': (16, True), 'phantom': (16, True), 'worm': (0, False)}
    """
    mine, theirs = ranks_of(own), ranks_of(np.where(np.isnan(own), np.nan, others))
    count = int((~np.isnan(mine)).sum())
    inside = {
        name: np.flatnonzero(_corner(mine, high) & _corner(theirs, reached))
        for name, (high, reached) in ANIMALS.items()
    }
    adjusted = holm([float(binom.sf(len(who) - 1, max(count, 1), 1 / 16)) for who in inside.values()])
    return {name: (who, p) for (name, who), p in zip(inside.items(), adjusted, strict=True)}


def _corner(ranks: Reals, high: bool) -> NDArray[np.bool_]:
    return ranks > 0.75 if high else ranks < 0.25


def sign_test(differences: Reals) -> float:
    """Chance that as many of these are below 0 as there are, if either sign is as likely; equal ones are left out.

    >>> round(sign_test(np.array([-1.0, -1.0, -2.0, 0.0])), 3)
    0.125
    """
    below, above = int((differences < 0).sum()), int((differences > 0).sum())
    return float(binom.sf(below - 1, below + above, 0.5)) if below + above else 1.0


def in_degree(nearest: Numbers, probing: Numbers, subjects: int) -> Reals:
    """(subjects,): for how many others each is the nearest other of at least one template.

    nearest, probing: (templates,) the nearest other subject of each template, and whose template it is.

    >>> in_degree(np.array([1, 1, 0]), np.array([0, 0, 1]), 2).tolist()
    [1.0, 1.0]
    """
    pairs = np.unique(nearest.astype(np.int64) * subjects + probing)
    return np.bincount(pairs // subjects, minlength=subjects).astype(np.float64)
