"""How likely two groups of templates are of one person: a two-covariance model, fitted to the gallery itself.

A person is a normal draw, and a template a normal draw around it (Prince and Elder 2007; Brümmer and de Villiers
2010), so that a ratio knows how many templates it rests on. Coordinates are those in which both covariances are
diagonal: within a person 1, between people `between`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gallery.metrics import Numbers, Reals
from model.sequence import Floats

Progress = Callable[[int], object]

BLOCK = 16_000_000
LEAST_BETWEEN = 0.05
"""A coordinate that varies less between people, against within them, says nothing worth its noise."""
SIZES = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024])


@dataclass(frozen=True, eq=False)
class Model:
    """between: (d,) variance between people. templates: (n, d) in these coordinates, centred. counts: (k,) templates of
    each subject; means: (k, d) theirs. owner: (n,) whose each is."""

    between: Reals
    templates: Floats
    owner: Numbers
    counts: Reals
    means: Reals

    @classmethod
    def of(cls, embeddings: Floats, owner: Numbers, subjects: int) -> "Model | None":
        """Fit to embeddings (n, dim) of `subjects`; None where too few subjects have several templates."""
        counts = np.bincount(owner, minlength=subjects).astype(np.float64)
        free, dim = len(owner) - subjects, embeddings.shape[1]
        if subjects < 20 or free < 40:
            return None
        centre = embeddings.mean(axis=0, dtype=np.float64)
        means = sums_of(embeddings, owner, subjects) / counts[:, None] - centre
        within = _scatter(embeddings - centre.astype(np.float32) - means.astype(np.float32)[owner]) / free
        # Few templates know little of directions: the less, the rounder.
        rounder = min(0.5, dim / free)
        within = (1 - rounder) * within + rounder * np.trace(within) / dim * np.eye(dim)
        between = means.T @ means / (subjects - 1) - within * np.mean(1 / counts)
        values, vectors = np.linalg.eigh(within)
        white = vectors / np.sqrt(np.maximum(values, 1e-12))
        ratio, turn = np.linalg.eigh(white.T @ between @ white)
        kept = ratio > LEAST_BETWEEN
        if not kept.any():
            return None
        into = white @ turn[:, kept]
        shift = (centre @ into).astype(np.float32)
        return cls(ratio[kept], embeddings @ into.astype(np.float32) - shift, owner, counts, means @ into)

    def elsewhere(self, progress: Progress | None = None) -> tuple[Reals, Numbers, Reals]:
        """Of each template: log-likelihood ratio that it is of the best other subject against being of its own, as its
        own's other templates tell; which subject (n,); and the ratio that it is of anybody against its own.

        NaN for a subject's only template.
        """
        n, subjects = len(self.owner), len(self.counts)
        mean, variance = self._told_by(self.counts[:, None] * self.means, self.counts[:, None])
        right = np.concatenate([mean / variance, -0.5 / variance], axis=1).astype(np.float32).T
        fixed = -0.5 * ((mean**2 / variance) + np.log(variance)).sum(axis=1)
        best, who = np.empty(n), np.empty(n, np.int64)
        own, anybody = np.empty(n), np.empty(n)
        step = max(1, BLOCK // subjects)
        for start in range(0, n, step):
            here = slice(start, start + step)
            y, mine = self.templates[here], self.owner[here]
            score = np.concatenate([y, y * y], axis=1) @ right + fixed.astype(np.float32)
            score[np.arange(len(y)), mine] = -np.inf
            who[here] = score.argmax(axis=1)
            best[here] = score[np.arange(len(y)), who[here]]
            own[here], anybody[here] = self._own(y.astype(np.float64), mine)
            if progress:
                progress(len(y))
        alone = self.counts[self.owner] < 2
        return np.where(alone, np.nan, best - own), who, np.where(alone, np.nan, anybody - own)

    def _own(self, y: Reals, owner: Numbers) -> tuple[Reals, Reals]:
        """Log-likelihood of templates as of their own subject without them, and as of anybody."""
        count = self.counts[owner][:, None]
        mean, variance = self._told_by(count * self.means[owner] - y, count - 1)
        own = -0.5 * ((y - mean) ** 2 / variance + np.log(variance)).sum(axis=1)
        spread = 1 + self.between
        return own, -0.5 * (y**2 / spread + np.log(spread)).sum(axis=1)

    def _told_by(self, total: Reals, count: Reals) -> tuple[Reals, Reals]:
        """Mean and variance of a further template of whom templates of this sum and count are of."""
        known = self.between / (1 + count * self.between)
        return total * known, 1 + known

    def alike(self, bound: float, progress: Progress | None = None) -> Iterator[tuple[int, int, float]]:
        """Pairs of subjects whose ratio, of being one person against two, reaches `bound`."""
        size = SIZES[np.searchsorted(SIZES, self.counts, side="right") - 1].astype(np.float64)
        order = np.argsort(size, kind="stable")
        classes = np.unique(size)
        groups = [order[size[order] == each] for each in classes]
        alone = self.marginal(size, self.means)
        for i, (first, n) in enumerate(zip(groups, classes, strict=True)):
            for second, m in zip(groups[i:], classes[i:], strict=True):
                yield from self._between(first, second, float(n), float(m), alone, bound)
            if progress:
                progress(len(first))

    def _between(
        self, first: Numbers, second: Numbers, n: float, m: float, alone: Reals, bound: float
    ) -> Iterator[tuple[int, int, float]]:
        known = self.between / (1 + (n + m) * self.between)
        a, b = n * self.means[first], m * self.means[second]
        right = -alone[second] + 0.5 * (b * b) @ known
        fixed = -0.5 * float(np.log1p((n + m) * self.between).sum())
        step = max(1, BLOCK // len(second))
        for start in range(0, len(first), step):
            part = a[start : start + step]
            left = -alone[first[start : start + step]] + 0.5 * (part * part) @ known
            ratio = (part * known) @ b.T + left[:, None] + right + fixed
            for row, column in np.argwhere(ratio >= bound).tolist():
                one, other = int(first[start + row]), int(second[column])
                # Within one class every pair comes twice, and everybody meets himself.
                if n != m or one < other:
                    yield min(one, other), max(one, other), float(ratio[row, column])

    def marginal(self, count: Reals, means: Reals) -> Reals:
        """Log-likelihood (groups,) of the means of groups of `count` templates as of one person, up to what cancels."""
        gain = count[:, None] * self.between
        square = (count[:, None] * means) ** 2 * self.between / (1 + gain)
        return np.asarray(0.5 * (square - np.log1p(gain)).sum(axis=1))

    def ratio(self, one: Floats, other: Floats) -> float:
        """Log-likelihood ratio of two groups of templates (n, d), (m, d) being of one person against two."""
        means = np.stack([one.mean(axis=0), other.mean(axis=0), np.concatenate([one, other]).mean(axis=0)])
        counts = np.array([len(one), len(other), len(one) + len(other)], dtype=np.float64)
        first, second, both = self.marginal(counts, means.astype(np.float64)).tolist()
        return float(both - first - second)


def sums_of(embeddings: Floats, owner: Numbers, subjects: int) -> Reals:
    """Sum of the embeddings (n, dim) of each subject (subjects, dim)."""
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(subjects))
    return np.add.reduceat(embeddings[order], starts, axis=0, dtype=np.float64)


def _scatter(residuals: Floats) -> Reals:
    """Sum of outer products (dim, dim) in double precision, some rows at a time."""
    step = max(1, BLOCK // residuals.shape[1])
    total = np.zeros((residuals.shape[1],) * 2)
    for start in range(0, len(residuals), step):
        part = residuals[start : start + step].astype(np.float64)
        total += part.T @ part
    return total


def self_split(model: Model, bound: float, *, most: int = 300, seed: int = 0) -> tuple[float, float] | None:
    """Share of people who would be found, had each been enrolled under two ids: halves of their own templates.

    The halves are as different as they can be, then random; what two enrollments of a person are lies between, since
    random halves share walks. None where fewer than ten subjects have four templates.
    """
    able = np.flatnonzero(model.counts >= 4)
    if len(able) < 10:
        return None
    rng = np.random.default_rng(seed)
    order = np.argsort(model.owner, kind="stable")
    starts = np.searchsorted(model.owner[order], np.arange(len(model.counts)))
    found = np.zeros(2)
    chosen = rng.permutation(able)[:most]
    for subject in chosen.tolist():
        mine = model.templates[order[starts[subject] : starts[subject] + int(model.counts[subject])]]
        centred = mine - mine.mean(axis=0)
        apart = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
        half = math.ceil(len(mine) / 2)
        for place, rows in enumerate((np.argsort(apart), rng.permutation(len(mine)))):
            found[place] += model.ratio(mine[rows[:half]], mine[rows[half:]]) >= bound
    low, high = (found / len(chosen)).tolist()
    return low, high
