import logging
from collections.abc import Callable

import numpy as np
import pytest

from gallery.index import CoarseIndex
from gallery.index.coarse import Upkeep
from gallery.index.parts import Parts
from gallery.index.recall import FEW, Recall, RecallAudit
from gallery.index.view import Base, View
from model.sequence import Floats

Vectors = Callable[..., Floats]
DIM = 16


@pytest.fixture
def view(vectors: Vectors) -> View:
    return View.of(Base(Parts((vectors(400, DIM),), DIM), np.arange(400)))


def compared(audit: RecallAudit, view: View, probes: Floats, *, wrong: int = 0) -> Recall:
    """Every answer offered and compared; the first `wrong` of them miss the best."""
    scores, _ = view.scan(probes, 11)
    for place in range(len(probes)):
        answer = scores[[place], 1:] if place < wrong else scores[[place], :10]
        audit.offer(view, probes[[place]], answer)
        audit.settle()
    return audit.recall


def test_right_answers_are_counted_and_the_interval_narrows(view: View, vectors: Vectors) -> None:
    audit = RecallAudit(share=1.0, every_s=0)
    few = compared(audit, view, vectors(10, DIM, seed=1))
    many = compared(audit, view, vectors(100, DIM, seed=2))
    assert (few.answers, many.answers) == (10, 110)
    assert many.at_one == many.at_ten == many.high == 1.0
    assert few.low < many.low < 1.0
    assert not many.failed


def test_an_answer_without_the_best_row_counts_against_it(view: View, vectors: Vectors) -> None:
    found = compared(RecallAudit(share=1.0, every_s=0, floor=0.5), view, vectors(100, DIM, seed=1), wrong=10)
    assert found.at_one == pytest.approx(0.9)
    assert found.at_ten == pytest.approx(0.99)
    assert found.low < 0.9 < found.high
    assert not found.failed


def test_it_fails_at_once_where_recall_is_below_the_floor_beyond_doubt(
    view: View, vectors: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    audit = RecallAudit(share=1.0, every_s=0)
    assert not compared(audit, view, vectors(FEW - 1, DIM, seed=1), wrong=FEW - 1).failed
    with caplog.at_level(logging.WARNING):
        assert compared(audit, view, vectors(1, DIM, seed=2), wrong=1).failed
    assert "all rows are compared" in caplog.text


def test_it_fails_when_enough_answers_do_not_prove_the_floor(view: View, vectors: Vectors) -> None:
    audit = RecallAudit(share=1.0, every_s=0, enough=150)
    # 1 of 100 missed: neither below 0.99 beyond doubt, nor proved to be above.
    assert not compared(audit, view, vectors(100, DIM, seed=1), wrong=1).failed
    assert compared(audit, view, vectors(60, DIM, seed=2)).failed
    audit.forget()
    assert audit.recall.answers == 0
    assert not audit.failed


def test_only_a_share_of_the_answers_is_compared_and_not_more_than_one_in_a_time(view: View, vectors: Vectors) -> None:
    probes = vectors(40, DIM, seed=1)
    assert compared(RecallAudit(share=0.0, every_s=0), view, probes).answers == 0
    assert compared(RecallAudit(share=1.0, every_s=1000), view, probes).answers == 1
    assert 0 < compared(RecallAudit(share=0.4, every_s=0), view, probes).answers < 40


def test_an_index_whose_answers_fail_compares_all_rows_until_it_is_trained_again(
    vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = vectors(2000, DIM)
    audit = RecallAudit(share=1.0, every_s=0)
    base = Base(Parts((rows,), DIM), np.arange(2000))
    index = CoarseIndex(base, Upkeep(train=0), audit=audit)
    index.settle()
    kinds = [index.kind]

    class Blind:
        """Chooses rows that nobody asked for."""

        kind, bytes = "coarse", 0

        def choose(self, probes: Floats, count: int, share: float) -> np.ndarray:
            return np.tile(np.arange(1900, 1900 + min(count, 100)), (len(probes), 1))

    object.__setattr__(index.frozen().base, "chooser", Blind())
    for row in rows[:FEW]:
        index.search(row[None], 10)
        audit.settle()
    kinds.append(index.kind)
    assert index.recall is not None
    assert index.recall.failed
    assert index.search(rows[:50], 1)[1][:, 0].tolist() == list(range(50))
    index.add(vectors(2500, DIM, seed=1), np.arange(2000, 4500))
    index.settle()
    assert [*kinds, index.kind] == ["coarse", "flat", "coarse"]
    assert not index.recall.failed
