"""Probes of one moment are judged together, each as it would be alone."""

import asyncio

import pytest

from model.quality import assess
from service.engine.batcher import Batcher, Bounds
from service.engine.judging import Together
from service.engine.loaded import as_encoder
from service.engine.stage import Probe, Stage
from service.operation.metrics import Metrics
from service.settings import Limits
from tests.fakes import FakeEncoder, walking


@pytest.fixture
def stage() -> Stage:
    return Stage("encode", as_encoder(FakeEncoder()), Limits(), Metrics(), walking=True)


def idle() -> Batcher[object, object]:
    return Batcher("idle", lambda items: items, cost=lambda _: 1, bounds=Bounds(1, 1, 1))


def test_each_gets_its_own_quality(stage: Stage) -> None:
    sequences = [walking(subject, 60 if subject % 3 else 90) for subject in range(7)]
    together = Together(idle())

    async def judge() -> list[Probe]:
        probes = [stage.examine(sequence, judged=False) for sequence in sequences]
        assert not any(probe.is_judged for probe in probes)
        return await asyncio.gather(*map(together.judged, probes))

    for probe, sequence in zip(asyncio.run(judge()), sequences, strict=True):
        assert probe.is_judged
        expected = assess(sequence, stage.clip)
        assert probe.quality.reasons == expected.reasons
        assert dict(probe.quality.measures) == pytest.approx(dict(expected.measures), abs=1e-9)


def test_what_is_judged_already_is_not_judged_again(stage: Stage) -> None:
    probe = stage.examine(walking())
    before = probe.quality
    asyncio.run(Together(idle()).judged(probe))
    assert probe.quality is before


def test_whoever_leaves_meanwhile_keeps_nobody_from_being_judged(stage: Stage) -> None:
    async def judge() -> Probe:
        together = Together(idle())
        leaving = asyncio.ensure_future(together.judged(stage.examine(walking(1), judged=False)))
        staying = asyncio.ensure_future(together.judged(stage.examine(walking(2), judged=False)))
        await asyncio.sleep(0)
        leaving.cancel()
        return await staying

    assert asyncio.run(judge()).is_judged
