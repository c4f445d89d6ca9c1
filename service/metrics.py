"""What the service counts, for Prometheus. Nothing here tells one person from another."""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gallery.library import Library
from service.batcher import BatchSeen

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """One registry an application, so that several can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._requests = Histogram(
            "gaitkeeper_request_seconds",
            "Time to answer, by route and status.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch_items = self._histogram("gaitkeeper_batch_items", "Requests that shared a batch.", _ITEMS)
        self._batch_waited = self._histogram("gaitkeeper_batch_wait_seconds", "Wait of a batch's oldest.", _SECONDS)
        self._batch_worked = self._histogram("gaitkeeper_batch_work_seconds", "Time of one batch's work.", _SECONDS)
        self._decisions = Counter(
            "gaitkeeper_decisions", "Decisions, by kind.", ["kind", "outcome"], registry=self.registry
        )
        self._abstained = Counter(
            "gaitkeeper_abstain_reasons", "Why decisions were withheld.", ["reason"], registry=self.registry
        )
        self._waiting = Gauge(
            "gaitkeeper_queue_requests", "Requests that wait for a batch.", ["stage"], registry=self.registry
        )

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ["stage"], buckets=buckets, registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).observe(seconds)

    def batch_observer(self, stage: str) -> Callable[[BatchSeen], None]:
        """What a batcher calls after each batch of this stage."""
        items = self._batch_items.labels(stage)
        waited, worked = self._batch_waited.labels(stage), self._batch_worked.labels(stage)

        def observe(seen: BatchSeen) -> None:
            items.observe(seen.items)
            waited.observe(seen.waited_s)
            worked.observe(seen.worked_s)

        return observe

    def watch_queue(self, stage: str, waiting: Callable[[], int]) -> None:
        self._waiting.labels(stage).set_function(waiting)

    def watch_galleries(self, library: Library) -> None:
        """Tell of the indexes in memory, whenever it is asked."""
        self.registry.register(_Galleries(library))

    def decision(self, kind: str, outcome: str, reasons: tuple[str, ...]) -> None:
        self._decisions.labels(kind, outcome).inc()
        if outcome == "abstain":
            for reason in reasons:
                self._abstained.labels(reason).inc()

    def exposition(self) -> bytes:
        return generate_latest(self.registry)


class _Galleries(Collector):
    """The galleries that are open in this process, by key: names may tell too much."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def collect(self) -> Iterator[Any]:
        views = {str(key): cache.view for key, cache in self._library.views.open.items() if cache.view is not None}
        templates = _gauge("templates", "Templates that are searched, by kind of index.", "kind")
        memory = _gauge("memory_bytes", "Memory of the index.")
        change = _gauge("change", "The last change of the gallery that the index has seen.")
        recall = _gauge("recall", "Share of audited answers with the right first one: lower end of 95 %.")
        for key, view in views.items():
            templates.add_metric([key, view.index.kind], view.index.count)
            memory.add_metric([key], view.index.memory_bytes)
            change.add_metric([key], view.seq)
            if view.index.recall is not None and view.index.recall.answers:
                recall.add_metric([key], view.index.recall.low)
        rebuilt = CounterMetricFamily(
            "gaitkeeper_index_rebuilt", "Indexes and snapshots that did not agree with the store and were rebuilt."
        )
        rebuilt.add_metric([], self._library.views.rebuilt)
        yield from (templates, memory, change, recall, rebuilt)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gaitkeeper_index_{name}", text, labels=["gallery", *labels])
