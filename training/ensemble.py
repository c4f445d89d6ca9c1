"""One or more runs over the same clips, with weights: what a bundle is exported from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from model.bundle import Member, Task
from model.clips import ClipSpec
from model.errors import InvalidRequest
from model.layout import Layout
from model.named_layouts import layout_named
from model.network.aclnet import AclNet
from training.run import Run, load_run

POSES = ("joint", "bone", "k-bone")
MOTIONS = ("motion", "bone-motion", "k-bone-motion")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Runs whose networks answer about the same clips, and how much each counts. One run is an ensemble, too.

    weights: each above 0; only their ratios matter. Raises `InvalidRequest` for runs that do not fit each other, for a
    run that is there twice, and for weights that are not as many.
    """

    runs: tuple[Run, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.runs:
            raise InvalidRequest("run", "at least one run is needed")
        _check_weights(self.runs, self.weights)
        for other in self.runs[1:]:
            _check_fits(self.runs[0], other)
        for i, run in enumerate(self.runs):
            if run.path.resolve() in {before.path.resolve() for before in self.runs[:i]}:
                raise InvalidRequest("run", f"{run.path} is there twice; give it more weight instead")

    @classmethod
    def of(cls, runs: Run | Sequence[Run], weights: Sequence[float] | None = None) -> Self:
        """weights: by default `default_weights`."""
        runs = (runs,) if isinstance(runs, Run) else tuple(runs)
        return cls(runs, default_weights(runs) if weights is None else tuple(weights))

    @classmethod
    def load(cls, paths: Sequence[Path], weights: Sequence[float] | None = None) -> Self:
        """Of runs' directories. Raises `InvalidRecipe` where one is no run."""
        return cls.of([load_run(path) for path in paths], weights)

    @property
    def task(self) -> Task:
        return "encoder" if self.runs[0].recipe.data.label == "subject" else "classifier"

    @property
    def networks(self) -> tuple[AclNet, ...]:
        return tuple(run.network for run in self.runs)

    @property
    def members(self) -> tuple[Member, ...]:
        """As a manifest has them."""
        return tuple(
            Member(name=run.recipe.name, streams=run.recipe.network.streams, weight=weight)
            for run, weight in zip(self.runs, self.weights, strict=True)
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return self.runs[0].labels

    @property
    def clip(self) -> ClipSpec:
        return self.runs[0].recipe.clip

    @property
    def layout(self) -> Layout:
        return layout_named(self.runs[0].recipe.network.layout)

    @property
    def dim(self) -> int:
        """Of the embedding: the networks' embeddings one after the other."""
        return sum(run.recipe.network.dim for run in self.runs)


def default_weights(runs: Sequence[Run]) -> tuple[float, ...]:
    """2 for joints and bones and 1 for their motions, as published, where every run is of one of the six streams and
    no two are of the same; otherwise 1 for each."""
    streams = [run.recipe.network.streams for run in runs]
    alone = [each[0] for each in streams if len(each) == 1]
    if len(set(alone)) < len(runs) or not set(alone) <= {*POSES, *MOTIONS}:
        return (1.0,) * len(runs)
    return tuple(2.0 if stream in POSES else 1.0 for stream in alone)


def _check_weights(runs: Sequence[Run], weights: Sequence[float]) -> None:
    if len(weights) != len(runs):
        raise InvalidRequest("weights", f"{len(runs)} runs need as many weights, got {len(weights)}")
    if not all(math.isfinite(weight) and weight > 0 for weight in weights):
        raise InvalidRequest("weights", f"must be numbers above 0, got {', '.join(f'{one:g}' for one in weights)}")


def _check_fits(first: Run, other: Run) -> None:
    ours, theirs = first.recipe, other.recipe
    for what, mine, its in (
        ("label", ours.data.label, theirs.data.label),
        ("layout", ours.network.layout, theirs.network.layout),
        *((f"clip.{name}", value, getattr(theirs.clip, name)) for name, value in ours.clip),
    ):
        if mine != its:
            raise InvalidRequest("run", f"{other.path} has {what} {its}, {first.path} {mine}: they see different clips")
    if first.labels != other.labels:
        raise InvalidRequest("run", f"{other.path} tells {_apart(other, first)} apart, unlike {first.path}")


def _apart(other: Run, first: Run) -> str:
    if len(other.labels) != len(first.labels):
        return f"{len(other.labels)} and not {len(first.labels)} names"
    place = next(i for i, (mine, its) in enumerate(zip(first.labels, other.labels, strict=True)) if mine != its)
    return f"names (number {place}: {other.labels[place]!r}, not {first.labels[place]!r})"
