"""What the service answers about itself: its models, its readiness and how it is doing. Nothing here names anybody."""

from typing import Literal

import msgspec

from service.engine.loaded import Loaded


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answers now. fingerprint: names the embedding space. frames: of one clip, at fps frames a second;
    people: in one clip. dim: of an embedding; labels: of a classifier. runs_on: what runs it, first choice first.
    since: when it was opened.
    """

    task: Literal["encoder", "classifier"]
    name: str
    fingerprint: str
    layout: str
    fps: float
    frames: int
    people: int
    dim: int | None
    labels: list[str]
    runs_on: list[str]
    since: str


class Models(msgspec.Struct, frozen=True):
    """changed: of a reload, whose bundle is another one now."""

    models: list[Model]
    changed: list[str] = []


def model(task: Literal["encoder", "classifier"], loaded: Loaded) -> Model:
    return Model(
        task=task,
        name=loaded.name,
        fingerprint=loaded.fingerprint,
        layout=loaded.layout.name,
        fps=loaded.clip.fps,
        frames=loaded.clip.frames,
        people=loaded.clip.people,
        dim=loaded.dim or None,
        labels=list(loaded.labels),
        runs_on=list(loaded.runs_on),
        since=loaded.since.isoformat(timespec="seconds"),
    )


def models(encoder: Loaded, classifier: Loaded | None, changed: list[str] | None = None) -> Models:
    found = [model("encoder", encoder)]
    if classifier is not None:
        found.append(model("classifier", classifier))
    return Models(found, changed or [])


class Times(msgspec.Struct, frozen=True):
    """Quantiles of the latest `samples`, in milliseconds."""

    samples: int
    p50: float
    p95: float
    p99: float


class Queue(msgspec.Struct, frozen=True):
    """waiting: for a batch of this stage now, of `limit` that may. batches: since the start. items: mean number of
    requests in a batch; sizes: how many batches had at most so many. waited: the oldest request of a batch; worked: on
    the batch."""

    stage: str
    waiting: int
    limit: int
    batches: int
    items: float | None
    sizes: dict[str, int]
    waited: Times | None
    worked: Times | None


class Route(msgspec.Struct, frozen=True):
    """answered: since the start, by status; failed: those with a status of 500 or more."""

    method: str
    route: str
    answered: dict[str, int]
    failed: int
    times: Times | None


class DecisionCount(msgspec.Struct, frozen=True):
    kind: str
    outcome: str
    count: int


class Drift(msgspec.Struct, frozen=True):
    """of: `impostor_scores`, `mated_scores` or a measure of quality. psi: population stability index of the latest
    `samples` against what the calibration was measured on, or the first probes that came under it."""

    of: str
    state: Literal["few", "stable", "moved", "drifted"]
    psi: float | None
    samples: int


class OpenGallery(msgspec.Struct, frozen=True, kw_only=True):
    """A gallery whose index is open in this process. key: of this generation of it, as the metrics have it. change: the
    last one that the index has seen; behind: by how many the store is ahead. recall: of audited answers, the share with
    the right first one, lower end of 95 %."""

    gallery: str
    key: int
    index: str
    templates: int
    memory_bytes: int
    change: int
    behind: int | None
    recall: float | None
    audited: int
    calibration: str | None
    drift: list[Drift]


class Process(msgspec.Struct, frozen=True):
    """Of the operating system's counting; memory is resident."""

    memory_bytes: int
    cpu_seconds: float
    threads: int
    open_files: int


class Backlog(msgspec.Struct, frozen=True):
    """What is still to be done, of all processes on the store: jobs, and deliveries to webhooks. late_seconds: how long
    the most overdue delivery waits."""

    queued: int
    running: int
    deliveries: int
    late_seconds: float


class Operations(msgspec.Struct, frozen=True, kw_only=True):
    """How this process is doing. phase: `serving`, `leaving` (not ready, still answering) or `closed`. inside: requests
    that are being answered; listeners: who reads events;
    streams: of cameras, that are open. backlog: null where the store cannot be asked."""

    version: str
    started: str
    uptime_seconds: float
    phase: Literal["serving", "leaving", "closed"]
    ready: bool
    checks: dict[str, str]
    inside: int
    listeners: int
    streams: int
    backlog: Backlog | None
    queues: list[Queue]
    routes: list[Route]
    decisions: list[DecisionCount]
    abstained: dict[str, int]
    galleries: list[OpenGallery]
    rebuilt: int
    process: Process
