"""What the service answers about stored reports of evaluations."""

from typing import Any

import msgspec

from service.reports import Report


class ReportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A stored report. kind: `gait`, `openset`, `actions`, `reid`, or `tables` of `gaitkeeper reproduce`. simulated:
    whether it was measured on simulated people; null where the report does not say."""

    name: str
    kind: str
    title: str
    date: str | None
    bundle: str | None
    data: str | None
    simulated: bool | None


class StoredReports(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the reports, by name. next: ask again with after=next; null on the last page."""

    reports: list[ReportSummary]
    next: str | None


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A table beside the report, as text."""

    columns: list[str]
    rows: list[list[str]]


class StoredReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report. report: as the command wrote it. curves: the tables beside it: `cells` (rank-1 of every pair of views),
    `cmc`, `det`, `by_enrolled`, as far as there are any."""

    summary: ReportSummary
    report: dict[str, Any]
    curves: dict[str, Curve]


def reports(found: list[Report], following: str | None) -> StoredReports:
    return StoredReports(reports=[summary(each) for each in found], next=following)


def report(found: Report) -> StoredReport:
    curves = {name: Curve(columns=each.columns, rows=each.rows) for name, each in found.curves.items()}
    return StoredReport(summary=summary(found), report=found.content, curves=curves)


def summary(found: Report) -> ReportSummary:
    content = found.content
    data = content.get("data")
    data = data if isinstance(data, dict) else {}
    simulated = data.get("simulated")
    return ReportSummary(
        name=found.name,
        kind=found.kind,
        title=_text(content.get("title")) or f"{found.kind}, {content.get('protocol')}",
        date=_text(content.get("date")),
        bundle=_text(content["bundle"].get("name")) if isinstance(content.get("bundle"), dict) else None,
        data=_text(data.get("name")),
        simulated=simulated if isinstance(simulated, bool) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
