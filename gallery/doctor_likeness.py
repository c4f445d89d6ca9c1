"""Who is enrolled twice, and which templates are of somebody else: by likelihood ratios of the gallery's own model."""

import numpy as np

from gallery.doctor_findings import Check, Finding, Held, Report
from gallery.doctor_model import Model, Progress, self_split
from gallery.doctor_rules import evidence_needed, outlying
from gallery.metrics import Numbers, Reals

TAIL = 0.05
MOST = 1000
"""Pairs of one kind that are listed; there are more only where a whole gallery is wrong."""
SHORT = float(np.log(10))
"""A pair with a tenth of the evidence that is needed is no finding, but may be looked at."""


def check_likeness(report: Report, held: Held, progress: Progress | None = None) -> Report:
    """Duplicates, mislabelled templates and those that are like nobody. progress: is told of every template twice."""
    model = Model.of(held.embeddings, held.owner, held.subjects)
    if model is None:
        why = "too few subjects with several templates to know how alike one person's are (20 subjects, 40 more)"
        for name in ("probable duplicates", "mislabelled templates", "outlying templates"):
            report = report.with_more(Check(name, f"{held.subjects} subjects", 0, why, done=False))
        return report
    report, twice = _duplicates(report, held, model)
    ratio, who, strange = model.elsewhere(progress)
    return _misplaced(report, held, ratio, who, strange, twice)


def _duplicates(report: Report, held: Held, model: Model) -> tuple[Report, set[tuple[int, int]]]:
    pairs = held.subjects * (held.subjects - 1) / 2
    bound = evidence_needed(pairs)
    near = sorted(model.alike(bound - SHORT), key=lambda pair: -pair[2])
    found = [pair for pair in near if pair[2] >= bound]
    findings = [
        Finding(
            "duplicate",
            (held.names[a], held.names[b]),
            f"{held.names[a]} and {held.names[b]} are probably one person (log-likelihood ratio {ratio:.0f}, "
            f"best score {_best_score(held, a, b):.3f})",
            strength=ratio,
        )
        for a, b, ratio in found[:MOST]
    ]
    power = self_split(model, bound)
    note = f"log-likelihood ratio at least {bound:.1f}"
    if power is not None:
        low, high = (f"{100 * share:.0f}" for share in power)
        note += f"; of people enrolled twice {low} to {high} % would be found (tried on halves of their own)"
    if len(near) > len(found):
        a, b, ratio = near[len(found)]
        note += f"; just short of it: {held.names[a]} and {held.names[b]} ({ratio:.1f})"
    check = Check("probable duplicates", f"{pairs:,.0f} pairs of subjects", len(found), note)
    return report.with_more(check, findings), {(a, b) for a, b, _ in found}


def _best_score(held: Held, one: int, other: int) -> float:
    first, second = (held.embeddings[held.starts[s] : held.starts[s + 1]] for s in (one, other))
    return float((first @ second.T).max())


def _misplaced(
    report: Report, held: Held, ratio: Reals, who: Numbers, strange: Reals, twice: set[tuple[int, int]]
) -> Report:
    """Templates that are unlike what else their subject has: of another subject, whom it names, or of nobody here.

    Real templates have heavier tails than the model's, so that besides its bound they must pass one of their own.
    """
    other = evidence_needed(len(held.ids) * held.subjects)
    bounds = max(other, outlying(ratio, alpha=TAIL)), max(evidence_needed(len(held.ids)), outlying(strange, alpha=TAIL))
    reached = (np.nan_to_num(ratio, nan=-np.inf) >= bounds[0]) | (np.nan_to_num(strange, nan=-np.inf) >= bounds[1])
    mislabelled: list[Finding] = []
    outliers: list[Finding] = []
    for row in np.flatnonzero(reached).tolist():
        pair = int(held.owner[row]), int(who[row])
        if (min(pair), max(pair)) in twice:
            continue  # of a person enrolled twice: fits both
        if ratio[row] >= other:
            mislabelled.append(_elsewhere(held, row, pair[1], float(ratio[row])))
        else:
            outliers.append(_nowhere(held, row, float(strange[row])))
    looked = f"{int((~np.isnan(ratio)).sum()):,} templates"
    for name, found, bound, against in (
        # Beyond the tail of either ratio; whether another subject explains it says which of the two it is.
        ("mislabelled templates", mislabelled, other, "another subject"),
        ("outlying templates", outliers, bounds[1], "anybody"),
    ):
        note = f"log-likelihood ratio, of {against} against its own, at least {bound:.1f}"
        if bound == other and other < min(bounds):
            note += ", of those that are out of the ordinary"
        report = report.with_more(Check(name, looked, len(found), note), found)
    return report


def _elsewhere(held: Held, row: int, other: int, ratio: float) -> Finding:
    own, name = held.names[held.owner[row]], held.names[other]
    either = "; it has only two, so either may be the wrong one" if held.counts[held.owner[row]] == 2 else ""
    text = f"template {held.ids[row]} of {own} looks like {name} instead (log-likelihood ratio {ratio:.0f}){either}"
    return Finding("mislabelled", (own, name), text, (int(held.ids[row]),), ratio)


def _nowhere(held: Held, row: int, ratio: float) -> Finding:
    own = held.names[held.owner[row]]
    text = f"template {held.ids[row]} of {own} is unlike its others, and like nobody here (log-likelihood ratio "
    return Finding("outlier", (own,), f"{text}{ratio:.0f})", (int(held.ids[row]),), ratio)
