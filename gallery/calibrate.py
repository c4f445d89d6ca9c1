"""Measures a calibration on labelled embeddings: many random galleries, searched by mates and by strangers."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.calibration import Calibration, Row
from gallery.metrics import Names, Numbers, Reals, fnir, smallest_rate, threshold_at_fpir
from gallery.template import now
from model.errors import InvalidDataSet, InvalidRequest
from model.sequence import Floats

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
TARGET_FPIR = 0.05
PROBES_A_DRAW = 2000
SHARE_ENROLLED = 0.8


def calibrate(
    embeddings: Floats,
    subjects: Sequence[str] | Names,
    *,
    sessions: Sequence[str] | Names | None = None,
    made_on: str = "",
    templates_per_subject: int = 1,
    best: int = 1,
    sizes: Sequence[int] = SIZES,
    rates: Sequence[float] | None = None,
    target_fpir: float = TARGET_FPIR,
    draws: int = 20,
    seed: int = 0,
) -> Calibration:
    """Thresholds for galleries of `sizes` subjects at false-positive identification `rates`.

    embeddings: (n, dim), unit length; subjects: (n,) whose each is. sessions: (n,) which are of one recording (the
    views of one walk): they count as one search, and never face each other as template and mated probe.
    For each size, galleries of random subjects with `templates_per_subject` random templates are searched by
    everybody else (whose best score is that of a stranger) and by their own subjects' other embeddings.
    rates: default those of `RATES` that the data support.

    Raises `InvalidDataSet` where there are fewer than three subjects, `InvalidRequest` for a rate that the number of
    searches cannot support: by the rule of 3, n searches support none below 3 / n.
    """
    data = _Data.of(embeddings, subjects, sessions)
    searches = data.independent_searches()
    chosen_rates = _supported(rates, target_fpir, searches)
    largest = max(1, int(len(data.members) * SHARE_ENROLLED))
    rows: list[Row] = []
    for size in sorted({min(size, largest) for size in sizes} | {1}):
        measured = _measure(data, size, templates_per_subject, best, draws, np.random.default_rng((seed, size)))
        rows.extend(_rows(size, measured, chosen_rates))
    content: dict[str, Any] = {
        "made_on": made_on,
        "created": now().date().isoformat(),
        "subjects": len(data.members),
        "searches": searches,
        "supported": smallest_rate(searches),
        "templates_per_subject": templates_per_subject,
        "best": best,
        "target_fpir": target_fpir,
        "table": [row.model_dump() for row in rows],
    }
    identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return Calibration.from_json({"id": identity, **content})


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    embeddings: Floats
    subject: Numbers
    session: Numbers
    members: tuple[Numbers, ...]

    @classmethod
    def of(cls, embeddings: Floats, subjects: Sequence[str] | Names, sessions: Sequence[str] | Names | None) -> "_Data":
        names, subject = np.unique(np.asarray(subjects), return_inverse=True)
        if len(subject) != len(embeddings) or (sessions is not None and len(sessions) != len(embeddings)):
            raise InvalidDataSet("calibration", "embeddings, subjects and sessions must be equally many")
        if len(names) < 3:
            raise InvalidDataSet("calibration", f"{len(names)} subjects; at least 3 are needed to have strangers")
        own = np.arange(len(subject)) if sessions is None else np.unique(np.asarray(sessions), return_inverse=True)[1]
        members = tuple(np.flatnonzero(subject == i).astype(np.int64) for i in range(len(names)))
        return cls(np.ascontiguousarray(embeddings, np.float32), subject, own, members)

    def independent_searches(self) -> int:
        return len(np.unique(np.stack([self.subject, self.session]), axis=1).T)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    nonmated: Reals
    mated: Reals
    first: NDArray[np.bool_]


def _supported(rates: Sequence[float] | None, target: float, searches: int) -> list[float]:
    smallest = smallest_rate(searches)
    wanted = [target, *(rates or ())]
    for rate in wanted:
        if rate < smallest:
            raise InvalidRequest(
                "fpir",
                f"{searches} independent searches support no rate below {smallest:.3g} (rule of 3); "
                f"for {rate:g}, {math.ceil(3 / rate) - searches} more are needed",
            )
    return sorted({rate for rate in (*(RATES if rates is None else rates), target) if rate >= smallest})


def _measure(data: _Data, size: int, templates: int, best: int, draws: int, rng: np.random.Generator) -> _Measured:
    nonmated, mated, first = [], [], []
    # A small gallery shows few faces of the population, so it takes more of them.
    for _ in range(max(draws, math.ceil(2 * len(data.members) / size))):
        enrolled = rng.choice(len(data.members), size, replace=False)
        rows = np.stack([_pick(data.members[i], templates, rng) for i in enrolled])
        strangers = np.flatnonzero(~np.isin(data.subject, enrolled))
        strangers = rng.permutation(strangers)[:PROBES_A_DRAW]
        nonmated.append(_scores(data, strangers, rows, best).max(axis=1))
        mates, column = _mates(data, enrolled, rows, rng)
        scores = _scores(data, mates, rows, best)
        mated.append(scores.max(axis=1, initial=-1.0))
        first.append(scores.argmax(axis=1) == column if len(mates) else np.empty(0, bool))
    return _Measured(np.concatenate(nonmated), np.concatenate(mated), np.concatenate(first))


def _pick(members: Numbers, count: int, rng: np.random.Generator) -> Numbers:
    return rng.choice(members, count, replace=len(members) < count)


def _mates(data: _Data, enrolled: Numbers, rows: Numbers, rng: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Embeddings of enrolled subjects from sessions that their templates are not of, and their subjects' columns."""
    found = []
    for column, subject in enumerate(enrolled):
        members = data.members[subject]
        free = members[~np.isin(data.session[members], data.session[rows[column]])]
        found.append(np.stack([free, np.full(len(free), column)], axis=1))
    pairs = rng.permutation(np.concatenate(found))[:PROBES_A_DRAW]
    return pairs[:, 0], pairs[:, 1]


def _scores(data: _Data, probes: Numbers, rows: Numbers, best: int) -> Reals:
    """Subject scores (probes, subjects) against templates `rows` (subjects, templates)."""
    flat = data.embeddings[probes] @ data.embeddings[rows.ravel()].T
    scores = flat.reshape(len(probes), *rows.shape).astype(np.float64)
    if best == 1:
        return np.asarray(scores.max(axis=2))
    return np.asarray(np.sort(scores, axis=2)[:, :, -best:].mean(axis=2))


def _rows(size: int, measured: _Measured, rates: Sequence[float]) -> list[Row]:
    found = []
    for rate in rates:
        threshold = min(threshold_at_fpir(measured.nonmated, rate), 1.0)
        missed = fnir(measured.mated, measured.first, threshold) if len(measured.mated) else None
        found.append(Row(subjects=size, fpir=rate, threshold=threshold, fnir=missed))
    return found
