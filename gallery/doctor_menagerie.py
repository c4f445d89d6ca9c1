"""The biometric menagerie: who is hard to recognise, who is taken for others, and whom others are taken for.

Goats, lambs and wolves after Doddington and others (1998); doves, chameleons, phantoms and worms after Yager and
Dunstone (2010). In a gallery everybody searches and is searched, so a lamb is told by how many others have it as
their nearest other subject, and a wolf by how near its own templates come to others.
"""

from dataclasses import replace

import numpy as np

from gallery.doctor_findings import Check, Finding, Held, Report, Scores
from gallery.doctor_model import Progress, sums_of
from gallery.doctor_rules import FALSE_ALARMS, LEAST, in_degree, menagerie, outlying
from gallery.metrics import Numbers, Reals

BLOCK = 32_000_000
MOST_PROBES = 20_000
_MEANING = {
    "dove": "match themselves well and others badly",
    "chameleon": "match everybody well, themselves and others",
    "phantom": "match everybody badly, themselves and others",
    "worm": "match themselves badly and others well",
}


def check_menagerie(report: Report, held: Held, progress: Progress | None = None, *, seed: int = 0) -> Report:
    """progress: is told of every probe, `probes_of(held)` of them."""
    own, others = mean_scores(held)
    probes = probes_of(held, seed)
    best_own, best_other, nearest = _searched(held, probes, progress)
    report = replace(report, scores=Scores(own, others, best_own, best_other))
    if held.subjects < LEAST:
        return report.with_more(
            Check("menagerie", f"{held.subjects} subjects", 0, f"fewer than {LEAST} subjects", done=False)
        )
    report = _goats(report, held, own)
    report = _lambs(report, held, nearest, held.owner[probes])
    report = _wolves(report, held, best_other, held.owner[probes])
    return _corners(report, held, own, others)


def mean_scores(held: Held) -> tuple[Reals, Reals]:
    """Mean cosine of each subject's templates with each other (NaN where there is one), and with all others'."""
    counts = held.counts.astype(np.float64)
    sums = sums_of(held.embeddings, held.owner, held.subjects)
    square = (sums**2).sum(axis=1)
    pairs = counts * (counts - 1)
    own = np.divide(square - counts, pairs, out=np.full(held.subjects, np.nan), where=pairs > 0)
    rest = counts.sum() - counts
    everybody = sums @ sums.sum(axis=0)
    others = np.divide(everybody - square, counts * rest, out=np.full(held.subjects, np.nan), where=rest > 0)
    return own, others


def probes_of(held: Held, seed: int = 0) -> Numbers:
    """Rows that are searched with: all, or a random `MOST_PROBES` of a large gallery."""
    rows = np.random.default_rng(seed).permutation(len(held.ids))[:MOST_PROBES]
    return np.sort(rows).astype(np.int64)


def _searched(held: Held, probes: Numbers, progress: Progress | None) -> tuple[Reals, Reals, Numbers]:
    """Of each probe: best score with another template of its own (NaN: none), with others, and the nearest other."""
    own, other = np.full(len(probes), np.nan), np.full(len(probes), np.nan)
    nearest = np.full(len(probes), -1, np.int64)
    if held.subjects < 2:
        return own, other, nearest
    starts, step = held.starts, max(1, BLOCK // len(held.ids))
    for start in range(0, len(probes), step):
        rows = probes[start : start + step]
        scores = held.embeddings[rows] @ held.embeddings.T
        scores[np.arange(len(rows)), rows] = -2.0
        for place, subject in enumerate(held.owner[rows].tolist()):
            mine = scores[place, starts[subject] : starts[subject + 1]]
            if len(mine) > 1:
                own[start + place] = mine.max()
            mine[:] = -2.0
        first = scores.argmax(axis=1)
        other[start : start + step] = scores[np.arange(len(rows)), first]
        nearest[start : start + step] = held.owner[first]
        if progress:
            progress(len(rows))
    return own, other, nearest


def _goats(report: Report, held: Held, own: Reals) -> Report:
    bound = -outlying(-own)
    who = [s for s in np.flatnonzero(own <= bound).tolist() if not np.isnan(own[s])]
    findings = [
        Finding(
            "goat",
            (held.names[s],),
            f"{held.names[s]} hardly matches itself: mean score {own[s]:.3f} between its {held.counts[s]} templates, "
            f"where half of the subjects have {np.nanmedian(own):.3f} or more",
            strength=float(bound - own[s]),
        )
        for s in who
    ]
    several = int((~np.isnan(own)).sum())
    note = f"mean score within a subject at most {bound:.3f}"
    if several < LEAST:
        note = f"fewer than {LEAST} subjects with several templates"
    elif bound < -1:
        note = _UNEVEN
    return report.with_more(Check("goats", f"{several:,} subjects", len(who), note, done=bound >= -1), findings)


_UNEVEN = "scores differ so much between subjects that none would be out of the ordinary"


def _lambs(report: Report, held: Held, nearest: Numbers, probing: Numbers) -> Report:
    """The root thins counts out to about one variance, whatever their mean."""
    matched = in_degree(nearest, probing, held.subjects)
    root = np.sqrt(matched)
    bound = outlying(root, resolution=0.25)
    who = np.flatnonzero(root >= bound).tolist()
    share = matched / max(len(np.unique(probing)) - 1, 1)
    findings = [
        Finding(
            "lamb",
            (held.names[s],),
            f"{held.names[s]} is the nearest other subject of {int(matched[s])} people ({100 * share[s]:.0f} %), where "
            f"half of the subjects are that of {np.median(matched):.0f} or fewer",
            strength=float(root[s] - bound),
        )
        for s in who
    ]
    note = f"nearest other subject of at least {bound**2:.0f} people"
    return report.with_more(Check("lambs", f"{held.subjects:,} subjects", len(who), note), findings)


def _wolves(report: Report, held: Held, best_other: Reals, probing: Numbers) -> Report:
    counts = np.bincount(probing, minlength=held.subjects)
    total = np.bincount(probing, weights=best_other, minlength=held.subjects)
    mean = np.divide(total, counts, out=np.full(held.subjects, np.nan), where=counts > 0)
    bound = outlying(mean)
    who = np.flatnonzero(np.nan_to_num(mean, nan=-2.0) >= bound).tolist()
    findings = [
        Finding(
            "wolf",
            (held.names[s],),
            f"{held.names[s]} comes near others with every template: mean best score {mean[s]:.3f}, where half of the "
            f"subjects have {np.nanmedian(mean):.3f} or less",
            strength=float(mean[s] - bound),
        )
        for s in who
    ]
    note = f"mean best score with others at least {bound:.3f}" if bound <= 1 else _UNEVEN
    return report.with_more(Check("wolves", f"{held.subjects:,} subjects", len(who), note, done=bound <= 1), findings)


def _corners(report: Report, held: Held, own: Reals, others: Reals) -> Report:
    """Yager and Dunstone's animals: a group is named where it is larger than chance makes it."""
    several = int((~np.isnan(own)).sum())
    if several < 4 * LEAST:
        note = f"fewer than {4 * LEAST} subjects with several templates"
        return report.with_more(Check("corners of the menagerie", f"{several} subjects", 0, note, done=False))
    corners = menagerie(own, others)
    findings = [
        Finding(
            animal,
            (),
            f"{len(who)} {animal}s ({_MEANING[animal]}), where chance makes about {several / 16:.0f} (p = {p:.1g})",
            strength=float(len(who)),
            advice=True,
        )
        for animal, (who, p) in corners.items()
        if p < FALSE_ALARMS
    ]
    animals = {animal: tuple(held.names[s] for s in who.tolist()) for animal, (who, _) in corners.items()}
    note = "more in a quarter by own and a quarter by others' scores than a sixteenth"
    check = Check("corners of the menagerie", f"{several:,} subjects", len(findings), note)
    return replace(report.with_more(check, findings), animals=animals)
