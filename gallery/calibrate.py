"""Measures a calibration on labelled embeddings: everybody left out in turn is a stranger to all the others."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gallery.at_size import AtSize, conditions, histogram
from gallery.calibration import FORMAT, Calibration
from gallery.intervals import DRAWS, drawn_again, people_needed
from gallery.likelihood import Evidence, evidence_of
from gallery.metrics import Names, Numbers, Reals, decibels
from gallery.sub_galleries import Searches
from gallery.tail import Tail
from gallery.template import now
from gallery.trials import CELLS, PEOPLE_LIMIT, Labelled, Trials
from model.errors import InvalidRequest
from model.sequence import Floats

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
TARGET_FPIR = 0.05
TEMPLATE_DRAWS = 5
WEIGHTS = 10_000_000

Progress = Callable[[int], object]
"""Called with the number of steps done since the last call; there are `len(SIZES) + 2` or a few less."""


def calibrate(
    embeddings: Floats,
    subjects: Sequence[str] | Names,
    *,
    sessions: Sequence[str] | Names | None = None,
    labels: Mapping[str, Sequence[str] | Names] | None = None,
    made_on: str = "",
    templates_per_subject: int | None = 1,
    best: int = 1,
    sizes: Sequence[int] = SIZES,
    rates: Sequence[float] | None = None,
    target_fpir: float = TARGET_FPIR,
    min_margin: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Calibration:
    """Thresholds for galleries of `sizes` subjects at false-positive identification `rates`.

    embeddings: (n, dim), unit length; subjects: (n,) whose each is. sessions: (n,) which are of one recording (the
    views of one walk): they count as one search, and never face each other as template and mated probe.
    Every embedding is searched among everybody else's templates, `templates_per_subject` random ones of each (None:
    all there are), as a stranger, and among its own subject's of other sessions as a mate; smaller galleries are all
    those that can be drawn of them. labels: columns (n,) whose every value gets a curve of its own; "" is no value.
    rates: default those of `RATES` that the data support, which is decided for each size.

    Raises `InvalidDataSet` where there are fewer than three subjects, `InvalidRequest` for a rate that the number of
    people cannot support: by the rule of 3, n independent searches support none below 3 / n.
    """
    done = progress or (lambda _: None)
    rng = np.random.default_rng(seed)
    data, kept = _few_enough(Labelled.of(embeddings, subjects, sessions), rng)
    trials = _trials(data, templates_per_subject, best, rng)
    done(1)
    weights = drawn_again(data.people, max(200, min(DRAWS, WEIGHTS // data.people)), seed)
    by_size = _by_size(trials, sizes, weights, data.searches, rng, done)
    largest = by_size[-1]
    chosen = _supported(rates, target_fpir, data.people, largest.worth)
    rows = [row for one in by_size for row in one.rows([rate for rate in chosen if rate >= 3 / one.worth * (1 - 1e-9)])]
    threshold = next(row.threshold for row in rows if (row.subjects, row.fpir) == (largest.size, target_fpir))
    columns = {name: np.asarray(values)[kept] for name, values in (labels or {}).items()}
    content: dict[str, Any] = {
        "format": FORMAT,
        "made_on": made_on,
        "created": now().date().isoformat(),
        "subjects": data.people,
        "searches": data.searches,
        "worth": round(largest.worth, 1),
        "supported": min(1.0, 3 / largest.worth),
        "templates_per_subject": _templates_each(data, templates_per_subject),
        "best": best,
        "target_fpir": target_fpir,
        "min_margin": min_margin,
        "table": [row.model_dump() for row in rows],
        "tail": None if largest.tail is None else largest.tail.model_dump(),
        "evidence": _evidence(by_size[0], data.people),
        "curve": [point.model_dump() for point in largest.curve()],
        "histogram": histogram(largest.searches).model_dump(),
        "conditions": [
            found.model_dump()
            for name, values in columns.items()
            for found in conditions(name, values, largest, trials, data, threshold, chosen)
        ],
    }
    done(1)
    identity = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    return Calibration.from_json({"id": identity, **content})


def _few_enough(data: Labelled, rng: np.random.Generator) -> tuple[Labelled, Numbers]:
    """All of the data, or random `PEOPLE_LIMIT` people of it; and the rows that were kept."""
    if data.people <= PEOPLE_LIMIT:
        return data, np.arange(len(data.subject))
    kept = np.flatnonzero(np.isin(data.subject, rng.permutation(data.people)[:PEOPLE_LIMIT]))
    return Labelled.of(data.embeddings[kept], data.subject[kept], data.session[kept]), kept


def _trials(data: Labelled, templates: int | None, best: int, rng: np.random.Generator) -> Trials:
    members = data.members()
    fixed = templates is None or max(map(len, members)) <= templates
    draws = 1 if fixed else TEMPLATE_DRAWS
    count = min(len(data.subject), max(1, CELLS // (data.people * draws)))
    parts = []
    for _ in range(draws):
        rows = np.concatenate([_some(each, None if fixed else templates, rng) for each in members])
        probes = np.sort(rng.permutation(len(data.subject))[:count])
        parts.append(Trials.of(data, rows, probes, best))
    return Trials.joined(parts)


def _some(rows: Numbers, count: int | None, rng: np.random.Generator) -> Numbers:
    return rows if count is None or len(rows) <= count else rng.permutation(rows)[:count]


def _templates_each(data: Labelled, templates: int | None) -> float:
    return round(len(data.subject) / data.people, 4) if templates is None else float(templates)


def _by_size(
    trials: Trials, sizes: Sequence[int], weights: Reals, searches: int, rng: np.random.Generator, done: Progress
) -> list[AtSize]:
    """Smallest first; what many templates and probes of one person are worth never rises with the size."""
    found: list[AtSize] = []
    worth = 0.0
    for size in sorted({*(size for size in sizes if size < trials.people), 1, trials.people - 1}, reverse=True):
        measured = Searches.of(trials, size, rng)
        worth = max(worth, measured.worth(weights, searches))
        tail = Tail.of(measured.score, measured.mass, measured.strangers, worth)
        found.insert(0, AtSize(measured, weights, worth, tail))
        done(1)
    return found


def _supported(rates: Sequence[float] | None, target: float, people: int, worth: float) -> list[float]:
    """Rates to measure: those wanted, and the smallest that the largest galleries support."""
    smallest = 3 / worth
    for rate in (target, *(rates or ())):
        if not 0 < rate < 1:
            raise InvalidRequest("fpir", f"must be between 0 and 1, got {rate:g}")
        if rate < smallest * (1 - 1e-9):
            raise InvalidRequest(
                "fpir",
                f"the searches of {people} people, who are worth {worth:.0f} independent ones, support no rate below "
                f"{smallest:.3g} ({decibels(min(smallest, 1)):.1f} dB; rule of 3); for {rate:g}, about "
                f"{people_needed(rate, people, worth)} more people are needed",
            )
    if rates is not None:
        return sorted({*rates, target})
    digits = 10 ** (math.floor(math.log10(smallest)) - 1)
    return sorted({*RATES, target, *({math.ceil(smallest / digits) * digits} if smallest < target else ())})


def _evidence(smallest: AtSize, people: int) -> Evidence:
    one = smallest.searches
    return evidence_of(one.own, one.score, people, mass=one.mass)
