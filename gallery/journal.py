"""The erasures' journal: DATA/erasures.jsonl, one line an erasure, kept apart from the database and its backups.

Restoring an older backup brings back whom it holds; this file says who must go again before anything is answered.
It has keys and no names. A line:

    {"state":"done","id":UUID, …, "version":1,"store":UUID,"number":N,"check":SHA-256 of the rest without the state}

A line is on the disk (fsync) as `open` before its erasure's transaction commits, and `done` before the erasure is
acknowledged. Lines are added only by who holds the database's lock for writing, and the first thing done then is to
settle what is open at the end: the database says whether that transaction came to be. So only the lines of the last
transaction are ever open, and an erasure that failed, or was killed, leaves nothing behind that could erase somebody
later. number counts the lines, and is held against the number of erasures in the database.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from model.errors import InvalidArchive

# What became of an erasure that has a line: it was committed (True), it never was (False), or its transaction is under
# way (None).
Fate: TypeAlias = Callable[[str], bool | None]

FILE = "erasures.jsonl"
VERSION = 1

_OPEN, _DONE = b'{"state":"open",', b'{"state":"done",'
_BLOCK = 1 << 14
_ADVICE = (
    "it says who must be erased again when a backup is restored. Put back its own copy; only if there is none, and no "
    "older backup was restored, move it away: it is then written anew from the database"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One erasure. fields: whatever was added beside the id; done: its transaction is known to have committed."""

    id: str
    number: int
    done: bool
    fields: Mapping[str, Any]


class Journal:
    """The journal of one data directory. Reading it needs nothing; whoever writes it holds the database's lock.

    Raises OSError where the disk does not do what is asked, and `InvalidArchive` for a file that is not ours.
    """

    def __init__(self, directory: Path, store: str) -> None:
        self.path = directory / FILE
        self._store = store

    def lines(self) -> Iterator[Line]:
        """All lines, oldest first, each checked. One that was being written when its process was killed is none."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                if raw.endswith(b"\n"):
                    line = self._parsed(raw, f"line {number}")
                    if line.number != number:
                        self._refuse(f"line {number}", f"has number {line.number}: lines were removed or put in")
                    yield line

    def last(self) -> Line | None:
        """The last line, checked; None when there is none. Quick, however many there are."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            return next((line for _, line in self._backwards(file.fileno())), None)

    def add(self, erasure: str, fields: Mapping[str, Any], fate: Fate) -> None:
        """Add an open line and bring it to the disk; those of an earlier transaction are settled first."""
        self._append(erasure, fields, fate, done=False)

    def catch_up(self, erasure: str, fields: Mapping[str, Any], fate: Fate) -> None:
        """Add a line for an erasure that the database has and the journal lacks."""
        self._append(erasure, fields, fate, done=True)

    def settle(self, fate: Fate) -> None:
        """Mark open lines as done if the database knows their erasures; else remove them, for they never came to be."""
        if self.path.exists():
            with self._opened() as file:
                self._settled(file, fate)

    def confirm(self, erasure: str) -> None:
        """Mark the line of an erasure as done, now that its transaction has committed, unless another process did."""
        with self._opened() as file:
            for start, line in self._backwards(file):
                if not line.done and line.id == erasure:
                    _mark_done(file, start)
                if line.done or line.id == erasure:
                    return

    def _append(self, erasure: str, fields: Mapping[str, Any], fate: Fate, *, done: bool) -> None:
        with self._opened() as file:
            end, number = self._settled(file, fate)
            try:
                _write(file, self._written(erasure, fields, number + 1, done), end)
                os.fsync(file)
            except OSError:
                os.ftruncate(file, end)
                raise

    @contextmanager
    def _opened(self) -> Iterator[int]:
        new = not self.path.exists()
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if new:
                _sync_directory(self.path.parent)
            yield file
        finally:
            os.close(file)

    def _settled(self, file: int, fate: Fate) -> tuple[int, int]:
        """Where the next line begins, and how many there are before it; what is cut off behind that is removed."""
        end, number, first = _end(file), 0, True
        for start, line in self._backwards(file):
            number = line.number if first else number
            first = False
            if line.done:
                break
            became = fate(line.id)
            if became:
                _mark_done(file, start)
            elif became is False:
                end, number = start, line.number - 1
        if os.fstat(file).st_size != end:
            os.ftruncate(file, end)
            os.fsync(file)
        return end, number

    def _backwards(self, file: int) -> Iterator[tuple[int, Line]]:
        """Each line's place and the line, the last one first."""
        end = _end(file)
        while end > 0:
            start = _newline_before(file, end - 1)
            yield start, self._parsed(os.pread(file, end - start, start), f"the line at byte {start}")
            end = start

    def _written(self, erasure: str, fields: Mapping[str, Any], number: int, done: bool) -> bytes:
        body = {"id": erasure, **fields, "version": VERSION, "store": self._store, "number": number}
        rest = _compact({**body, "check": _check(body)})
        return (_DONE if done else _OPEN) + rest[1:] + b"\n"

    def _parsed(self, raw: bytes, where: str) -> Line:
        try:
            body = json.loads(raw)
            done = {"open": False, "done": True}[body.pop("state")]
            check = body.pop("check")
            erasure, number, version = body["id"], body["number"], body["version"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._refuse(where, "is damaged")
        if check != _check(body) or not isinstance(number, int) or not isinstance(erasure, str):
            self._refuse(where, "is damaged")
        if version != VERSION:
            self._refuse(where, f"is of version {version!r}; known is {VERSION}")
        if body["store"] != self._store:
            self._refuse(where, f"is of another store ({body['store']})")
        own = {"id", "version", "store", "number"}
        return Line(erasure, number, done, {key: value for key, value in body.items() if key not in own})

    def _refuse(self, where: str, reason: str) -> NoReturn:
        raise InvalidArchive(str(self.path), f"{where} {reason}; {_ADVICE}")


def _compact(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def _check(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _end(file: int) -> int:
    """Where the last whole line ends; what comes behind it was being written when its process was killed."""
    return _newline_before(file, os.fstat(file).st_size)


def _newline_before(file: int, end: int) -> int:
    """The place behind the last end of a line before `end`; 0 if there is none."""
    while end > 0:
        start = max(0, end - _BLOCK)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _write(file: int, raw: bytes, place: int) -> None:
    view = memoryview(raw)
    while view:
        written = os.pwrite(file, view, place)
        view, place = view[written:], place + written


def _mark_done(file: int, start: int) -> None:
    os.pwrite(file, _DONE, start)
    os.fsync(file)


def _sync_directory(directory: Path) -> None:
    place = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
