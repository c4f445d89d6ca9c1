"""What a gallery lacks: templates, views and conditions, frames, consent; and whether its templates grow old."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
from scipy.stats import spearmanr

from gallery.doctor_findings import Check, Finding, Held, Report
from gallery.doctor_rules import FALSE_ALARMS, sign_test

MOST_VALUES = 24
"""A label with more values than these names things, such as files or days, rather than conditions."""
COMMON = 0.5
"""Share of the subjects that have a value before it is missed in the others."""
LEAST_FRAMES = 24
FEW_OF_USUAL = 0.25
LEAST_DAYS = 30
DAY = 86_400_000_000
SAMPLE = 40
LEAST_AGED = 10


def check_upkeep(report: Report, held: Held, *, now: datetime, soon: timedelta) -> Report:
    """now: when consents are looked at; soon: how long before its end one is said to be expiring."""
    report = _singles(report, held)
    report = _coverage(report, held)
    report = _frames(report, held)
    report = _consent(report, held, now, soon)
    return _drift(report, held)


def _singles(report: Report, held: Held) -> Report:
    who = np.flatnonzero(held.counts == 1).tolist()
    findings = [
        Finding("single_template", (held.names[s],), f"{held.names[s]} has a single template", advice=True) for s in who
    ]
    return report.with_more(Check("single templates", f"{held.subjects:,} subjects", len(who), "two or more"), findings)


def _coverage(report: Report, held: Held) -> Report:
    """Values of a label that most subjects have, and who lacks them."""
    held_by: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for owner, labels in zip(held.owner.tolist(), held.labels, strict=True):
        for column, value in labels.items():
            held_by[column][value].add(owner)
    findings, looked = [], []
    for column, values in sorted(held_by.items()):
        if not 2 <= len(values) <= MOST_VALUES:
            continue
        common = {value: who for value, who in values.items() if len(who) >= COMMON * held.subjects}
        looked.append(f"{column} ({len(common)} of {len(values)} values common)")
        for subject in range(held.subjects):
            missing = sorted(value for value, who in common.items() if subject not in who)
            if missing:
                text = f"{held.names[subject]} lacks {column} {', '.join(missing)}"
                findings.append(
                    Finding("missing_label", (held.names[subject],), text, strength=len(missing), advice=True)
                )
    note = "; ".join(looked) or "no label has between 2 and 24 values"
    return report.with_more(
        Check("views and conditions", f"{held.subjects:,} subjects", len(findings), note, done=bool(looked)), findings
    )


def _frames(report: Report, held: Held) -> Report:
    known = held.frames > 0
    if not known.any():
        return report.with_more(Check("frames", "0 templates", 0, "numbers of frames are not known", done=False))
    least = max(LEAST_FRAMES, FEW_OF_USUAL * float(np.median(held.frames[known])))
    rows = np.flatnonzero(known & (held.frames < least)).tolist()
    findings = [
        Finding(
            "few_frames",
            (held.names[held.owner[row]],),
            f"template {held.ids[row]} of {held.names[held.owner[row]]} was made from {held.frames[row]} frames only",
            (int(held.ids[row]),),
            strength=float(least - held.frames[row]),
        )
        for row in rows
    ]
    note = f"at least {least:.0f} frames, {LEAST_FRAMES} and a quarter of the usual"
    return report.with_more(Check("frames", f"{int(known.sum()):,} templates", len(rows), note), findings)


def _consent(report: Report, held: Held, now: datetime, soon: timedelta) -> Report:
    """Consent that has run out or soon will; missing only where others have one, since not every gallery keeps it."""
    anybody = any(consent.reference for consent in held.consents)
    findings = list(_consents(held, now, soon, anybody))
    kinds = Counter(finding.kind for finding in findings)
    words = ", ".join(f"{count} {kind.removeprefix('consent_')}" for kind, count in kinds.items())
    if not anybody and not findings:
        words = "no consent is recorded for anybody"
    check = Check("consent", f"{held.subjects:,} subjects", len(findings), words or "recorded and in force")
    return report.with_more(check, findings)


def _consents(held: Held, now: datetime, soon: timedelta, anybody: bool) -> Iterator[Finding]:
    for name, consent in zip(held.names, held.consents, strict=True):
        if anybody and not consent.reference:
            yield Finding("consent_missing", (name,), f"{name} has no consent on record, where others have")
        if consent.expires is None:
            continue
        day = f"{consent.expires:%Y-%m-%d}"
        if consent.expires <= now:
            yield Finding("consent_expired", (name,), f"consent of {name} expired on {day}; it awaits its purge", (), 2)
        elif consent.expires <= now + soon:
            yield Finding("consent_expiring", (name,), f"consent of {name} expires on {day}", (), 1)


def _drift(report: Report, held: Held) -> Report:
    """Whether templates of one person are the less alike the more time lies between them, person by person."""
    trends = np.array([trend for trend in _trends(held) if not np.isnan(trend)])
    name, looked = "ageing", f"{len(trends)} subjects"
    if len(trends) < LEAST_AGED:
        note = f"fewer than {LEAST_AGED} subjects with templates {LEAST_DAYS} days apart"
        return report.with_more(Check(name, looked, 0, note, done=False))
    p = sign_test(trends)
    findings = []
    if p < FALSE_ALARMS:
        text = (
            f"templates of one person are less alike the more time lies between them, for {int((trends < 0).sum())} of "
            f"{len(trends)} subjects (p = {p:.1g}); enroll such people again from time to time"
        )
        findings.append(Finding("ageing", (), text, strength=float(-np.median(trends))))
    note = f"rank correlation of score with time between, median {np.median(trends):.2f}; sign test p = {p:.2g}"
    return report.with_more(Check(name, looked, len(findings), note), findings)


def _trends(held: Held) -> Iterator[float]:
    starts = held.starts
    for subject in range(held.subjects):
        rows = np.arange(starts[subject], starts[subject + 1])
        if len(rows) < 3 or np.ptp(held.created[rows]) < LEAST_DAYS * DAY:
            continue
        if len(rows) > SAMPLE:
            rows = rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(int)]
        upper = np.triu_indices(len(rows), 1)
        scores = (held.embeddings[rows] @ held.embeddings[rows].T)[upper]
        apart = np.abs(held.created[rows][:, None] - held.created[rows][None])[upper]
        if np.ptp(apart) and np.ptp(scores):
            yield float(spearmanr(apart, scores).statistic)
