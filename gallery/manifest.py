"""A manifest: a CSV file that names thousands of keypoint files and whose each is."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from gallery.consent import consent_of
from gallery.template import Consent, check_id
from model.errors import InvalidRequest, UnreadableFile
from model.readers.recording import ratio_of

CONSENT = ("consent", "purpose", "expires")
COLUMNS = ("file", "subject", "track", "fps", "aspect", "layout", *CONSENT)
MANIFEST_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a file (beside the manifest unless absolute), its subject, what the reader should know, and the
    consent that the line gives, if it does."""

    line: int
    file: Path
    subject: str
    track: str | None
    fps: float | None
    aspect: float | None
    layout: str | None
    labels: Mapping[str, str]
    consent: Consent | None = None


def read_manifest(path: Path, consent: Mapping[str, str | None] = MappingProxyType({})) -> list[Entry]:
    """The lines of a CSV with columns file and subject, and perhaps track, fps, aspect, layout, consent, purpose and
    expires (`gallery/consent.py`); others are labels. consent: what these three are where a line says nothing.

    Raises `UnreadableFile`, naming the line, before anything is done with any of them.
    """
    try:
        if path.stat().st_size > MANIFEST_BYTES:
            raise UnreadableFile(str(path), f"larger than {MANIFEST_BYTES} bytes")
        with path.open(newline="", encoding="utf-8-sig") as stream:
            entries = list(_entries(path, csv.DictReader(stream, strict=True), consent))
    except UnicodeDecodeError as error:
        raise UnreadableFile(str(path), "is not utf-8 text") from error
    except csv.Error as error:
        raise UnreadableFile(str(path), f"is not CSV: {error}") from error
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or str(error)) from error
    if not entries:
        raise UnreadableFile(str(path), "no lines behind the header")
    return entries


def _entries(path: Path, rows: "csv.DictReader[str]", consent: Mapping[str, str | None]) -> Iterator[Entry]:
    header = rows.fieldnames or ()
    if not {"file", "subject"} <= set(header) or len(set(header)) != len(header):
        raise UnreadableFile(
            str(path), "its first line must name the columns file and subject, with commas between, and none twice"
        )
    for row in rows:
        try:
            yield _entry(path.parent, rows.line_num, row, consent)
        except (ValueError, InvalidRequest) as error:
            raise UnreadableFile(str(path), f"line {rows.line_num}: {error}") from error


def _entry(beside: Path, line: int, row: dict[str, str], consent: Mapping[str, str | None]) -> Entry:
    if None in row or None in row.values():
        raise ValueError("it has not as many fields as the first line")
    if not row["file"]:
        raise ValueError("no file")
    return Entry(
        line=line,
        file=beside / row["file"],
        subject=check_id("subject", row["subject"]),
        track=row.get("track") or None,
        fps=_number(row.get("fps")),
        aspect=ratio_of(row["aspect"]) if row.get("aspect") else None,
        layout=row.get("layout") or None,
        labels={key: value for key, value in row.items() if key not in COLUMNS and value},
        consent=consent_of(*(row.get(column) or consent.get(column) for column in CONSENT)),
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise ValueError(f"fps: {text!r} is not a number") from None
