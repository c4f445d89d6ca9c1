"""Which way to score and to decide misses the fewest mates: measured side by side on one set of embeddings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gallery.likelihood import cost, evidence_of
from gallery.metrics import Interval, Numbers, Reals
from gallery.trials import Labelled, Trials
from training.evaluate.clip_ways import Clips, clip_scores
from training.evaluate.score_ways import Searched, logistic, normalised, subject_scores, with_margin

RATES = (0.01, 0.05)
STRANGERS = 200_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way, and the mates it misses at each of the rates of strangers let through."""

    name: str
    misses: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """groups: ways by what is compared. evidence: Cllr of likelihood ratios, in bits, by how they were made."""

    people: int
    probes: int
    templates: int
    rates: tuple[float, ...]
    groups: Mapping[str, tuple[Way, ...]] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "people": self.people,
            "probes": self.probes,
            "templates": self.templates,
            "fnir_at_fpir": {
                group: {
                    way.name: {
                        f"{rate:g}": [one.value, one.low, one.high]
                        for rate, one in zip(self.rates, way.misses, strict=True)
                    }
                    for way in ways
                }
                for group, ways in self.groups.items()
            },
            "cllr_bits": dict(self.evidence),
        }


def compare(
    data: Labelled,
    *,
    templates: int = 4,
    uneven: bool = False,
    rates: Sequence[float] = RATES,
    clips: Clips | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Everybody is enrolled with random templates, left out of his own, and searched for by the rest of the sequences.

    templates: of each subject; uneven: from 1 to twice as many. clips: of the sequences, where they are known.
    Templates of a probe's own session are not its mates.
    """
    rng = np.random.default_rng(seed)
    enrolled = _chosen(data, templates, uneven, rng)
    probes = np.setdiff1d(np.arange(len(data.subject)), enrolled)
    plain = Trials.of(data, enrolled, probes)
    found = {
        "score of a subject": subject_scores(data, enrolled, probes),
        "held against other scores of the probe": normalised(plain),
        "margin to the runner-up": with_margin(plain),
    }
    if clips is not None:
        found["clips of a sequence"] = clip_scores(data, clips, enrolled, probes)
    groups = {group: tuple(_way(name, one, rates, draws) for name, one in ways) for group, ways in found.items()}
    return Comparison(data.people, len(probes), len(enrolled), tuple(rates), groups, _evidence(plain, rng))


def _way(name: str, searched: Searched, rates: Sequence[float], draws: int) -> Way:
    return Way(name, tuple(searched.misses(rates, draws)))


def _chosen(data: Labelled, templates: int, uneven: bool, rng: np.random.Generator) -> Numbers:
    """Rows to enroll; one sequence of each subject at least is left to search."""
    rows = []
    for members in data.members():
        count = int(rng.integers(1, 2 * templates)) if uneven else templates
        rows.append(rng.permutation(members)[: max(1, min(count, len(members) - 1))])
    return np.sort(np.concatenate(rows))


def _evidence(trials: Trials, rng: np.random.Generator) -> dict[str, float]:
    """Cllr on half of the people, of likelihood ratios learned on the other half; mean of both ways round."""
    halves = [_comparisons(trials, half, rng) for half in (0, 1)]
    costs: dict[str, list[float]] = {"pool adjacent violators": [], "logistic": []}
    for (mated, nonmated), (mates, others) in (halves, halves[::-1]):
        learned = evidence_of(mated, nonmated, trials.people // 2)
        weight, constant = logistic(mated[:, None], nonmated[:, None]) / np.log(10)
        line = ((-1.0, float(constant - weight)), (1.0, float(constant + weight)))
        for name, evidence in (("pool adjacent violators", learned), ("logistic", line)):
            if evidence:
                costs[name].append(cost(evidence, mates, others))
    return {name: float(np.mean(values)) for name, values in costs.items() if values}


def _comparisons(trials: Trials, half: int, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """Scores with the own subject, and with others, among every second person."""
    here = trials.subject % 2 == half
    own = trials.own[here]
    people = np.flatnonzero(np.arange(trials.people) % 2 == half)
    others = trials.others[np.ix_(here, people)].ravel()
    others = others[others > -1.5].astype(np.float64)
    if len(others) > STRANGERS:
        others = rng.choice(others, STRANGERS, replace=False)
    return own[~np.isnan(own)], others
