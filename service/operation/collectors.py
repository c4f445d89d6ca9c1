"""What is found out only when somebody asks: indexes, models, drift and readiness, for Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gallery.library import Library
from gallery.store.backlog import backlog
from gallery.view import View
from model.errors import GaitkeeperError
from service.engine.models import Models
from service.operation.drift import State
from service.operation.watch import Watch

# Of so many galleries, those with the lowest keys, the oldest; the others are counted only.
GALLERIES = 100
_DRIFT = tuple(State)


def open_views(library: Library) -> dict[int, View]:
    """The galleries that are open in this process, by key."""
    return {key: cache.view for key, cache in sorted(library.views.open.items()) if cache.view is not None}


def lags(library: Library) -> dict[int, int]:
    """By how many changes each open index is behind the store; empty where the store cannot be asked."""
    views = open_views(library)
    try:
        heads = library.store.heads()
    except GaitkeeperError:
        return {}
    return {head.key: max(0, head.seq - views[head.key].seq) for head in heads if head.key in views}


class Asked(Collector):
    """Asks only when it is asked, and not when it is registered."""

    def describe(self) -> Iterator[Any]:
        return iter(())


class Galleries(Asked):
    """The galleries that are open in this process, by key: names may tell too much. A new generation of a gallery has
    a new key."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def collect(self) -> Iterator[Any]:
        views = open_views(self._library)
        templates = _gauge("index_templates", "Templates that are searched, by kind of index.", "gallery", "kind")
        memory = _gauge("index_memory_bytes", "Memory of the index.", "gallery")
        change = _gauge("index_change", "The last change of the gallery that the index has seen.", "gallery")
        lag = _gauge("index_lag", "Changes of the gallery that the index has not seen yet.", "gallery")
        recall = _gauge(
            "index_recall", "Share of audited answers with the right first one: low end of 95 %.", "gallery"
        )
        for key, view in [*views.items()][:GALLERIES]:
            templates.add_metric([str(key), view.index.kind], view.index.count)
            memory.add_metric([str(key)], view.index.memory_bytes)
            change.add_metric([str(key)], view.seq)
            if view.index.recall is not None and view.index.recall.answers:
                recall.add_metric([str(key)], view.index.recall.low)
        for key, behind in [*lags(self._library).items()][:GALLERIES]:
            lag.add_metric([str(key)], behind)
        rebuilt = CounterMetricFamily(
            "gaitkeeper_index_rebuilt", "Indexes and snapshots that did not agree with the store and were rebuilt."
        )
        rebuilt.add_metric([], self._library.views.rebuilt)
        opened = _gauge("index_galleries", "Galleries that are open in this process.")
        opened.add_metric([], len(views))
        yield from (templates, memory, change, lag, recall, rebuilt, opened)


class Drift(Asked):
    """How far scores and quality have moved from what the calibrations were measured on."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def collect(self) -> Iterator[Any]:
        psi = _gauge("drift_psi", "Population stability index of the latest decisions or probes.", "gallery", "of")
        samples = _gauge("drift_samples", "How many it rests on.", "gallery", "of")
        state = _gauge("drift_state", "0: too few, 1: stable, 2: moved, 3: drifted.", "gallery", "of")
        for key, shifts in sorted(self._watch.shifts().items())[:GALLERIES]:
            for name, shift in shifts.items():
                samples.add_metric([str(key), name], shift.samples)
                state.add_metric([str(key), name], _DRIFT.index(shift.state))
                if shift.psi is not None:
                    psi.add_metric([str(key), name], shift.psi)
        yield from (psi, samples, state)


class Answering(Asked):
    """Which models answer, and whether the service is ready."""

    def __init__(self, models: Models, checks: Callable[[], Mapping[str, str]]) -> None:
        self._models, self._checks = models, checks

    def collect(self) -> Iterator[Any]:
        info = _gauge("model_info", "The models that answer, always 1.", "task", "name", "fingerprint")
        for task, model in (("encoder", self._models.encoding.model), ("classifier", self._models.classifier)):
            if model is not None:
                info.add_metric([task, model.name, model.fingerprint[:16]], 1)
        ready = _gauge("ready", "What readiness rests on: 1 where it is well.", "check")
        for name, found in self._checks().items():
            ready.add_metric([name], float(found == "ok"))
        yield from (info, ready)


class Work(Asked):
    """What is still to be done: jobs and deliveries of all processes on the store."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def collect(self) -> Iterator[Any]:
        jobs = _gauge("jobs", "Jobs that are not finished, of all processes on this store.", "state")
        deliveries = _gauge("deliveries", "Deliveries to webhooks that wait, of all processes on this store.")
        late = _gauge("deliveries_late_seconds", "How long the most overdue delivery waits.")
        try:
            found = backlog(self._library.store)
        except GaitkeeperError:
            return
        jobs.add_metric(["queued"], found.queued)
        jobs.add_metric(["running"], found.running)
        deliveries.add_metric([], found.deliveries)
        late.add_metric([], found.late_s)
        yield from (jobs, deliveries, late)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gaitkeeper_{name}", text, labels=labels)
