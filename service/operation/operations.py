"""How this process is doing, in one answer: put together from what is counted anyway."""

import resource
import threading
from collections import defaultdict
from pathlib import Path

from fastapi import FastAPI

from gallery.store.backlog import backlog
from gallery.template import now
from model.errors import GaitkeeperError
from service.access.caller import Caller
from service.answers import operations as answers
from service.engine.engine import Engine
from service.operation.collectors import lags, open_views
from service.operation.drift import Shift
from service.operation.life import Life
from service.operation.metrics import Metrics
from service.operation.readiness import OK
from service.operation.recent import Quantiles


def operations(engine: Engine, app: FastAPI, caller: Caller) -> answers.Operations:
    """Asks the store: not to be called by the event loop. Only galleries that the caller reaches are told of."""
    life: Life = app.state.life
    metrics, checks = engine.metrics, engine.readiness.checks()
    decisions, abstained = "gaitkeeper_decisions_total", "gaitkeeper_abstain_reasons_total"
    return answers.Operations(
        version=app.version,
        started=life.started.isoformat(timespec="seconds"),
        uptime_seconds=round((now() - life.started).total_seconds(), 1),
        phase=life.name,
        ready=life.name == "serving" and all(found == OK for found in checks.values()),
        checks=checks,
        inside=life.inside,
        listeners=app.state.listeners.count,
        streams=app.state.streams.count,
        backlog=_backlog(engine),
        queues=_queues(metrics, app.state.settings.limits.queue_length),
        routes=_routes(metrics),
        decisions=[
            answers.DecisionCount(each["kind"], each["outcome"], int(n)) for each, n in metrics.counted(decisions)
        ],
        abstained={each["reason"]: int(n) for each, n in metrics.counted(abstained)},
        galleries=_galleries(engine, caller),
        rebuilt=engine.library.views.rebuilt,
        process=_process(),
    )


def _backlog(engine: Engine) -> answers.Backlog | None:
    try:
        found = backlog(engine.library.store)
    except GaitkeeperError:
        return None
    return answers.Backlog(found.queued, found.running, found.deliveries, round(found.late_s, 1))


def _queues(metrics: Metrics, limit: int) -> list[answers.Queue]:
    batches = {each["stage"]: int(n) for each, n in metrics.counted("gaitkeeper_batch_items_count")}
    items = {each["stage"]: n for each, n in metrics.counted("gaitkeeper_batch_items_sum")}
    sizes = _sizes(metrics)
    waited, worked = metrics.waited.quantiles(), metrics.worked.quantiles()
    return [
        answers.Queue(
            stage=stage,
            waiting=waiting(),
            limit=limit,
            batches=batches.get(stage, 0),
            items=round(items[stage] / batches[stage], 2) if batches.get(stage) else None,
            sizes=sizes.get(stage, {}),
            waited=_times(waited.get((stage,))),
            worked=_times(worked.get((stage,))),
        )
        for stage, waiting in metrics.queues.items()
    ]


def _sizes(metrics: Metrics) -> dict[str, dict[str, int]]:
    """By stage: how many batches had a size up to each bound and above the one before."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    before: dict[str, int] = defaultdict(int)
    for labels, count in metrics.counted("gaitkeeper_batch_items_bucket"):
        stage, bound = labels["stage"], labels["le"]
        name = "more" if bound == "+Inf" else f"{float(bound):g}"
        found[stage][name] = int(count) - before[stage]
        before[stage] = int(count)
    return found


def _routes(metrics: Metrics) -> list[answers.Route]:
    answered: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for labels, count in metrics.counted("gaitkeeper_request_seconds_count"):
        answered[labels["method"], labels["route"]][labels["status"]] = int(count)
    latest = metrics.latency.quantiles()
    return [
        answers.Route(
            method=method,
            route=route,
            answered=by_status,
            failed=sum(count for status, count in by_status.items() if int(status) >= 500),
            times=_times(latest.get((method, route))),
        )
        for (method, route), by_status in sorted(answered.items(), key=lambda each: (each[0][1], each[0][0]))
    ]


def _galleries(engine: Engine, caller: Caller) -> list[answers.OpenGallery]:
    names = {key: cache.name for key, cache in engine.library.views.open.items()}
    behind, shifts = lags(engine.library), engine.watch.shifts()
    found = []
    for key, view in open_views(engine.library).items():
        if not caller.reaches(names[key]):
            continue
        recall = view.index.recall
        own = view.calibration or engine.library.prior(view.fingerprint)
        found.append(
            answers.OpenGallery(
                gallery=names[key],
                key=key,
                index=view.index.kind,
                templates=view.index.count,
                memory_bytes=view.index.memory_bytes,
                change=view.seq,
                behind=behind.get(key),
                recall=recall.low if recall is not None and recall.answers else None,
                audited=0 if recall is None else recall.answers,
                calibration=None if own is None else own.id,
                drift=[_drift(name, shift) for name, shift in shifts.get(key, {}).items()],
            )
        )
    return found


def _drift(name: str, shift: Shift) -> answers.Drift:
    return answers.Drift(name, shift.state.value, None if shift.psi is None else round(shift.psi, 4), shift.samples)


def _times(found: Quantiles | None) -> answers.Times | None:
    if found is None:
        return None
    return answers.Times(found.samples, *(round(1000 * each, 3) for each in (found.p50, found.p95, found.p99)))


def _process() -> answers.Process:
    used = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return answers.Process(
        memory_bytes=pages * resource.getpagesize(),
        cpu_seconds=round(used.ru_utime + used.ru_stime, 2),
        threads=threading.active_count(),
        open_files=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )
