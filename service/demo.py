"""The demo: a fresh service, its samples enrolled over HTTP, and every probe asked as a stranger would ask."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console
from rich.progress import track

from model.errors import InvalidDataSet
from service.app import create_app
from service.engine.opening import open_engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.samples import Sample, Samples, sequence_in
from service.settings import Settings


class Verdict(StrEnum):
    """Of a probe: `RIGHT` names the subject, or nobody for a stranger; `MISS` names nobody for a subject who is
    enrolled; `FALSE_ALARM` names somebody else. Of an action: `RIGHT` or `WRONG`."""

    RIGHT = "right"
    MISS = "miss"
    FALSE_ALARM = "false alarm"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Answered:
    """A sample that was asked about, and the body of the answer."""

    sample: Sample
    answer: dict[str, Any]

    @property
    def verdict(self) -> Verdict:
        if self.sample.role == "action":
            return Verdict.RIGHT if self.answer["action"] == self.sample.action else Verdict.WRONG
        named = self.answer["subject"]
        if named == self.sample.subject:
            return Verdict.RIGHT
        return Verdict.MISS if named is None else Verdict.FALSE_ALARM


@contextmanager
def run_demo(samples: Samples, settings: Settings, progress: Console) -> Iterator[tuple[str, list[Answered]]]:
    """Serve with fresh data, enroll and ask; gives the address, which answers until the context ends, and the answers.

    settings: all but the data directory. Raises `InvalidDataSet` for a sample that the service refuses.
    """
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-demo-") as folder:
        settings = settings.model_copy(update={"data": Path(folder), "access": "loopback"})
        app = create_app(settings, open_engine(settings, Metrics()))
        with running(app, settings) as where, httpx.Client(base_url=where, timeout=60) as client:
            _enroll(client, samples, progress)
            yield where, _ask(client, samples, progress)


def _enroll(client: httpx.Client, samples: Samples, progress: Console) -> None:
    for gallery in dict.fromkeys(sample.gallery for _, sample in samples.all):
        _posted(client, "/galleries", {"name": gallery}, gallery, accept=(201, 409))
    for path, sample in track(samples.of("enroll"), "enrolling", console=progress, transient=True):
        where = f"/galleries/{sample.gallery}/subjects/{sample.subject}/templates"
        _posted(client, where, {"sequence": sequence_in(path), "labels": sample.labels}, sample.file)


def _ask(client: httpx.Client, samples: Samples, progress: Console) -> list[Answered]:
    found = []
    questions = [*samples.of("probe"), *samples.of("action")]
    for path, sample in track(questions, "asking", console=progress, transient=True):
        body: dict[str, Any] = {"sequence": sequence_in(path)}
        if sample.role == "probe":
            answer = _posted(client, "/identify", {**body, "gallery": sample.gallery}, sample.file)
        else:
            answer = _posted(client, "/classify", {**body, "top_k": 3}, sample.file)
        found.append(Answered(sample, answer))
    return found


def _posted(
    client: httpx.Client, path: str, body: dict[str, Any], what: str, accept: tuple[int, ...] = (200, 201)
) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    response = client.post(path, content=msgspec.json.encode(body), headers=headers)
    answer: dict[str, Any] = response.json()
    if response.status_code not in accept:
        raise InvalidDataSet(what, f"the service refused it ({response.status_code}): {answer['detail']}")
    return answer
