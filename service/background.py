"""What a running service does beside answering: it is at jobs, and tells webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from service.engine import Engine
from service.events import Bus
from service.jobs.lanes import Lanes
from service.jobs.works import works_of
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Background:
    """jobs: the threads that are at them. moved: ids of jobs that have got on in this process."""

    jobs: Lanes
    moved: Bus[str]


@contextmanager
def beside(engine: Engine, settings: Settings) -> Iterator[Background]:
    """From start to stop of an application."""
    moved: Bus[str] = Bus()
    lanes = Lanes(engine.library, works_of(engine, settings), moved.publish)
    lanes.start()
    try:
        yield Background(lanes, moved)
    finally:
        lanes.stop()
