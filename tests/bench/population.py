"""Embeddings as the shipped encoder makes them: of simulated people, and of as many more as a test needs.

1,000 simulated subjects walk before the cameras of a ring, the shipped encoder embeds every walk, and the result is
kept in `build/population.npz`. A million templates are resampled from it: a new subject is the mean plus a weighted
sum of real subjects' deviations from it, E' = M + sum w_i (E_i - M), where E_i (cells, dim) are all embeddings of
subject i, one a cell (walk, view), and w holds a few weights with sum w² = 1. Mean and covariance of the whole of E,
so those between subjects, within them, and from view to view, are those of the real ones; `compare` checks what they do
not decide, the scores of nearest neighbours.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from model.bundle import open_bundle, shipped
from model.clips import unit_length
from model.runtime import OnnxEncoder
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.evaluate.embedding import embed_set
from training.simulate.walkers import simulate_walkers

BUNDLE = "gait-sim-coco17"
FILE = Path("build/population.npz")
SEEDS = (41, 42)
SUBJECTS_PER_SEED = 510
VIEWS = (0, 54, 90, 144)
WALKS = {"nm": 2, "bg": 1, "cl": 1}
# Real subjects in a new one: with three, the scores of nearest neighbours are those of real subjects (`compare`).
MIXED = 3
BLOCK = 20_000
CELLS = len(VIEWS) * sum(WALKS.values())


@dataclass(frozen=True, eq=False)
class Population:
    """embeddings: (subjects, cells, dim), unit length; a cell is a walk before a camera."""

    embeddings: Floats

    @property
    def subjects(self) -> int:
        return len(self.embeddings)


@dataclass(frozen=True, eq=False)
class Draw:
    """templates: (n, dim), the `per` templates of a subject in a row. mated: probes of the subjects `of`."""

    templates: Floats
    mated: Floats
    of: NDArray[np.int64]
    strangers: Floats


def load(path: Path = FILE, *, workers: int = 2) -> Population:
    """The population, from the file or made now (minutes); a file of another bundle is made again."""
    fingerprint = open_bundle(shipped(BUNDLE)).fingerprint
    if path.exists():
        with np.load(path, allow_pickle=False) as kept:
            if str(kept["fingerprint"]) == fingerprint:
                return Population(kept["embeddings"])
    made = _make(workers)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.npz")
    np.savez(draft, embeddings=made.embeddings, fingerprint=fingerprint)
    draft.replace(path)
    return made


def _make(workers: int) -> Population:
    encoder = OnnxEncoder(open_bundle(shipped(BUNDLE)), threads=workers)
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("simulating and embedding walkers", total=len(SEEDS) * SUBJECTS_PER_SEED * (CELLS + 4))
        parts = []
        for seed in SEEDS:
            walkers = simulate_walkers(
                SUBJECTS_PER_SEED, seed=seed, views=VIEWS, walks=WALKS, workers=workers,
                progress=lambda _done, _all: bar.advance(task, 4),
            )  # fmt: skip
            parts.append(_embedded(encoder, walkers, lambda done: bar.advance(task, done)))
    return Population(np.concatenate(parts))


def _embedded(encoder: OnnxEncoder, walkers: SequenceSet, progress: Callable[[int], object]) -> Floats:
    """(subjects, cells, dim) of those subjects of whom every walk could be embedded."""
    made = embed_set(encoder, walkers, np.arange(len(walkers)), progress=progress)
    whole = made.usable.reshape(-1, CELLS).all(axis=1)
    return made.embeddings.reshape(-1, CELLS, encoder.dim)[whole]


def resample(real: Population, subjects: int, per: int, probes: int, seed: int = 0, mixed: int = MIXED) -> Draw:
    """`subjects` new ones with `per` templates each; `probes` more walks of some of them, and of as many strangers."""
    rng = np.random.default_rng(seed)
    templates = np.empty((subjects, per, real.embeddings.shape[2]), np.float32)
    chosen = np.sort(rng.choice(subjects, probes, replace=False))
    mated = np.empty((probes, templates.shape[2]), np.float32)
    for start in range(0, subjects, BLOCK):
        made = _people(real, min(BLOCK, subjects - start), per + 1, mixed, rng)
        templates[start : start + len(made)] = made[:, :per]
        here = (chosen >= start) & (chosen < start + len(made))
        mated[here] = made[chosen[here] - start, per]
    strangers = _people(real, probes, 1, mixed, rng)[:, 0]
    return Draw(templates.reshape(-1, templates.shape[2]), mated, chosen, strangers)


def _people(real: Population, count: int, cells: int, mixed: int, rng: np.random.Generator) -> Floats:
    """(count, cells, dim) of new subjects, in cells that differ from subject to subject, unit length."""
    mean = real.embeddings.mean(axis=0)
    deviations = real.embeddings - mean
    parents = rng.integers(0, real.subjects, (count, mixed))
    weights = unit_length(rng.standard_normal((count, mixed)).astype(np.float32))
    where = np.argsort(rng.random((count, CELLS)), axis=1)[:, :cells]
    made = mean[where]
    for i in range(mixed):
        made += weights[:, i, None, None] * deviations[parents[:, i, None], where]
    return unit_length(made)


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides how hard a search is. spectrum: share of the variance in the first 1, 4, 8, 16 and 32 directions;
    mated, nearest, tenth: quantiles (5, 50, 95 %) of the scores of a probe with its own subject's best template, with
    the best of another's, and with the tenth best; rank1: of as many subjects."""

    spectrum: list[float]
    mated: list[float]
    nearest: list[float]
    tenth: list[float]
    rank1: float


def compare(real: Population, per: int = 4, seed: int = 0) -> tuple[Shape, Shape]:
    """The real population, and as many resampled people."""
    rng = np.random.default_rng(seed)
    cells = np.argsort(rng.random((real.subjects, CELLS)), axis=1)[:, : per + 1]
    own = np.take_along_axis(real.embeddings, cells[:, :, None], axis=1)
    return _shape(own), _shape(_people(real, real.subjects, per + 1, MIXED, rng))


def _shape(people: Floats) -> Shape:
    """Of (subjects, templates and a probe, dim)."""
    templates, probes = people[:, :-1], people[:, -1]
    values = np.linalg.eigvalsh(np.cov(templates.reshape(-1, templates.shape[2]).T))[::-1]
    shares = np.cumsum(values) / values.sum()
    scores = (
        (probes @ templates.reshape(-1, templates.shape[2]).T).reshape(len(people), *templates.shape[:2]).max(axis=2)
    )
    mated = scores.diagonal().copy()
    np.fill_diagonal(scores, -2)
    others = np.sort(scores, axis=1)

    def quantiles(values: Floats) -> list[float]:
        return [round(float(value), 3) for value in np.quantile(values, (0.05, 0.5, 0.95))]

    spectrum = [round(float(shares[n - 1]), 4) for n in (1, 4, 8, 16, 32)]
    rank1 = round(float((mated > others[:, -1]).mean()), 3)
    return Shape(spectrum, quantiles(mated), quantiles(others[:, -1]), quantiles(others[:, -10]), rank1)
