"""What an evaluation leaves behind: results.json, tables as CSV; whole files or none."""

import csv
import io
import json
import math
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.bundle import Bundle
from training.evaluate.gait import GaitResult


def heading(kind: str, bundle: Bundle, data: Path, protocol: str, *, simulated: bool = False) -> dict[str, Any]:
    """Who measured what, with what and when: the head of every results.json."""
    return {
        "kind": kind,
        "bundle": {"name": bundle.manifest.name, "fingerprint": bundle.fingerprint},
        "data": {"name": data.name, "simulated": simulated},
        "protocol": protocol,
        "command": shlex.join(["gaitkeeper", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def to_text(content: Mapping[str, Any]) -> str:
    """JSON text; figures that do not exist (a cell with no probes) are null."""
    return json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def rounded(value: Any, digits: int = 6) -> Any:
    """The same with every float rounded: shares of a few thousand probes have no more digits.

    >>> rounded({"rank1": 0.030000000000000006, "people": 50})
    {'rank1': 0.03, 'people': 50}
    """
    match value:
        case float():
            return round(value, digits)
        case Mapping():
            return {key: rounded(item, digits) for key, item in value.items()}
        case list() | tuple():
            return [rounded(item, digits) for item in value]
        case _:
            return value


def _finite(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): _finite(item) for key, item in value.items()}
        case list() | tuple():
            return [_finite(item) for item in value]
        case _:
            return value


def write_text(path: Path, text: str) -> None:
    """Write `path`, whole or not at all; its directory is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, text.getvalue())


def cell_rows(result: GaitResult) -> Iterable[tuple[object, ...]]:
    """One row a pair of views: table, gallery view, probe view, rank-1, probes."""
    for table in result.tables:
        counts = [int((table.probe_view == p).sum()) for p in range(len(table.probe_views))]
        for g, gallery_view in enumerate(table.gallery_views):
            for p, probe_view in enumerate(table.probe_views):
                share = table.matrix[g, p]
                if not math.isnan(share):
                    yield table.name, gallery_view, probe_view, f"{share:.6f}", counts[p]


def left_out_rows(result: GaitResult) -> Iterable[tuple[object, ...]]:
    for item in result.left_out:
        yield result.name_of(item.index), " ".join(item.reasons), item.detail
