"""The doctor's report as one HTML page."""

from itertools import groupby

from gallery import page
from gallery.doctor_findings import Report
from gallery.doctor_pictures import pictures

SHOWN = 500
_RANKED = ("duplicate", "mislabelled", "outlier")

TITLES = {
    "duplicate": "People who are probably enrolled twice",
    "mislabelled": "Templates that are probably somebody else's",
    "outlier": "Templates that are like nobody",
    "goat": "Goats: subjects who hardly match themselves",
    "lamb": "Lambs: subjects for whom many others are taken",
    "wolf": "Wolves: subjects who come near others with every template",
    "few_frames": "Templates made from few frames",
    "consent_missing": "Consent is missing",
    "consent_expired": "Consent has expired",
    "consent_expiring": "Consent expires soon",
    "ageing": "Templates grow old",
    "single_template": "A single template",
    "missing_label": "Views or conditions are missing",
}


def doctor_page(report: Report) -> str:
    serious = len(report.serious)
    summary = [f"{serious:,} findings, {len(report.findings) - serious:,} pieces of advice."]
    missed = [check.name for check in report.checks if not check.done]
    if missed:
        summary.append(f"Could not be looked for: {', '.join(missed)}.")
    parts = [page.key_points(summary), page.heading("What was looked for")]
    rows = [
        (check.name, check.looked_at, f"{check.found:,}" if check.done else "not looked for", check.note)
        for check in report.checks
    ]
    below = "Every check is silent in a healthy gallery but for a chance of about 1 in 100, over all it looks at."
    parts.append(page.table(("check", "among", "found", "bound, or why not"), rows, below, words=True))
    for kind, group in groupby(report.findings, key=lambda finding: finding.kind):
        found = list(group)
        parts.append(page.heading(f"{TITLES.get(kind, kind.capitalize())} ({len(found):,})"))
        more = "" if len(found) <= SHOWN else f"{len(found) - SHOWN:,} more: --json lists all."
        lines = [(finding.text, _strength(finding.strength)) for finding in found[:SHOWN]]
        ranked = kind in _RANKED
        columns = ("", "strength") if ranked else ("",)
        parts.append(page.table(columns, [line[: len(columns)] for line in lines], more))
    parts.append(page.heading("Scores"))
    parts += [page.picture(png, caption) for caption, png in pictures(report).items()]
    under = f"{report.subjects:,} subjects, {report.templates:,} templates, {report.made:%Y-%m-%d %H:%M} UTC"
    return page.page(f"Gallery {report.gallery}: examination", under, parts)


def _strength(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
