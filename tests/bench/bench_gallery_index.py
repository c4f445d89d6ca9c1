"""The index of a million templates by itself: speed and recall, memory, snapshots. Part of `make bench-gallery`."""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median

import faiss
import numpy as np

from gallery.index import IndexPolicy, SnapshotHeader, VectorIndex, build_index, write_snapshot
from gallery.index.training import right
from gallery.keys.sealing import new_key
from model.sequence import Floats
from tests.bench import population
from tests.bench.gallery_start import started
from tests.bench.report import Row

PER_SUBJECT = 4
PROBES = 1000
K = 10
BATCH = 32
ROUNDS = 15
BATCH_ROUNDS = 5
# Of ours in a row: what takes a millisecond would else be timed on the caches that a scan of 1 GB left.
CALLS = 8
# Rows of a product that finds the exact answers, and what its order of rounding may change.
BLOCK, ROUNDING = 16_384, 1e-5
FLOORS = (0.999, 0.98)


def search(templates: int) -> list[Row]:
    """Ours against FAISS's flat scan and a BLAS product, one probe and batches, with the recall of both kinds."""
    drawn = _drawn(templates)
    table, ids = drawn.templates, np.arange(len(drawn.templates))
    began = time.perf_counter()
    index = _built(table, ids, "auto")
    seconds = time.perf_counter() - began
    asked = {"mated": drawn.mated, "strangers'": drawn.strangers}
    exact = {name: _exact(index, table, probes) for name, probes in asked.items()}
    recalls = _recalls(index, table, asked, exact, floors=True)
    probes, counts = np.concatenate([*asked.values()]), all(row.passed for row in recalls)
    rows = _speed(index, table, probes, f"{len(table):,} x {table.shape[1]}, best {K}", counts) + recalls
    rows.append(Row("building it", seconds, 1, seconds, None, "s", "one thread, beside exact answers"))
    index = _built(table, ids, "compact")
    rows += _speed(index, table, probes, "rows in float16", True, batches=False, floors=False)
    return rows + _recalls(index, table, asked, exact, floors=False)


def _recalls(
    index: VectorIndex, table: Floats, asked: dict[str, Floats], exact: dict[str, Floats], *, floors: bool
) -> list[Row]:
    rows = []
    for name, probes in asked.items():
        for at, share, floor in zip((1, K), _recall(index, table, probes, exact[name]), FLOORS, strict=True):
            detail = f"{len(probes):,} probes"
            kept = floor if floors else None
            rows.append(Row(f"{index.kind}: recall@{at} of {name} probes", share, 1, share, kept, "", detail))
    return rows


def _speed(
    index: VectorIndex, table: Floats, probes: Floats, detail: str, counts: bool, *, batches: bool = True,
    floors: bool = True,
) -> list[Row]:  # fmt: skip
    """Ratios of medians, each probe or batch another one."""
    rows = []
    for size in (1, BATCH) if batches else (1,):

        def blocks(step: int = size) -> Iterator[Floats]:
            while True:
                yield from (probes[at : at + step] for at in range(0, len(probes) - step + 1, step))

        flat, product, other, ours = blocks(), blocks(), blocks(), blocks()
        works: dict[str, tuple[Callable[[], object], int]] = {
            "ours": (lambda ours=ours: index.search(next(ours), K), CALLS),  # type: ignore[misc]
            "flat": (lambda flat=flat: faiss.knn(next(flat), table, K, metric=faiss.METRIC_INNER_PRODUCT), 1),  # type: ignore[misc]
            "product": (lambda product=product: table @ next(product).T, 1),  # type: ignore[misc]
        }
        if size > 1:
            works["turned"] = (lambda other=other: next(other) @ table.T, 1)  # type: ignore[misc]
        taken = _medians(works, ROUNDS if size == 1 else BATCH_ROUNDS)
        product_s = min(taken["product"], taken.get("turned", np.inf))
        what = f"{index.kind}: one probe" if size == 1 else f"{index.kind}: {size} probes"
        for name, seconds, floor in (("FAISS's flat scan", taken["flat"], 20), ("a BLAS product", product_s, 10)):
            rows.append(
                Row(
                    f"{what} / {name}", taken["ours"] * 1e3, seconds * 1e3, seconds / taken["ours"],
                    floor if floors else None, "ms", detail, counts=counts,
                )
            )  # fmt: skip
    return rows


def _medians(works: dict[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, float]:
    """Median seconds of a call of each, taken by turns; one untimed round before."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(rounds + 1):
        for name, (work, calls) in works.items():
            began = time.perf_counter()
            for _ in range(calls):
                work()
            if turn:
                times[name].append((time.perf_counter() - began) / calls)
    return {name: median(kept) for name, kept in times.items()}


def memory(templates: int, kind: str, floor: float) -> list[Row]:
    """Resident memory of an index over the raw vectors, and its peak while it is built."""
    before = _resident("VmRSS")
    drawn = _drawn(templates)
    raw = drawn.templates.nbytes
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    index = _built(drawn.templates, np.arange(templates), kind)
    peak = _resident("VmHWM") - before
    del drawn
    gc.collect()
    taken = _resident("VmRSS") - before
    detail = f"resident; peak while it is built {peak / raw:.2f}; own count {index.memory_bytes / raw:.3f}"
    name = f"memory of {index.kind} / raw vectors"
    return [Row(name, taken / 1e6, raw / 1e6, taken / raw, floor, "MB", detail, lower_is_better=True)]


def snapshot(templates: int) -> list[Row]:
    """Seconds to write an index to a file, and, in a new process, until it answers."""
    index, ids = _built(_drawn(templates).templates, np.arange(templates), "auto"), np.arange(templates)
    key = new_key()
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-bench-") as directory:
        path = Path(directory) / "1.index"
        began = time.perf_counter()
        write_snapshot(path, key, SnapshotHeader(1, 1, 1, 1, "b", 0), index, ids, ids, ids, ids)
        wrote, size = time.perf_counter() - began, path.stat().st_size
        ready, read = started("open", str(path), key.hex())
    return [
        Row("writing a snapshot", wrote, 1, wrote, None, "s", f"{size / 1e6:,.0f} MB, encrypted, durable"),
        Row(
            "a snapshot answers after the start of a process", ready, 5, ready, 5, "s",
            f"of which reading {read:.2f} s", lower_is_better=True,
        ),
    ]  # fmt: skip


def _drawn(templates: int) -> population.Draw:
    return population.resample(population.load(), templates // PER_SUBJECT, PER_SUBJECT, PROBES)


def _built(table: Floats, ids: np.ndarray, kind: str) -> VectorIndex:
    index = build_index(table, ids, IndexPolicy(kind, audited=0))  # type: ignore[arg-type]
    index.settle()
    return index


def _exact(index: VectorIndex, table: Floats, probes: Floats) -> Floats:
    """Scores (q, K) of the best, by a plain product; what the index found tells which scores need no look."""
    least = index.search(probes, K)[0][:, -1:] - ROUNDING
    owners, values = [], []
    for start in range(0, len(table), BLOCK):
        scores = probes @ table[start : start + BLOCK].T
        near = np.nonzero(scores >= least)
        owners.append(near[0])
        values.append(scores[near])
    owner, value = np.concatenate(owners), np.concatenate(values)
    order = np.lexsort((-value, owner))
    first = np.searchsorted(owner[order], np.arange(len(probes)))
    best: Floats = value[order][first[:, None] + np.arange(K)]
    return best


def _recall(index: VectorIndex, table: Floats, probes: Floats, exact: Floats) -> tuple[float, float]:
    """recall@1 and recall@10, by the exact scores of what was found (ids are rows): any of equal ones counts."""
    found = []
    for start in range(0, len(probes), 50):
        _, ids = index.search(probes[start : start + 50], K)
        scores = np.einsum("qkd,qd->qk", table[ids], probes[start : start + 50])
        found.append(np.sort(scores, axis=1)[:, ::-1])
    best = np.concatenate(found)
    return right(best[:, :1], exact[:, :1]), right(best, exact)


def _resident(what: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(what))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    count = int(sys.argv[2])
    parts: dict[str, Callable[[], list[Row]]] = {
        "search": lambda: search(count),
        "memory": lambda: memory(count, "auto", 1.35),
        "compact": lambda: memory(count, "compact", 0.675),
        "snapshot": lambda: snapshot(count),
    }
    print(json.dumps([asdict(row) for row in parts[sys.argv[1]]()]))
