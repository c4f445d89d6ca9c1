"""Stored reports of evaluations: what `gaitkeeper evaluate` and `gaitkeeper reproduce` left in a folder.

A report is a JSON file of theirs, in the folder or in a folder of it: `casia-b/results.json` is the report `casia-b`,
`table-8.json` is `table-8`, `kard/table-8.json` is `kard.table-8`. Names are looked up among those that are there: no
path is ever made of what a caller sends, links are not followed, and nothing else in the folder is shown.
"""

import csv
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from model.errors import UnknownResource

RESULTS = "results.json"
# Beside results.json, what is in no JSON: cells of every pair of views, curves.
CURVES = ("cells", "cmc", "det", "by_enrolled")
REPORTS = 1000
REPORT_BYTES = 4 * 2**20
CURVE_ROWS = 20_000
SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Curve:
    """A table of a CSV file, in its own words: views such as 018 are no numbers."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """content: as it was written. kind: `gait`, `openset`, `actions`, `reid`, or `tables` of `reproduce`."""

    name: str
    kind: str
    content: dict[str, Any]
    curves: dict[str, Curve] = field(default_factory=dict)


class Reports:
    """The reports below a folder, which need not be there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def page(self, after: str, limit: int) -> tuple[list[Report], str | None]:
        """Reports whose names come behind `after`, without curves, from at most `limit` files; and what to ask for
        next. A file that is no report is passed over."""
        found = self._files()
        names = [name for name in sorted(found) if name > after]
        opened = (_opened(name, found[name]) for name in names[:limit])
        return [each for each in opened if each is not None], names[limit - 1] if len(names) > limit else None

    def report(self, name: str) -> Report:
        """One with its curves. Raises `UnknownResource`."""
        path = self._files().get(name)
        found = None if path is None else _opened(name, path)
        if found is None or path is None:
            raise UnknownResource("report", name)
        beside = {each: _curve(path.with_name(f"{each}.csv")) for each in CURVES} if path.name == RESULTS else {}
        return Report(name, found.kind, found.content, {key: curve for key, curve in beside.items() if curve})

    def _files(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        for entry in _entries(self._folder):
            inside = _entries(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else (entry,)
            for file in inside:
                if file.name.endswith(SUFFIX) and file.is_file(follow_symlinks=False) and len(found) < REPORTS:
                    folder = "" if file is entry else entry.name
                    found.setdefault(_name(folder, file.name), Path(file.path))
        return found


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What is in a folder by name, without what is hidden or has no name that can be asked for."""
    try:
        with os.scandir(folder) as entries:
            seen = [entry for entry in entries if entry.name.isprintable() and not entry.name.startswith(".")]
    except OSError:
        return
    yield from sorted(seen, key=lambda entry: entry.name)


def _name(folder: str, file: str) -> str:
    """
    >>> _name("casia-b", "results.json"), _name("", "table-8.json"), _name("kard", "table-8.json")
    ('casia-b', 'table-8', 'kard.table-8')
    """
    if folder and file == RESULTS:
        return folder
    return ".".join(part for part in (folder, file.removesuffix(SUFFIX)) if part)


def _opened(name: str, path: Path) -> Report | None:
    try:
        if path.stat().st_size > REPORT_BYTES:
            return None
        content = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    kind = _kind(content)
    return None if kind is None else Report(name, kind, content)


def _kind(content: Mapping[str, Any]) -> str | None:
    match content:
        case {"kind": str(kind), "date": str(), "protocol": str()}:
            return kind
        case {"name": str(), "title": str(), "tables": [*_], "runs": [*_]}:
            return "tables"
    return None


def _curve(path: Path) -> Curve | None:
    try:
        if path.is_symlink() or path.stat().st_size > REPORT_BYTES:
            return None
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            columns = next(lines, [])
            rows = list(islice(lines, CURVE_ROWS))
    except (OSError, csv.Error, UnicodeDecodeError):
        return None
    return Curve(columns, rows)
