"""The figures as JSON and as rows of CSV files."""

from collections.abc import Iterator, Mapping
from typing import Any

from training.evaluate.openset import OpenSetReport
from training.evaluate.openset_curves import Curve
from training.evaluate.openset_figures import Cell, Row
from training.evaluate.openset_groups import Grouping, Ratio

Rows = tuple[tuple[str, ...], Iterator[tuple[object, ...]]]
_CELL = ("rate", "low_95", "high_95", "refused", "people_short", "rule_of_30")


def to_json(report: OpenSetReport) -> dict[str, Any]:
    found, drawn = report.searches, report.drawn
    held, required = report.held, report.requirement
    return {
        "people": report.data.people,
        "embeddings": len(report.data),
        "left_out": len(report.data.left_out),
        "walks_known": report.data.walks_known,
        "enrolled": found.subjects,
        "templates": round(found.templates),
        "divisions": found.divisions,
        "seed": report.seed,
        "bootstrap_draws": report.draws,
        "searches_by_enrolled": int(drawn.mated.sum()),
        "searches_by_strangers": int((~drawn.mated).sum()),
        "walks_by_strangers": drawn.stranger_walks,
        "independent_searches_by_strangers": drawn.independent,
        "checked_through_the_index": {"searches": found.checked, "largest_difference": found.difference},
        "thresholds": {f"{rate:g}": value for rate, value in report.thresholds.items()},
        "identification": [_row(row, "fnir_at_fpir") for row in report.identification],
        "investigation": [_row(row, "missed_at_rank") for row in report.investigation],
        "fnir_by_enrolled": {
            str(size): {f"{rate:g}": _cell(cell) for rate, cell in cells.items()}
            for size, cells in report.sizes.items()
        },
        "groups": [_grouping(grouping) for grouping in report.groupings],
        "at_threshold": held and {
            "source": held.source, "threshold": held.threshold, "target_fpir": held.target,
            "fpir": _cell(held.fpir), "fnir": _cell(held.fnir),
        },
        "requirement": required and {
            "passed": required.passed, "operational": required.operational, "enrolled": required.enrolled,
            "threshold": required.threshold, "fpir": required.fpir and _cell(required.fpir),
            "reasons": list(required.reasons),
        },
    }  # fmt: skip


def _cell(cell: Cell) -> dict[str, Any]:
    if cell.rate is None:
        return {"refused": cell.refused, "people_short": cell.people_short}
    held = cell.rate
    return {"rate": held.value, "interval_95": [held.low, held.high], "rule_of_30": not cell.few}


def _row(row: Row, name: str) -> dict[str, Any]:
    cells = {f"{key:g}": _cell(cell) for key, cell in row.cells.items()}
    return {"column": row.column, "value": row.value, "people": row.people, "searches": row.searches, name: cells}


def _grouping(grouping: Grouping) -> dict[str, Any]:
    groups = [
        {
            "value": group.value, "people": group.people, "walks_by_strangers": group.stranger_walks,
            "searches_by_enrolled": group.mated_searches, "fpir": _cell(group.fpir), "fnir": _cell(group.fnir),
        }
        for group in grouping.groups
    ]  # fmt: skip
    return {
        "column": grouping.column, "threshold": grouping.threshold, "fpir_of_all": grouping.rate, "groups": groups,
        "largest_fpir_ratio": _ratio(grouping.fpir_ratio), "largest_fnir_ratio": _ratio(grouping.fnir_ratio),
    }  # fmt: skip


def _ratio(ratio: Ratio | None) -> dict[str, Any] | None:
    if ratio is None:
        return None
    held = ratio.ratio
    between = {"highest": ratio.highest, "lowest": ratio.lowest, "shown": ratio.shown}
    return between | {
        "ratio": held and held.value,
        "interval": held and [held.low, held.high],
        "level": held and held.level,
        "at_least": ratio.at_least,
        "pairs": ratio.pairs,
    }


def csv_tables(report: OpenSetReport) -> dict[str, Rows]:
    """Name of each file to its header and rows."""
    det = ("fpir", "fnir", "fnir_low_95", "fnir_high_95")
    cmc = ("rank", "found", "found_low_95", "found_high_95")
    return {
        "identification.csv": (("column", "value", "people", "searches", "fpir", *_CELL), _of(report.identification)),
        "investigation.csv": (("column", "value", "people", "searches", "rank", *_CELL), _of(report.investigation)),
        "groups.csv": (
            ("column", "value", "people", "walks_by_strangers", "searches_by_enrolled", "threshold", "error", *_CELL),
            (row for grouping in report.groupings for row in _of_groups(grouping)),
        ),
        "by_enrolled.csv": (("enrolled", "fpir", *_CELL), _of_sizes(report.sizes)),
        "det.csv": (det, _of_curve(report.det)),
        "cmc.csv": (cmc, _of_curve(report.cmc)),
    }


def _fields(cell: Cell) -> tuple[object, ...]:
    if cell.rate is None:
        return "", "", "", cell.refused, cell.people_short, ""
    held = cell.rate
    return f"{held.value:.6f}", f"{held.low:.6f}", f"{held.high:.6f}", "", "", "no" if cell.few else "yes"


def _of(rows: tuple[Row, ...]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        for key, cell in row.cells.items():
            yield row.column, row.value, row.people, row.searches, f"{key:g}", *_fields(cell)


def _of_groups(grouping: Grouping) -> Iterator[tuple[object, ...]]:
    for group in grouping.groups:
        who = grouping.column, group.value, group.people, group.stranger_walks, group.mated_searches
        for error, cell in (("FPIR", group.fpir), ("FNIR", group.fnir)):
            yield *who, f"{grouping.threshold:.6f}", error, *_fields(cell)


def _of_sizes(sizes: Mapping[int, Mapping[float, Cell]]) -> Iterator[tuple[object, ...]]:
    for size, cells in sizes.items():
        for rate, cell in cells.items():
            yield size, f"{rate:g}", *_fields(cell)


def _of_curve(curve: Curve) -> Iterator[tuple[object, ...]]:
    for x, *values in zip(curve.x, curve.y, curve.low, curve.high, strict=True):
        yield f"{x:.6g}", *(f"{value:.6f}" for value in values)
