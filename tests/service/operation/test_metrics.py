"""What happens is noted at once, and counted when somebody asks or there is much of it."""

from collections.abc import Callable

import pytest

from service.engine.batcher import BatchSeen
from service.operation import metrics as counting
from service.operation.metrics import Metrics


def counts(metrics: Metrics, name: str) -> float:
    return sum(count for _, count in metrics.counted(name))


@pytest.mark.parametrize(
    "asked",
    [
        lambda metrics: counts(metrics, "gaitkeeper_request_seconds_count"),
        lambda metrics: metrics.latency.quantiles()["GET", "/a"].samples,
        lambda metrics: metrics.waited.quantiles()["search",].samples,
        lambda metrics: metrics.worked.quantiles()["search",].samples,
        lambda metrics: b'gaitkeeper_decisions_total{kind="identify",outcome="abstain"} 1.0' in metrics.exposition(),
    ],
)
def test_whoever_asks_is_told_of_all_that_happened(asked: Callable[[Metrics], float]) -> None:
    metrics = Metrics()
    metrics.request("GET", "/a", 200, 0.1)
    metrics.batch_observer("search")(BatchSeen(2, 3, 0.1, 0.2))
    metrics.decision("identify", "abstain", ("too_short",))
    assert asked(metrics) == 1


def test_though_nobody_asks_what_is_noted_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_ROOM", 10)
    metrics = Metrics()
    for _ in range(99):
        metrics.decision("identify", "match", ())
        assert len(metrics._noted) < 10
    assert counts(metrics, "gaitkeeper_decisions_total") == 99
