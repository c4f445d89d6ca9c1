"""Rows in a byte a number: what they seem is never further off than it is said, and what is told by them is exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.index import parts as parts_of
from gallery.index.coarse import CoarseIndex, Upkeep
from gallery.index.parts import ROWS_A_PROBE, SKETCHED_BYTES, Parts
from gallery.index.sketch import Sketch
from gallery.index.view import Base, View
from model.clips import unit_length
from model.sequence import Floats

DIM = 256
ROWS = SKETCHED_BYTES // (4 * DIM) + 500
NEVER = Upkeep(train=10**9)


def unit(count: int, dim: int, seed: int = 0) -> Floats:
    return unit_length(np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32))


def exactly(view: View, probe: Floats, k: int) -> tuple[list[int], list[float]]:
    """By all rows, in double precision: ids and scores."""
    rows = np.concatenate([np.asarray(each, np.float64) for each in view.base.parts.arrays])
    scores = np.where(view.alive, rows @ probe.astype(np.float64), -np.inf)
    best = np.lexsort((view.base.ids, -scores))[:k]
    return view.base.ids[best].tolist(), scores[best].tolist()


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([3, 16, 64, 100, 256]), st.floats(-6, 3), st.integers(1, 300))
def test_no_inner_product_is_further_off_than_it_is_said(seed: int, dim: int, size: float, count: int) -> None:
    rows = unit(count, dim, seed) * np.float32(10**size)
    probe = unit(1, dim, seed + 1)[0]
    seen = Sketch.of(rows).nearest(probe, max(1, count // 2))
    exact = rows.astype(np.float64) @ probe.astype(np.float64)
    rounding = 1e-5 * 10**size
    assert np.abs(exact[seen.places] - seen.seeming).max() <= seen.off + rounding
    others = np.delete(exact, seen.places)
    assert others.max(initial=-np.inf) <= seen.others + rounding


def test_rows_of_nothing_are_not_near_and_not_far() -> None:
    seen = Sketch.of(np.zeros((5, 8), np.float32)).nearest(unit(1, 8)[0], 2)
    assert seen.seeming.tolist() == [0, 0]
    assert seen.others >= 0


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([64, 256]),
    st.integers(1, 40),
    st.sampled_from(["anywhere", "in heaps", "the same"]),
    st.floats(0, 0.5),
    st.integers(1, 3),
)
def test_it_finds_what_comparing_all_rows_finds(
    seed: int, dim: int, k: int, how: str, removed: float, probes: int
) -> None:
    rng, count = np.random.default_rng(seed), SKETCHED_BYTES // (4 * dim) + 500
    rows = unit(count, dim, seed)
    if how == "in heaps":
        rows = unit_length(unit(20, dim, seed)[rng.integers(0, 20, count)] + np.float32(0.02) * rows)
    elif how == "the same":
        rows = rows[rng.integers(0, 30, count)]
    view = View.of(Base(Parts((rows,), dim), rng.permutation(count).astype(np.int64)))
    view = view.without(view.base.ids[rng.random(count) < removed])
    asked = unit_length(rows[:probes] + np.float32(0.3) * unit(probes, dim, seed + 1))
    found = view.scan(asked, k)
    assert view.base.parts.sketches != (None,)
    for probe, scores, ids in zip(asked, *found, strict=True):
        expected, theirs = exactly(view, probe, k)
        assert scores == pytest.approx(theirs, abs=1e-6)
        # Of what is as good as the same, which comes first is the arithmetic's.
        gaps = np.diff(theirs, prepend=np.inf, append=theirs[-1]) < -1e-6
        clear = gaps[:-1] & gaps[1:]
        assert ids[clear].tolist() == np.array(expected)[clear].tolist()


def test_few_rows_are_read_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    all_rows = parts_of._compared

    def noted(probes: Floats, rows: Floats, *more: object) -> object:
        compared.append(len(rows))
        return all_rows(probes, rows, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(parts_of, "_compared", noted)
    index = CoarseIndex(Base(Parts((unit(10_000, 256),), 256), np.arange(10_000)), NEVER)
    for seed in range(20):
        index.search(unit(1, 256, 100 + seed), 32)
    assert compared == []
    index.search(unit(3, 256, 5), 32)
    assert compared == []
    index.search(unit(4, 256, 5), 32)  # more share what is read
    assert compared == [10_000]


def test_rows_that_come_are_sketched_and_those_that_were_are_not_again() -> None:
    first = Parts((unit(8 * ROWS, DIM),), DIM)
    sketch = first.sketches[0]
    more = first.extended(unit(ROWS, DIM, 1))
    assert len(more.arrays) == 2
    assert more.sketches[0] is sketch
    assert more.sketches[1] is not None
    assert more.bytes == 9 * ROWS * DIM * 5
    assert more.few == 9 * ROWS // ROWS_A_PROBE
    assert first.extended(unit(100, DIM)).few == 8 * ROWS // ROWS_A_PROBE


def test_nothing_is_sketched_before_somebody_searches_for_one() -> None:
    rows = unit(ROWS, DIM)
    parts = Parts((rows,), DIM)
    parts.scan(rows[:1], np.ones(ROWS, np.bool_), np.arange(ROWS), 5)
    assert parts.bytes == rows.nbytes
    parts.told(rows[:1], np.ones(ROWS, np.bool_), np.arange(ROWS), 5)
    assert parts.bytes == rows.nbytes * 5 / 4


@pytest.mark.parametrize(
    "rows",
    [unit(1000, DIM), unit(ROWS, DIM).astype(np.float16), unit(ROWS, DIM + 1), np.zeros((131_073, 16), np.float32)],
    ids=["few", "half as long", "of a size that takes longer", "very many"],
)
def test_not_all_rows_are_sketched_and_those_are_compared_with_all_probes_together(rows: Floats) -> None:
    parts = Parts((rows,), rows.shape[1])
    assert parts.sketches == (None,)
    assert parts.few == 1


def test_an_index_that_chooses_rows_keeps_no_sketch() -> None:
    index = CoarseIndex(Base(Parts((unit(ROWS, DIM),), DIM), np.arange(ROWS)), Upkeep(train=ROWS + 1, tail=10**9))
    index.search(unit(1, DIM, 1), 5)
    assert index.frozen().base.parts.bytes == ROWS * DIM * 5
    index.add(unit(1, DIM, 2), np.array([ROWS]))
    index.settle()
    assert index.frozen().base.trained == ROWS + 1
    assert index.frozen().base.parts.bytes == (ROWS + 1) * DIM * 4
