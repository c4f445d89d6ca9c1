"""The HTML report of an open-set evaluation: one file, with pictures in it."""

from collections.abc import Mapping
from pathlib import Path

from gallery import page
from training.evaluate.openset import OpenSetReport
from training.evaluate.openset_tables import (
    caption,
    group_lines,
    identification_lines,
    investigation_lines,
    ratio_text,
    requirement_text,
    size_lines,
    statements,
)

_SAID = {
    "det": "Misses against false alarms. Further down and left is better; the band holds 95 % of draws of people.",
    "cmc": "Share of enrolled people found within a list of so many candidates, beside what chance would find.",
    "scores": "Best scores of searches by strangers and by enrolled people; dashed: thresholds.",
    "groups": "Both errors of every group at one threshold, with 95 % intervals; dashed: all.",
    "by_enrolled": "Misses by the number of subjects enrolled, each size at its own threshold, with 95 % intervals.",
}
_LEGEND = (
    "In % of searches, with 95 % intervals (people drawn again). ~: fewer than 30 errors expected, so a rough figure. "
    "A rate that the searches cannot show (rule of 3) is not given; the cell says how many more people it needs."
)


def open_set_page(report: OpenSetReport, title: str, pictures: Mapping[str, Path]) -> str:
    def shown(name: str) -> str:
        return page.picture(pictures[name], _SAID[name]) if name in pictures else ""

    parts = [page.key_points(list(statements(report)))]
    if text := requirement_text(report):
        parts.append(page.paragraph(text, "good" if text.startswith("PASS") else "bad"))
    if not report.data.walks_known:
        parts.append(page.paragraph("The data do not say which sequences are of one walk: each counts as one.", "bad"))
    parts += [
        page.heading("Identification (T > 0): FNIR"),
        page.table(*identification_lines(report), _LEGEND),
        shown("det"),
        shown("scores"),
        page.heading("Investigation (T = 0): not among the first candidates"),
        page.table(*investigation_lines(report), "A person looks through the candidates; -: no more are enrolled."),
        shown("cmc"),
    ]
    if len(report.sizes) > 1:
        parts += [page.heading("FNIR by size of gallery"), page.table(*size_lines(report)), shown("by_enrolled")]
    if report.groupings:
        parts += [page.heading("Groups at one threshold"), shown("groups")]
    for grouping in report.groupings:
        below = ". ".join(
            ratio_text(error, ratio) for error, ratio in (("FPIR", grouping.fpir_ratio), ("FNIR", grouping.fnir_ratio))
        )
        parts.append(page.table(*group_lines(grouping), below))
    parts += [page.heading("How it was made"), *(page.paragraph(line, "soft") for line in _method(report))]
    return page.page(f"Open-set identification: {title}", caption(report, title), parts)


def _method(report: OpenSetReport) -> list[str]:
    found = report.searches
    return [
        f"People were divided {found.divisions} times at random (seed {report.seed}) into enrolled and strangers, so "
        "that everybody is both. Of each enrolled person some walks are templates and the others search; every walk of "
        "a stranger searches. What several cameras saw of one walk is never template and search at once, and counts as "
        "one search where it is asked what the data can show.",
        "FNIR counts a search by somebody enrolled that does not return that person first and at or above the "
        "threshold; FPIR a stranger's search that returns anybody. Ties count as misses.",
        f"Intervals: {report.draws:,} draws of people, the threshold set anew in each; a false alarm is drawn with who "
        "searched and whom he or she was taken for, since it hangs on both. Where nobody erred, the rule of 3 over "
        "walks. Independent searches: as many as would leave the FPIR as uncertain as these draws do.",
        f"{found.checked} searches were made again through the gallery's index; their scores differ by at most "
        f"{found.difference:.1g}.",
    ]
