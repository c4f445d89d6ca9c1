"""The bundle's thresholds against those a gallery measured on itself: what both do to people who were in neither."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallery.calibrate import calibrate
from gallery.calibration import Calibration
from gallery.intervals import drawn_again, share_interval
from gallery.metrics import Interval, Names, Numbers, Reals
from model.errors import InvalidRequest
from model.sequence import Floats
from training.protocols.cells import Cell

SPLITS = 40
SHARE_OF_STRANGERS = 0.25


@dataclass(frozen=True, eq=False)
class Scene:
    """What is enrolled and what searches: rows of the embeddings."""

    name: str
    enrolled: Numbers
    probes: Numbers


@dataclass(frozen=True, slots=True)
class Errors:
    """Both errors of the thresholds of one kind, over all splits; `refused` of them had too few people for the rate."""

    scene: str
    kind: str
    rate: float
    enrolled: float
    threshold: float
    refused: int
    splits: int
    fpir: Interval | None
    fnir: Interval | None

    def to_json(self) -> dict[str, Any]:
        fpir, fnir = ([one.value, one.low, one.high] if one else None for one in (self.fpir, self.fnir))
        return {
            "scene": self.scene, "thresholds": self.kind, "target_fpir": self.rate, "enrolled": self.enrolled,
            "threshold": self.threshold, "refused": self.refused, "splits": self.splits, "fpir": fpir, "fnir": fnir,
        }  # fmt: skip


def scenes_of(cells: Sequence[Cell], usable: Numbers) -> list[Scene]:
    """One scene a figure of a protocol, whose cells are taken together; figures with the same cells once. Then each
    gallery searched by its own walks, which do not face themselves."""
    found: dict[bytes, Scene] = {}
    for name in dict.fromkeys(cell.table for cell in cells):
        alike = [cell for cell in cells if cell.table == name]
        enrolled = np.intersect1d(np.concatenate([cell.gallery for cell in alike]), usable)
        probes = np.intersect1d(np.concatenate([cell.probes for cell in alike]), usable)
        key = enrolled.tobytes() + b"|" + probes.tobytes()
        found.setdefault(key, Scene(name, enrolled, probes))
    for scene in list(found.values()):
        own = scene.enrolled.tobytes()
        found.setdefault(own, Scene(f"gallery of {scene.name}", scene.enrolled, scene.enrolled))
    return list(found.values())


def compare_thresholds(
    embeddings: Floats,
    subjects: Names,
    sessions: Names,
    scene: Scene,
    rates: Sequence[float],
    prior: Calibration | None,
    *,
    splits: int = SPLITS,
    seed: int = 0,
) -> Iterator[Errors]:
    """A quarter of the people stay strangers; the others are enrolled, and their gallery is calibrated on itself.

    Again and again with other people; probes of the enrolled are mates, those of the strangers non-mated.
    """
    names, owner = np.unique(subjects, return_inverse=True)
    rng = np.random.default_rng(seed)
    people = np.unique(owner[scene.enrolled])
    drawn = [rng.permutation(people) for _ in range(splits)]
    for rate in rates:
        tallies = {"own": _Tally(len(names)), **({"prior": _Tally(len(names))} if prior else {})}
        for order in drawn:
            enrolled = order[max(1, round(len(order) * SHARE_OF_STRANGERS)) :]
            split = _Split.of(embeddings, owner, sessions, scene, enrolled)
            for kind, tally in tallies.items():
                tally.add(split, _threshold(kind, prior, split, embeddings, subjects, sessions, rate, seed))
        for kind, tally in tallies.items():
            yield tally.errors(scene.name, kind, rate, len(enrolled), splits)


def _threshold(
    kind: str, prior: Calibration | None, split: "_Split", embeddings: Floats, subjects: Names, sessions: Names,
    rate: float, seed: int,
) -> float | None:  # fmt: skip
    rows = split.rows
    people = len(np.unique(subjects[rows]))
    try:
        if kind == "prior":
            return None if prior is None else prior.threshold(people, rate, templates=len(rows)).value
        own = calibrate(
            embeddings[rows], subjects[rows], sessions=sessions[rows], templates_per_subject=None, target_fpir=rate,
            seed=seed,
        )  # fmt: skip
        return own.threshold(people, rate, templates=len(rows)).value
    except InvalidRequest:
        return None


@dataclass(frozen=True, eq=False)
class _Split:
    """rows: enrolled. Of each probe its best score, whether it is the own subject's, whose it is, and whether templates
    of another session of its subject are enrolled."""

    rows: Numbers
    best: Reals
    right: Names
    owner: Numbers
    mated: Names
    strange: Names

    @classmethod
    def of(cls, embeddings: Floats, owner: Numbers, sessions: Names, scene: Scene, enrolled: Numbers) -> "_Split":
        rows = scene.enrolled[np.isin(owner[scene.enrolled], enrolled)]
        whose = owner[scene.probes]
        scores = (embeddings[scene.probes] @ embeddings[rows].T).astype(np.float64)
        own = whose[:, None] == owner[rows][None, :]
        together = own & (sessions[scene.probes][:, None] == sessions[rows][None, :])
        scores[together] = -1.0
        first = owner[rows][scores.argmax(axis=1)]
        strangers = ~np.isin(whose, enrolled)
        return cls(rows, scores.max(axis=1), first == whose, whose, (own & ~together).any(axis=1), strangers)


class _Tally:
    """Errors of each person over all splits."""

    def __init__(self, people: int) -> None:
        self.counts = np.zeros((4, people))
        self.thresholds: list[float] = []
        self.refused = 0

    def add(self, split: _Split, threshold: float | None) -> None:
        if threshold is None:
            self.refused += 1
            return
        self.thresholds.append(threshold)
        over = split.best >= threshold
        for row, (event, chosen) in enumerate(
            [(over, split.strange), (None, split.strange), (~(over & split.right), split.mated), (None, split.mated)]
        ):
            weight = chosen if event is None else event & chosen
            self.counts[row] += np.bincount(split.owner, weight, self.counts.shape[1])

    def errors(self, scene: str, kind: str, rate: float, enrolled: int, splits: int) -> Errors:
        wrong, strangers, missed, mates = self.counts
        return Errors(
            scene, kind, rate, enrolled, float(np.mean(self.thresholds)) if self.thresholds else float("nan"),
            self.refused, splits, _interval(wrong, strangers), _interval(missed, mates),
        )  # fmt: skip


def _interval(events: Reals, trials: Reals) -> Interval | None:
    """Over those people who searched at all."""
    here = trials > 0
    if not here.any():
        return None
    return share_interval(events[here], trials[here], drawn_again(int(here.sum())))
