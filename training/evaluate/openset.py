"""Identification where some are strangers, in the two tables of NIST's 1:N reports, with intervals over people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.calibration import Calibration
from gallery.decide import rule_for
from gallery.metrics import Reals
from model.errors import InvalidRequest
from training.evaluate.embedding import Progress
from training.evaluate.openset_curves import Curve, cmc_curve, det_curve
from training.evaluate.openset_data import Walks
from training.evaluate.openset_figures import (
    RATES,
    Cell,
    Drawn,
    Row,
    best_supported,
    by_size,
    drawn_from,
    identification,
    investigation,
)
from training.evaluate.openset_groups import Grouping, at_threshold, groupings
from training.evaluate.openset_search import Searches, search_all
from training.evaluate.openset_splits import Divider
from training.protocols.cells import Mask

GUIDANCE_FPIR = 0.001
GUIDANCE_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """Both errors at a threshold that was not chosen on these data. source: `prior` or `given`."""

    source: str
    threshold: float
    target: float | None
    fpir: Cell
    fnir: Cell


@dataclass(frozen=True, slots=True)
class Requirement:
    """US guidance on identity proofing: no more than 1 false positive in 1,000 searches, shown with at least 90 % of
    the operational number of subjects enrolled. reasons: why it is not shown; none where it is."""

    operational: int
    enrolled: int
    threshold: float | None
    fpir: Cell | None
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, eq=False)
class OpenSetReport:
    """All figures of one evaluation. thresholds: supported rate to the threshold that holds all strangers at it."""

    data: Walks
    searches: Searches
    drawn: Drawn
    seed: int
    identification: tuple[Row, ...]
    investigation: tuple[Row, ...]
    thresholds: Mapping[float, float]
    det: Curve
    cmc: Curve
    sizes: Mapping[int, Mapping[float, Cell]]
    groupings: tuple[Grouping, ...]
    held: AtThreshold | None
    requirement: Requirement | None

    @property
    def strangers(self) -> Reals:
        """Best score of each search by a stranger."""
        return self.drawn.best[~self.drawn.mated]

    @property
    def draws(self) -> int:
        return len(self.drawn.draws) - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """How an evaluation is made. share: of the people enrolled in each of `divisions` random divisions; walks,
    templates: of each enrolled person (default half of the walks, all templates of them); draws: of the bootstrap."""

    share: float = 0.5
    divisions: int = 10
    walks: int | None = None
    templates: int | None = None
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise InvalidRequest("gallery_share", f"must be between 0 and 1, got {self.share:g}")


def evaluate_open_set(
    data: Walks,
    columns: Sequence[str],
    plan: Plan,
    *,
    eligible: Mask | None = None,
    prior: Calibration | None = None,
    threshold: float | None = None,
    operational: int | None = None,
    progress: Progress | None = None,
) -> OpenSetReport:
    """Divide, search and count. columns: of the data, by whose values rates are given apart.

    eligible: (n,) which embeddings may be templates, default all. prior: the bundle's calibration, whose threshold is
    held against these scores unless one is given. operational: number of subjects for the guidance's pass or fail.
    Raises `InvalidDataSet` where too few people are left.
    """
    able = np.ones(len(data), bool) if eligible is None else eligible
    divider = Divider(data, able, walks=plan.walks, templates=plan.templates)
    found = search_all(data, divider, share=plan.share, divisions=plan.divisions, seed=plan.seed, progress=progress)
    drawn = drawn_from(data, divider.owner, found, plan.draws)
    probes = {name: data.columns[name][found.row] for name in columns}
    thresholds = {rate: drawn.threshold(rate) for rate in RATES if not drawn.refusal(rate)[0]}
    rate = best_supported(drawn)
    return OpenSetReport(
        data=data,
        searches=found,
        drawn=drawn,
        seed=plan.seed,
        identification=identification(drawn, probes),
        investigation=investigation(drawn, found.rank, probes),
        thresholds=thresholds,
        det=det_curve(drawn),
        cmc=cmc_curve(drawn, found.rank),
        sizes=by_size(data, divider.owner, found, plan.draws),
        groupings=() if rate is None else groupings(drawn, probes, thresholds[rate], rate),
        held=_held(drawn, found, prior, threshold),
        requirement=None if operational is None else _requirement(drawn, found, prior, threshold, operational),
    )


def _held(drawn: Drawn, found: Searches, prior: Calibration | None, given: float | None) -> AtThreshold | None:
    if given is not None:
        return AtThreshold("given", given, None, *at_threshold(drawn, given, None))
    if prior is None:
        return None
    rule = rule_for(prior, "prior", found.subjects, round(found.templates))
    if rule.threshold is None:
        return None
    return AtThreshold("prior", rule.threshold, rule.fpir, *at_threshold(drawn, rule.threshold, None))


def _requirement(
    drawn: Drawn, found: Searches, prior: Calibration | None, given: float | None, operational: int
) -> Requirement:
    reasons = []
    if found.subjects < GUIDANCE_SHARE * operational:
        reasons.append(f"{found.subjects} enrolled, {int(np.ceil(GUIDANCE_SHARE * operational))} are needed")
    refused, more = drawn.refusal(GUIDANCE_FPIR)
    if more:
        reasons.append(f"{refused} (rule of 3): about {more:,} people more")
    threshold = given
    if threshold is None and prior is not None:
        try:
            threshold = rule_for(prior, "prior", found.subjects, round(found.templates), GUIDANCE_FPIR).threshold
        except InvalidRequest as error:
            reasons.append(f"the bundle's calibration has no threshold for it ({error})")
    elif threshold is None:
        reasons.append("there is no threshold to test: give --threshold, or a bundle with a calibration")
    cell = None if threshold is None else at_threshold(drawn, threshold, GUIDANCE_FPIR)[0]
    if cell and cell.rate and cell.rate.high > GUIDANCE_FPIR:
        reasons.append(f"FPIR may be as high as {cell.rate.high:.2g} (95 %)")
    if cell and not cell.rate and not more:
        reasons.append(f"too few people: {cell.refused}")
    return Requirement(operational, found.subjects, threshold, cell, tuple(reasons))
