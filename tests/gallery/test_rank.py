from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.index import FlatIndex
from gallery.metrics import by_subject
from gallery.owners import Owners
from gallery.rank import shortlist
from gallery.store.rows import NEVER
from model.clips import unit_length
from model.sequence import Floats


def filled(rows: Floats, subjects: np.ndarray) -> tuple[FlatIndex, Owners]:
    index, ids = FlatIndex(rows.shape[1]), np.arange(len(rows))
    index.add(rows, ids)
    return index, Owners(ids, subjects.astype(np.int64), ids, np.full(len(rows), NEVER))


def test_one_subject_with_a_thousand_templates_hides_nobody(vectors: Callable[..., Floats]) -> None:
    probe = vectors(1, 32)
    crowd = unit_length(probe + 0.01 * vectors(1000, 32, seed=1))
    others = vectors(4, 32, seed=2)
    index, owners = filled(np.concatenate([crowd, others]), np.array([7] * 1000 + [1, 2, 3, 4]))
    found = shortlist(index.search, owners, probe, want=5, best=1, now=0)[0]
    assert set(found) == {7, 1, 2, 3, 4}


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    templates=st.integers(1, 400),
    subjects=st.integers(1, 40),
    want=st.integers(1, 8),
    best=st.integers(1, 4),
    duplicates=st.booleans(),
)
def test_the_best_subjects_are_those_of_a_full_comparison(
    seed: int, templates: int, subjects: int, want: int, best: int, duplicates: bool
) -> None:
    rng = np.random.default_rng(seed)
    rows = unit_length(rng.standard_normal((templates, 4)).astype(np.float32))
    if duplicates:
        rows = rows[rng.integers(0, max(1, templates // 3), templates)]
    owner = np.sort(rng.zipf(1.5, templates) % subjects)
    probes = unit_length(rng.standard_normal((3, 4)).astype(np.float32))
    index, owners = filled(rows, owner)
    exact, names = by_subject(probes.astype(np.float64) @ rows.astype(np.float64).T, owner, best)
    for probe, scores, found in zip(
        probes, exact, shortlist(index.search, owners, probes, want, best, now=0), strict=True
    ):
        last = np.sort(scores)[::-1][: min(want, len(names))][-1]
        must = {int(name) for name, score in zip(names, scores, strict=True) if score > last + 1e-4}
        may = {int(name) for name, score in zip(names, scores, strict=True) if score >= last - 1e-4}
        assert must <= set(found) <= may
        assert len(found) >= min(want, len(names))
        for subject, held in found.items():
            assert set(held) <= set(np.flatnonzero(owner == subject).tolist())
            assert float((rows[held] @ probe).mean()) == pytest.approx(scores[names == subject].item(), abs=1e-4)
