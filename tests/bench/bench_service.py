"""`make bench-service`: /identify over HTTP, by each kind of body, against bare encoder and search in a loop.

The service runs in a process of its own, the load generator in this one, on loopback; 10,000 templates. The bare loop
runs here too, by turns with the service: clips that are ready, so many at a time, encoded and then searched, with as
many threads as the service's encoder has.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.sequence import SkeletonSequence
from tests.bench import bench_service_life
from tests.bench.bare import TEMPLATES, THREADS, Bare
from tests.bench.bodies import KINDS, Kind
from tests.bench.load import Connection, Load, drive, request_bytes
from tests.bench.report import Row, show
from tests.bench.running import a_service
from tests.fakes import walking

PROBES = 32
CONCURRENCY = (1, 4, 16, 64)
AT = 16  # the concurrency that floors are about
BATCHES = (1, 2, 4, 8, 16, 32)
TURNS, IN_A_ROW = 6, 100
BLOCKS, BLOCK_S = 5, 1.0
SHARE_FLOORS = {"raw": 0.9, "npy": 0.9, "msgpack": None, "json": 0.7}
ADDED_MS = 1.0  # of a raw body, alone
P99_BATCHES = 3.0


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of body at one concurrency. generator: share of a processor that the load generator took."""

    kind: str
    concurrency: int
    rate: float
    median_ms: float
    p99_ms: float
    generator: float
    refused: int
    failed: int


def run() -> tuple[list[Row], list[Cell]]:
    bundle = open_bundle(shipped(DEFAULT_ENCODER))
    probes = [walking(subject) for subject in range(PROBES)]
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-bench-") as folder:
        bare = Bare(bundle, Path(folder), probes)
        with a_service(Path(folder), threads=str(THREADS)) as service:
            where = service.where
            requests = {kind.name: _requests(kind, where, probes) for kind in KINDS}
            rows = [_added(bare, where, kind, requests[kind.name]) for kind in KINDS]
            best = _best_batch(bare)
            cells: list[Cell] = []
            for kind in KINDS:
                found, more = _loaded(bare, best, where, kind, requests[kind.name])
                rows += found
                cells += more
        bare.close()
    return [*rows, _never_failed(cells)], cells


def _requests(kind: Kind, where: str, probes: Sequence[SkeletonSequence]) -> list[bytes]:
    return [request_bytes(where, *kind.of(probe)) for probe in probes]


def _added(bare: Bare, where: str, kind: Kind, requests: list[bytes]) -> Row:
    """Both by turns, some of each in a row: neither is timed only on the caches that the other one left."""
    connection = Connection(where)
    over, without = [], []
    for turn in range(TURNS + 1):
        mine, theirs = [], []
        for place in range(IN_A_ROW):
            began = time.perf_counter()
            answer = connection.ask(requests[place % PROBES])
            mine.append((time.perf_counter() - began, json.loads(answer)["score"]))
        for place in range(IN_A_ROW):
            began = time.perf_counter()
            score = bare.identify([place % PROBES])[0]
            theirs.append((time.perf_counter() - began, score))
        alike = all(abs(ours[1] - bares[1]) < 1e-2 for ours, bares in zip(mine, theirs, strict=True))
        assert alike, "the service and the bare loop do not answer alike"
        if turn:
            over += [1000 * seconds for seconds, _ in mine]
            without += [1000 * seconds for seconds, _ in theirs]
    connection.close()
    added = median(over) - median(without)
    detail = f"{len(over)} of each; {len(requests[0]):,} bytes a request; p99 {np.percentile(over, 99):.1f} ms"
    floor = ADDED_MS if kind.name == "raw" else None
    name = f"{kind.name}, alone: ms added to bare encoder + search"
    return Row(name, median(over), median(without), added, floor, "ms", detail, lower_is_better=True)


def _best_batch(bare: Bare) -> int:
    """How many at a time the bare loop does the most with."""
    rates = {size: median(_bare_rate(bare, size, 0.4) for _ in range(3)) for size in BATCHES}
    return max(rates, key=lambda size: rates[size])


def _bare_rate(bare: Bare, size: int, seconds: float = BLOCK_S) -> float:
    done, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        bare.identify([(done + i) % PROBES for i in range(size)])
        done += size
    return done / spent


def _loaded(bare: Bare, best: int, where: str, kind: Kind, requests: list[bytes]) -> tuple[list[Row], list[Cell]]:
    """Every concurrency; the one that floors are about in blocks, by turns with the bare loop."""
    cells = [_cell(kind, at, _drive_for(where, requests, at)) for at in CONCURRENCY if at != AT]
    blocks = [(_bare_rate(bare, best), _drive_for(where, requests, AT)) for _ in range(BLOCKS)]
    loads = [load for _, load in blocks]
    ratio = median(load.rate / rate for rate, load in blocks)
    ours, other = median(load.rate for load in loads), median(rate for rate, _ in blocks)
    generator = sum(load.cpu for load in loads) / sum(load.seconds for load in loads)
    detail = f"bare loop at its best batch of {best}; the load generator took {generator:.0%} of one processor"
    name = f"{kind.name}, {AT} at once: throughput against the bare loop"
    rows = [Row(name, ours, other, ratio, SHARE_FLOORS[kind.name], "requests/s", detail)]
    rows.append(_tail(bare, kind, loads))
    together = Load(
        sum(load.requests for load in loads), sum(load.seconds for load in loads), sum(load.cpu for load in loads),
        tuple(wait for load in loads for wait in load.waits), {200: sum(load.statuses.get(200, 0) for load in loads)},
    )  # fmt: skip
    return rows, [*cells, _cell(kind, AT, together)]


def _tail(bare: Bare, kind: Kind, loads: Sequence[Load]) -> Row:
    batch = 1000 * median(_seconds(lambda: bare.identify(list(range(AT)))) for _ in range(15))
    p99 = 1000 * median(float(np.percentile(load.waits, 99)) for load in loads)
    name = f"{kind.name}, {AT} at once: p99 in times of a bare batch of {AT}"
    detail = f"median over {len(loads)} blocks of their p99"
    return Row(name, p99, batch, p99 / batch, P99_BATCHES, "ms", detail, lower_is_better=True)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _drive_for(where: str, requests: list[bytes], concurrency: int) -> Load:
    """About a block's time of requests, after a short run that tells how many that is."""
    short = drive(where, requests * max(1, concurrency // len(requests) + 1), concurrency)
    return drive(where, requests * max(2, int(BLOCK_S * short.rate / len(requests))), concurrency)


def _cell(kind: Kind, concurrency: int, load: Load) -> Cell:
    failed = sum(count for status, count in load.statuses.items() if status >= 500)
    refused = load.requests - load.statuses.get(200, 0) - failed
    middle, tail = (1000 * float(np.percentile(load.waits, share)) for share in (50, 99))
    return Cell(kind.name, concurrency, load.rate, middle, tail, load.cpu / load.seconds, refused, failed)


def _never_failed(cells: Sequence[Cell]) -> Row:
    failed = sum(cell.failed for cell in cells)
    refused = sum(cell.refused for cell in cells)
    detail = f"of all kinds and concurrencies; {refused} refused with 4xx"
    return Row("answers of 5xx", failed, 0, failed, 0, "answers", detail, lower_is_better=True)


def _grid(cells: Sequence[Cell]) -> Table:
    table = Table("body", "at once", "requests/s", "median ms", "p99 ms", "generator", title="/identify")
    for cell in sorted(cells, key=lambda cell: ([kind.name for kind in KINDS].index(cell.kind), cell.concurrency)):
        table.add_row(
            cell.kind, str(cell.concurrency), f"{cell.rate:.0f}", f"{cell.median_ms:.2f}", f"{cell.p99_ms:.1f}",
            f"{cell.generator:.0%} CPU",
        )  # fmt: skip
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-service", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("build/bench-service.json"), help="default: %(default)s")
    arguments = parser.parse_args()
    console = Console()
    with Console(stderr=True).status("measuring the service ..."):
        rows, cells = run()
        rows += bench_service_life.run()
    console.print(_grid(cells))
    show(rows, console)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    whole = {"rows": [asdict(row) | {"passed": row.passed} for row in rows], "cells": [asdict(cell) for cell in cells]}
    arguments.json.write_text(json.dumps(whole, indent=1) + "\n")
    console.print(f"{TEMPLATES:,} templates; written to {arguments.json}", highlight=False)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
