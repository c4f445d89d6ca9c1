"""Kills a process at random moments of its work, opens what it left in a new one, and compares."""

import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gallery.library import Library
from tests.crash import life
from tests.crash.reference import Contents, Operation, Reference, prepare
from tests.postgres import PrivateServer

# Longest life after opening; an operation takes a few milliseconds.
LIFE_S = 0.3
# A life that has opened says at least so many lines, at random up to this; an operation is two.
LINES = 16
# One life in this many ends with its PostgreSQL server, killed in the same moment.
WITH_SERVER = 10
# One life in this many is killed at any moment since it was born: while it opens, recovers, or makes its gallery.
EARLY = 8


@dataclass
class Tally:
    """What the kills met. wrong: one line for each that left something wrong."""

    kills: int = 0
    servers: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    interrupted: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    nothing: int = 0
    wrong: list[str] = field(default_factory=list)


def kill_again_and_again(data: Path, server: PrivateServer | None, points: int, seed: int) -> Iterator[Tally]:
    """`points` lives on one store, each ended by SIGKILL; gives the tally after each, and stops at what is wrong.

    server: keeps the store in PostgreSQL; now and then it is killed too.
    """
    prepare()
    chance, reference, tally = random.Random(seed), Reference(), Tally()
    database = None if server is None else server.server.create("crash")
    for number in range(points):
        with_server = server is not None and not chance.randrange(WITH_SERVER)
        said = _one_life(data, database, seed * 1_000_000 + number, chance, server if with_server else None)
        if server is not None and with_server:
            tally.servers += 1
            server.start()
        unfinished = _follow(said, reference, tally)
        tally.kills += 1
        found = _look(data, database)
        if isinstance(found, str):
            tally.wrong.append(f"kill {number}: {found}")
        else:
            _compare(found, reference, unfinished, tally, number)
        yield tally
        if tally.wrong:
            return


def _one_life(
    data: Path, database: str | None, seed: int, chance: random.Random, server: PrivateServer | None
) -> list[dict[str, Any]]:
    """What a process said before it, and the server if one is given, was killed."""
    with _child(lambda said: life.live(data, database, seed, said)) as (pid, heard):
        first = os.read(heard, 65536) if chance.randrange(EARLY) else b""
        lines = [first]
        if first:  # so much is done first, however busy the machine is
            _hear_lines(heard, chance.randrange(LINES), lines)
        _hear_for(heard, chance.uniform(0, LIFE_S), lines)
        os.kill(pid, signal.SIGKILL)
        if server is not None:
            server.stop(signal.SIGKILL)
        while piece := os.read(heard, 65536):
            lines.append(piece)
    text = b"".join(lines).decode()
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _hear_lines(heard: int, count: int, lines: list[bytes]) -> None:
    while sum(piece.count(b"\n") for piece in lines) < count and (piece := os.read(heard, 65536)):
        lines.append(piece)


def _hear_for(heard: int, seconds: float, lines: list[bytes]) -> None:
    """Read what is said for so long, so that the speaker never waits for a full pipe."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([heard], [], [], left)[0]:
            piece = os.read(heard, 65536)
            if not piece:
                return
            lines.append(piece)


def _follow(said: list[dict[str, Any]], reference: Reference, tally: Tally) -> Operation | None:
    """Bring the reference up to the last acknowledgement; gives the operation that was under way."""
    unfinished: Operation | None = None
    for each in said:
        if each["said"] == "begin":
            unfinished = each["operation"]
        elif each["said"] == "done":
            assert unfinished is not None
            reference.contents = reference.after(unfinished)
            tally.acknowledged[unfinished["do"]] += 1
            unfinished = None
        elif each["said"] == "failed":
            tally.wrong.append(each["why"])
    if unfinished is not None:
        tally.interrupted[unfinished["do"]] += 1
    return unfinished


def _look(data: Path, database: str | None) -> Contents | str:
    """The contents, as a new process finds them; or what is wrong with the store."""

    def look(said: int) -> None:
        library = Library(life.open_again(data, database))
        wrong = life.what_is_wrong(library)
        found: Any = "; ".join(wrong) if wrong else life.contents_of(library)
        library.close()
        os.write(said, json.dumps(found).encode() + b"\n")

    pieces = []
    with _child(look) as (_, heard):
        while piece := os.read(heard, 65536):
            pieces.append(piece)
    found = json.loads(b"".join(pieces) or b'"the store could not be opened"')
    if isinstance(found, dict) and "why" in found:
        return str(found["why"])
    return found if isinstance(found, str) else {subject: tuple(tokens) for subject, tokens in found.items()}


def _compare(found: Contents, reference: Reference, unfinished: Operation | None, tally: Tally, number: int) -> None:
    possible = list(reference.possible(unfinished))
    if found not in possible:
        differing = {
            subject: (found.get(subject), reference.contents.get(subject))
            for subject in found.keys() | reference.contents.keys()
            if found.get(subject) != reference.contents.get(subject)
        }
        tally.wrong.append(f"kill {number}, during {unfinished}: (found, acknowledged) differ: {differing}")
        return
    if len(possible) > 1 and possible[0] != possible[1]:
        tally.whole += found == possible[1]
        tally.nothing += found == possible[0]
    reference.contents = found


@contextmanager
def _child(work: Callable[[int], None]) -> Iterator[tuple[int, int]]:
    """A new process at `work`, and the end of the pipe on which it is heard.

    It is forked from one that has loaded the libraries and opened nothing, which is quick.
    """
    heard, said = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        try:
            work(said)
        except BaseException:
            os.write(said, json.dumps({"said": "failed", "why": traceback.format_exc()[-2000:]}).encode() + b"\n")
        finally:
            os._exit(0)
    os.close(said)
    try:
        yield pid, heard
    finally:
        os.close(heard)
        os.waitpid(pid, 0)
