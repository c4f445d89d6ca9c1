"""What the service counts, for Prometheus and for GET /operations. Nothing here tells one person from another.

Labels are bounded: routes by their patterns, methods that nobody knows as one, galleries by their keys and at most
`collectors.GALLERIES` of them.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from service.engine.batcher import BatchSeen
from service.operation.recent import Recent

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
# Of what is not counted yet.
_ROOM = 128
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS"})


class Metrics:
    """One registry an application, so that several can live in one process. queues: who waits for each stage now.

    What happens is noted, and counted when somebody asks, or there is much of it: nobody's answer waits for that.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._latency, self._waited, self._worked = Recent(), Recent(), Recent()
        self._noted: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._counting = threading.Lock()
        self.queues: dict[str, Callable[[], int]] = {}
        self._requests = Histogram(
            "gaitkeeper_request_seconds",
            "Time to answer, by route and status.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._batch_items = self._histogram("gaitkeeper_batch_items", "Requests that shared a batch.", _ITEMS)
        self._batch_waited = self._histogram("gaitkeeper_batch_wait_seconds", "Wait of a batch's oldest.", _SECONDS)
        self._batch_worked = self._histogram(
            "gaitkeeper_batch_work_seconds", "Time of one batch's work: of a model, or of the search.", _SECONDS
        )
        self._decisions = self._counter("gaitkeeper_decisions", "Decisions, by kind.", "kind", "outcome")
        self._abstained = self._counter("gaitkeeper_abstain_reasons", "Why decisions were withheld.", "reason")
        self._waiting = Gauge(
            "gaitkeeper_queue_requests", "Requests that wait for a batch.", ["stage"], registry=self.registry
        )
        self._inside = Gauge("gaitkeeper_requests_inside", "Requests that are being answered.", registry=self.registry)
        self._streams = Gauge("gaitkeeper_streams", "Streams of cameras that are open.", registry=self.registry)
        self._listeners = Gauge("gaitkeeper_listeners", "Who reads events.", registry=self.registry)
        self._children: dict[tuple[str, str, int], Any] = {}
        ProcessCollector(registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ["stage"], buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    @property
    def latency(self) -> Recent:
        """Seconds by (method, route)."""
        self._count()
        return self._latency

    @property
    def waited(self) -> Recent:
        """Seconds by (stage,)."""
        self._count()
        return self._waited

    @property
    def worked(self) -> Recent:
        """Seconds by (stage,)."""
        self._count()
        return self._worked

    def _note(self, count: Callable[..., None], *what: Any) -> None:
        self._noted.append((count, what))
        if len(self._noted) >= _ROOM:
            self._count()

    def _count(self) -> None:
        with self._counting:
            while self._noted:
                count, what = self._noted.popleft()
                count(*what)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._note(self._count_request, method, route, status, seconds)

    def _count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        if method not in _METHODS:
            method = "other"
        child = self._children.get((method, route, status))
        if child is None:
            child = self._children[method, route, status] = self._requests.labels(method, route, str(status))
        child.observe(seconds)
        self._latency.add((method, route), seconds)

    def batch_observer(self, stage: str) -> Callable[[BatchSeen], None]:
        """What a batcher calls after each batch of this stage."""
        items = self._batch_items.labels(stage)
        waited, worked = self._batch_waited.labels(stage), self._batch_worked.labels(stage)

        def count(seen: BatchSeen) -> None:
            items.observe(seen.items)
            waited.observe(seen.waited_s)
            worked.observe(seen.worked_s)
            self._waited.add((stage,), seen.waited_s)
            self._worked.add((stage,), seen.worked_s)

        return partial(self._note, count)

    def watch_queue(self, stage: str, waiting: Callable[[], int]) -> None:
        self.queues[stage] = waiting
        self._waiting.labels(stage).set_function(waiting)

    def watch_callers(
        self, inside: Callable[[], int], streams: Callable[[], int], listeners: Callable[[], int]
    ) -> None:
        """How many requests are being answered, streams are open and readers of events there are."""
        for gauge, count in ((self._inside, inside), (self._streams, streams), (self._listeners, listeners)):
            gauge.set_function(count)

    def watch(self, collector: Collector) -> None:
        """Ask it, whenever this is asked."""
        self.registry.register(collector)

    def decision(self, kind: str, outcome: str, reasons: tuple[str, ...]) -> None:
        self._note(self._count_decision, kind, outcome, reasons)

    def _count_decision(self, kind: str, outcome: str, reasons: tuple[str, ...]) -> None:
        self._decisions.labels(kind, outcome).inc()
        if outcome == "abstain":
            for reason in reasons:
                self._abstained.labels(reason).inc()

    def counted(self, name: str) -> list[tuple[dict[str, str], float]]:
        """The samples of this name, with their labels: `gaitkeeper_decisions_total`, for one."""
        self._count()
        families = self.registry.restricted_registry([name]).collect()
        return [(each.labels, each.value) for family in families for each in family.samples if each.name == name]

    def exposition(self) -> bytes:
        """The text that Prometheus reads. It asks the store: not to be called by the event loop."""
        self._count()
        return generate_latest(self.registry)
