"""From the encoder's answers to decisions: alone in the encoder's thread, together in a batch of searches."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from gallery.decide import abstain
from gallery.library import Library
from gallery.template import Decision
from model.errors import EmptyGallery, UnknownGallery
from model.sequence import Floats
from service.engine.batcher import Batcher
from service.engine.batcher import Bounds as QueueBounds
from service.engine.searching import Bounds, Searching
from service.operation.metrics import Metrics
from service.settings import Limits

EMBEDDING = np.ones((1, 4), np.float32)


class FakeLibrary:
    """Abstains, and keeps in which thread of which questions with which heads."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.asked: list[tuple[str, int, Any]] = []
        self.failure: Exception | None = None

    def head(self, gallery: str, fingerprint: str) -> object:
        self.heads.append(threading.current_thread().name)
        if gallery == "nowhere":
            raise UnknownGallery(gallery)
        return SimpleNamespace(name=gallery)

    def identify(self, gallery: str, embeddings: Floats, *, head: Any, **more: Any) -> Sequence[Decision]:
        self.asked.append((threading.current_thread().name, len(embeddings), head and head.name))
        if self.failure is not None:
            raise self.failure
        return [abstain(["too_short"])] * len(embeddings)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def searching(library: FakeLibrary, metrics: Metrics) -> Iterator[Searching]:
    searching = Searching(cast(Library, library), Limits(), metrics)
    yield searching
    searching.close()


class Encoder:
    """A batcher that gives embeddings when it is let."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.batcher: Batcher[int, Floats] = Batcher(
            "encoder", self._work, cost=lambda _: 1, bounds=QueueBounds(100, 100, 100)
        )

    def _work(self, items: list[int]) -> list[Floats]:
        assert self.gate.wait(5)
        return [EMBEDDING] * len(items)


@pytest.fixture
def encoder() -> Iterator[Encoder]:
    encoder = Encoder()
    yield encoder
    encoder.gate.set()
    encoder.batcher.close()


def asked(searching: Searching, encoder: Encoder, count: int, gallery: str = "staff") -> list[Decision]:
    """What is answered to so many who ask at the same time."""

    async def run() -> list[Decision]:
        coming = [encoder.batcher.submit(number) for number in range(count)]
        answers = [
            asyncio.ensure_future(searching.after(each, gallery, Bounds(), "f", encoder.batcher)) for each in coming
        ]
        await asyncio.sleep(0.01)
        encoder.gate.set()
        return await asyncio.gather(*answers)

    return asyncio.run(run())


def test_for_whoever_is_alone_the_gallery_is_looked_up_while_the_encoder_runs_and_searched_in_its_thread(
    searching: Searching, encoder: Encoder, library: FakeLibrary, metrics: Metrics
) -> None:
    (decision,) = asked(searching, encoder, 1)
    assert decision.reasons == ("too_short",)
    assert library.asked == [("batcher-encoder", 1, "staff")]
    assert [name.startswith("gallery-head") for name in library.heads] == [True]
    assert metrics.counted("gaitkeeper_batch_items_count")[-1][1] == 1


def test_those_who_come_together_are_searched_for_together(
    searching: Searching, encoder: Encoder, library: FakeLibrary
) -> None:
    assert len(asked(searching, encoder, 5)) == 5
    assert {(name, head) for name, _, head in library.asked} == {("batcher-search", None)}
    assert sum(count for _, count, _ in library.asked) == 5
    assert library.heads == []


def test_an_encoder_that_was_quicker_does_not_make_the_event_loop_search(
    searching: Searching, library: FakeLibrary
) -> None:
    rows: Future[Floats] = Future()
    rows.set_result(EMBEDDING)
    encoder = cast("Batcher[Any, Any]", SimpleNamespace(has_one=True))
    asyncio.run(searching.after(rows, "staff", Bounds(), "f", encoder))
    assert [name for name, _, _ in library.asked] == ["batcher-search"]


@pytest.mark.parametrize("count", [1, 3])
def test_what_goes_wrong_is_the_answer(
    searching: Searching, encoder: Encoder, library: FakeLibrary, count: int
) -> None:
    library.failure = EmptyGallery("staff")
    with pytest.raises(EmptyGallery):
        asked(searching, encoder, count)


def test_a_gallery_that_is_not_there_is_said_before_anything_is_searched(
    searching: Searching, encoder: Encoder, library: FakeLibrary
) -> None:
    with pytest.raises(UnknownGallery):
        asked(searching, encoder, 1, "nowhere")
    assert library.asked == []
