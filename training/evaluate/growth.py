"""What becomes of the thresholds that a few people gave, as more are enrolled: the promise beyond what was measured."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gallery.calibrate import calibrate
from gallery.calibration import Calibration
from gallery.metrics import Numbers
from gallery.sub_galleries import Searches
from gallery.trials import Labelled, Trials
from model.errors import InvalidRequest

SPLITS = 20
FACTORS = (1, 3, 10)
NOBODY = 2.0
"""Above any cosine: a threshold that lets nobody through."""


@dataclass(frozen=True, slots=True)
class Growth:
    """Galleries of `size` at thresholds calibrated on `known` people for `rate`: the share of strangers they let
    through, mean and the middle four fifths over draws of those people, and of mates they miss; `refused` draws had
    too few people for the rate."""

    known: int
    size: int
    rate: float
    fpir: float
    fpir_low: float
    fpir_high: float
    fnir: float
    refused: int
    splits: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def grow(
    data: Labelled, known: int, rates: Sequence[float], *, splits: int = SPLITS, seed: int = 0
) -> Iterator[Growth]:
    """Calibrates on random `known` people with all their sequences, and looks at galleries of everybody."""
    rng = np.random.default_rng(seed)
    every = np.arange(len(data.subject))
    trials = Trials.of(data, every, every)
    drawn = [rng.permutation(data.people)[:known] for _ in range(splits)]
    sizes = sorted({min(known * factor, data.people - 1) for factor in FACTORS})
    truths = [Searches.of(trials, size, rng) for size in sizes]
    for rate in rates:
        own = [_calibrated(data, people, rate, seed) for people in drawn]
        for truth in truths:
            yield _growth(truth, rate, known, [one for one in own if one is not None], splits)


def _growth(truth: Searches, rate: float, known: int, own: Sequence[Calibration], splits: int) -> Growth:
    all_of_them = np.ones((1, truth.people))
    through, missed = [], []
    for calibration in own:
        threshold = min(calibration.threshold(truth.size, rate).value, NOBODY)
        fnir = truth.fnir(threshold, all_of_them)
        through.append(truth.fpir(threshold, all_of_them).value)
        missed.append(float("nan") if fnir is None else fnir.value)
    low, high = np.quantile(through, [0.1, 0.9]) if through else (np.nan, np.nan)
    mean, misses = (float(np.mean(values)) if values else float("nan") for values in (through, missed))
    return Growth(known, truth.size, rate, mean, float(low), float(high), misses, splits - len(own), splits)


def _calibrated(data: Labelled, people: Numbers, rate: float, seed: int) -> Calibration | None:
    rows = np.flatnonzero(np.isin(data.subject, people))
    try:
        return calibrate(
            data.embeddings[rows], data.subject[rows], sessions=data.session[rows], templates_per_subject=None,
            target_fpir=rate, seed=seed,
        )  # fmt: skip
    except InvalidRequest:
        return None
