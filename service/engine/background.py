"""What a running service does beside answering: it is at jobs, and tells webhooks."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from model.errors import Overloaded
from service.engine.engine import Engine
from service.events import Bus
from service.jobs.lanes import Lanes
from service.jobs.works import works_of
from service.settings import Settings
from service.webhooks.outbox import Outbox
from service.webhooks.sender import Sender

# Bodies of bulk enrollments that are taken in at once: they are large.
BULKS_AT_ONCE = 2
# Tries of webhooks that somebody waits for.
TESTS_AT_ONCE = 4


@dataclass(slots=True)
class Background:
    """jobs: the threads that are at them. moved: ids of jobs that have got on in this process. outbox, sender: from
    decisions to deliveries, and from these to who is told."""

    jobs: Lanes
    moved: Bus[str]
    outbox: Outbox
    sender: Sender
    _inside: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def taking_in(self) -> Iterator[None]:
        """While the body of a bulk enrollment is read. Raises `Overloaded` where others are."""
        with self._few("bulk", BULKS_AT_ONCE):
            yield

    @contextmanager
    def testing(self) -> Iterator[None]:
        """While a webhook is tried for somebody. Raises `Overloaded` where others are."""
        with self._few("test", TESTS_AT_ONCE):
            yield

    @contextmanager
    def _few(self, what: str, at_once: int) -> Iterator[None]:
        if self._inside[what] >= at_once:
            raise Overloaded(1.0)
        self._inside[what] += 1
        try:
            yield
        finally:
            self._inside[what] -= 1


def background_of(connection: HTTPConnection) -> Background:
    found: Background = connection.app.state.background
    return found


@contextmanager
def beside(engine: Engine, settings: Settings) -> Iterator[Background]:
    """From start to stop of an application."""
    store, moved = engine.library.store, Bus[str]()
    lanes = Lanes(engine.library, works_of(engine, settings), moved.publish)
    sender = Sender(store, private=settings.webhooks_private)
    outbox = Outbox(store, sender.wake)
    with ExitStack() as running:
        for part in (lanes, sender, outbox):
            part.start()
            running.callback(part.stop)
        running.callback(engine.events.attach(outbox.take))
        yield Background(lanes, moved, outbox, sender)
