"""What a running service does beside answering: it is at jobs, and tells webhooks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from model.errors import Overloaded
from service.engine import Engine
from service.events import Bus
from service.jobs.lanes import Lanes
from service.jobs.works import works_of
from service.settings import Settings

# Bodies of bulk enrollments that are taken in at once: they are large.
BULKS_AT_ONCE = 2


@dataclass(slots=True)
class Background:
    """jobs: the threads that are at them. moved: ids of jobs that have got on in this process."""

    jobs: Lanes
    moved: Bus[str]
    _bulks: int = 0

    @contextmanager
    def taking_in(self) -> Iterator[None]:
        """While the body of a bulk enrollment is read. Raises `Overloaded` where others are."""
        if self._bulks >= BULKS_AT_ONCE:
            raise Overloaded(1.0)
        self._bulks += 1
        try:
            yield
        finally:
            self._bulks -= 1


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
