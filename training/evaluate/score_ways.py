"""Ways to score a subject and to decide, side by side: what a gallery could do with the same embeddings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gallery.intervals import per_subject
from gallery.metrics import Interval, Numbers, Reals
from gallery.open_set_metrics import between_two, columns_at, draws_of, grid_of, interval_of, reaching, shares
from gallery.trials import NEVER, Labelled, Trials
from model.sequence import Floats

EVERY = 10**6
NEXT = 10


@dataclass(frozen=True, eq=False)
class Searched:
    """Searches by one way. nonmated: (n,) score of a stranger's best; by, taken_for: (n,) subjects. mated: (m,) score
    of a mate's own subject; right: (m,) whether nobody scores as high; mate: (m,) subject."""

    nonmated: Reals
    by: Numbers
    taken_for: Numbers
    mated: Reals
    right: NDArray[np.bool_]
    mate: Numbers
    people: int

    @classmethod
    def of(cls, others: Floats, own: Reals, subject: Numbers) -> Self:
        """others: (probes, people), `NEVER` for the own subject; own: (probes,), NaN without a template of another
        session; subject: (probes,)."""
        best, mates = others.max(axis=1).astype(np.float64), np.flatnonzero(~np.isnan(own))
        return cls(
            best, subject, others.argmax(axis=1).astype(np.int64), own[mates], own[mates] > best[mates],
            subject[mates], others.shape[1],
        )  # fmt: skip

    def misses(self, rates: Sequence[float], draws: int = 1000) -> list[Interval]:
        """FNIR where so many strangers are let through; people drawn again, and the threshold found anew each time."""
        grid = grid_of(self.nonmated, self.mated, rates)
        drawn = draws_of(self.people, draws)
        wrong = reaching(self.nonmated, self.by, self.people, grid)
        taken = reaching(self.nonmated, self.taken_for, self.people, grid)
        through = between_two(drawn, wrong, taken, per_subject(np.ones(len(self.by)), self.by, self.people))
        found = reaching(np.where(self.right, self.mated, -np.inf), self.mate, self.people, grid)
        missed = 1 - shares(drawn, found, per_subject(np.ones(len(self.mate)), self.mate, self.people))
        rows = np.arange(len(drawn))
        trials = len(np.unique(self.mate))
        return [interval_of(missed[rows, columns_at(through, rate)], trials) for rate in rates]


def subject_scores(data: Labelled, templates: Numbers, probes: Numbers) -> Iterator[tuple[str, Searched]]:
    """From the scores of templates to that of a subject."""
    for name, best in {"best": 1, "mean of best 2": 2, "mean of best 3": 3, "mean of best 5": 5, "mean": EVERY}.items():
        trials = Trials.of(data, templates, probes, best)
        yield name, Searched.of(trials.others, trials.own, trials.subject)
    others, own, subject = fused(data, templates, probes)
    yield "logistic: best, best 3, count", Searched.of(others, own, subject)


def fused(data: Labelled, templates: Numbers, probes: Numbers) -> tuple[Floats, Reals, Numbers]:
    """Log-odds of best score, mean of best 3 and logarithm of the number of templates, learned by each half of the
    people for the other half; squeezed into (-1, 1), as `Searched.of` takes them."""
    parts = [Trials.of(data, templates, probes, best) for best in (1, 3)]
    subject, people = parts[0].subject, data.people
    held = np.log(np.maximum(per_subject(np.ones(len(templates)), data.subject[templates], people), 1))
    # All that the own subject has, though those of the probe's session are left out: fewer would give it away.
    mine = held[subject]
    others, own = np.full(parts[0].others.shape, NEVER), np.full(len(probes), np.nan)
    rng = np.random.default_rng(0)
    for half in (0, 1):
        learn = np.flatnonzero((subject % 2 == half) & ~np.isnan(parts[0].own))
        stranger = (subject[learn] + rng.integers(1, people, len(learn))) % people
        mated = np.stack([part.own[learn] for part in parts] + [mine[learn]], axis=1)
        nonmated = np.stack([part.others[learn, stranger] for part in parts] + [held[stranger]], axis=1)
        weights = logistic(mated, nonmated)
        rest = np.flatnonzero(subject % 2 != half)
        level = sum(weight * part.others[rest] for weight, part in zip(weights, parts, strict=False))
        level = level + weights[2] * held + weights[3]
        others[rest] = np.where(parts[0].others[rest] == NEVER, NEVER, level / (1 + np.abs(level)))
        level = sum(weight * part.own[rest] for weight, part in zip(weights, parts, strict=False))
        level = level + weights[2] * mine[rest] + weights[3]
        own[rest] = level / (1 + np.abs(level))
    return others, own, subject


def logistic(mated: Reals, nonmated: Reals) -> Reals:
    """Weights (features + 1,), the last a constant, of log-odds between rows (n, features) of either kind, which count
    alike however many there are."""
    rows = np.concatenate([mated, nonmated])
    rows = np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
    sign = np.concatenate([np.ones(len(mated)), -np.ones(len(nonmated))])
    share = np.concatenate([np.full(len(mated), 0.5 / len(mated)), np.full(len(nonmated), 0.5 / len(nonmated))])

    def loss(weights: Reals) -> tuple[float, Reals]:
        level = sign * (rows @ weights)
        slope = -share * sign / (1 + np.exp(level.clip(-500, 500)))
        return float(share @ np.logaddexp(0, -level)), np.asarray(rows.T @ slope)

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x)


def normalised(trials: Trials) -> Iterator[tuple[str, Searched]]:
    """Scores held against what the same probe scores with others: with the runners-up, or with everybody."""
    ordered = -np.sort(-trials.others, axis=1).astype(np.float64)
    for count in (NEXT, 5 * NEXT):
        if count + 2 > trials.people:
            continue
        strange, mated = ordered[:, 1 : count + 1], ordered[:, :count]
        for share in (0.5, 1.0):
            yield f"less {share:g} x mean of next {count}", _moved(trials, partial(_less, share), strange, mated)
        yield f"z by next {count}", _moved(trials, _z, strange, mated)
    known = np.where(trials.others == NEVER, np.nan, trials.others).astype(np.float64)
    yield "z by everybody (t-norm)", _moved(trials, _z, known, known)


def _less(share: float, scores: Reals, cohort: Reals) -> Reals:
    return np.asarray(scores - share * cohort.mean(axis=1))


def _z(scores: Reals, cohort: Reals) -> Reals:
    return np.asarray((scores - np.nanmean(cohort, axis=1)) / np.nanstd(cohort, axis=1))


def _moved(trials: Trials, move: Callable[[Reals, Reals], Reals], strange: Reals, mated: Reals) -> Searched:
    """strange, mated: (probes, cohort) the scores of those whom the probe is compared with, where its own subject is
    not enrolled and where it is."""
    plain = Searched.of(trials.others, trials.own, trials.subject)
    mates = np.flatnonzero(~np.isnan(trials.own))
    return Searched(
        move(plain.nonmated, strange), plain.by, plain.taken_for,
        move(plain.mated, mated[mates]), plain.right, plain.mate, plain.people,
    )  # fmt: skip


def with_margin(trials: Trials) -> Iterator[tuple[str, Searched]]:
    """No match unless the runner-up is so far away."""
    plain = Searched.of(trials.others, trials.own, trials.subject)
    two = -np.sort(-np.partition(trials.others, -2, axis=1)[:, -2:], axis=1).astype(np.float64)
    mates = np.flatnonzero(~np.isnan(trials.own))
    for margin in (0.01, 0.02, 0.05):
        clear = two[:, 0] - two[:, 1] >= margin
        ahead = plain.mated - two[mates, 0] >= margin
        yield (
            f"margin of {margin:g}",
            Searched(
                np.where(clear, plain.nonmated, -1.0), plain.by, plain.taken_for,
                plain.mated, plain.right & ahead, plain.mate, plain.people,
            ),
        )  # fmt: skip
