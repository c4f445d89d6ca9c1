"""A model behind its batcher: no call of it is larger than what it runs at a time."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from service.engine.loaded import as_encoder
from service.engine.stage import Stage
from service.operation.metrics import Metrics
from service.settings import Limits
from tests.fakes import FakeEncoder


class SmallEncoder(FakeEncoder):
    at_once = 4


@pytest.fixture
def encoder() -> SmallEncoder:
    return SmallEncoder()


@pytest.fixture
def stage(encoder: SmallEncoder) -> Iterator[Stage]:
    stage = Stage("encode", as_encoder(encoder), Limits(), Metrics(), walking=True)
    yield stage
    assert stage.batcher.close(10)


def clips(count: int) -> np.ndarray:
    return np.random.default_rng(count).random((count, 60, 17, 3)).astype(np.float32)


def test_those_who_ask_together_are_run_so_many_at_a_time(stage: Stage, encoder: SmallEncoder) -> None:
    each = [clips(1) for _ in range(25)]
    coming = [stage.submitted(one, stage.model) for one in each]
    found = [future.result(10) for future in coming if future is not None]
    assert len(found) == 25
    assert sum(encoder.calls) == 25
    assert max(encoder.calls) <= 4


def test_a_long_sequence_is_run_in_pieces_between_which_others_have_their_turn(
    stage: Stage, encoder: SmallEncoder
) -> None:
    long = clips(11)
    assert stage.submitted(long, stage.model) is None
    found = asyncio.run(stage.rows(long))
    assert encoder.calls == [2, 2, 2, 2, 2, 1]
    assert np.allclose(found, FakeEncoder().embed_clips(long))
