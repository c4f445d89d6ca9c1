"""From decisions to deliveries: written down within a moment, so that they outlive the process, by a thread that no
request waits for.

A process that is killed loses those of its last tenth of a second. Where the store does not keep up, the newest are
dropped and counted: who must miss nothing reads the audit log.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import structlog

from gallery.store import Store
from gallery.store.deliveries import News, add_deliveries
from gallery.store.webhooks import Receiver, receivers
from model.errors import StoreUnavailable
from service.access.caller import Caller, Scope
from service.events import Decided
from service.told import event_of

_log = structlog.get_logger("gaitkeeper")

ROOM: Final = 4096
AT_ONCE: Final = 256
# How long a webhook that another process made, or a key that it revoked, goes unnoticed here.
LOOK_EVERY_S = 1.0
_RETRY_S: Final = 0.5
# Whatever its maker may see, a receiver is told what a caller who only identifies would be.
_RECEIVER: Final = Caller("webhook", frozenset({Scope.IDENTIFY}))


class Outbox:
    """take: to be called with each decision, from any thread. added: called when there is something to deliver."""

    def __init__(self, store: Store, added: Callable[[], None]) -> None:
        self._store, self._added = store, added
        self._waiting: queue.Queue[Decided | None] = queue.Queue(ROOM)
        self._receivers: Sequence[Receiver] = ()
        self._looked = float("-inf")
        self._nobody = False
        self._dropped = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks-outbox", daemon=True)

    @property
    def dropped(self) -> int:
        """Decisions that nobody was told of, for want of room."""
        return self._dropped

    @property
    def idle(self) -> bool:
        """Whether there was nobody to tell when it looked last."""
        return self._nobody

    def start(self) -> None:
        self._thread.start()

    def look(self) -> None:
        """Webhooks were made or deleted here."""
        self._looked = float("-inf")

    def take(self, event: Decided) -> None:
        """Never blocks. Where there was nobody to tell a moment ago, it does nothing: no thread is woken."""
        if self._nobody and time.monotonic() - self._looked < LOOK_EVERY_S:
            return
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self._dropped += 1

    def stop(self) -> None:
        """Write down what was taken."""
        self._stopping.set()
        self.take_no_more()
        self._thread.join()

    def take_no_more(self) -> None:
        """Wakes the thread, which ends behind what is before this."""
        while True:
            try:
                self._waiting.put(None, timeout=_RETRY_S)
                return
            except queue.Full:
                if not self._thread.is_alive():
                    return

    def _run(self) -> None:
        ended = False
        while not ended:
            events: list[Decided] = []
            found = self._waiting.get()
            while found is not None and len(events) < AT_ONCE:
                events.append(found)
                try:
                    found = self._waiting.get_nowait()
                except queue.Empty:
                    break
            else:
                ended = found is None
                if found is not None:
                    events.append(found)
            self._written(events)

    def _written(self, events: Sequence[Decided]) -> None:
        while events:
            try:
                self._write(events)
                return
            except StoreUnavailable as error:
                _log.warning("webhooks are told later", events=len(events), reason=str(error))
                if self._stopping.wait(_RETRY_S):
                    self._dropped += len(events)
                    return
            except Exception:  # one mistake must not silence all that comes
                _log.exception("webhooks were not told", events=len(events))
                self._dropped += len(events)
                return

    def _write(self, events: Sequence[Decided]) -> None:
        if time.monotonic() - self._looked > LOOK_EVERY_S:
            self._nobody, self._looked = False, time.monotonic()
            self._receivers = receivers(self._store)
            self._nobody = not self._receivers
        if not self._receivers:
            return
        news = [news for event in events for news in self._news(event)]
        if news:
            left_out = add_deliveries(self._store, news)
            self._dropped += left_out
            if left_out:
                _log.warning("a webhook has too much waiting, and was not told of more", deliveries=left_out)
            self._added()

    def _news(self, event: Decided) -> list[News]:
        to = [each for each in self._receivers if _wants(each, event)]
        if not to:
            return []
        told = event_of(event, _RECEIVER, only_match=True)
        body = msgspec.json.encode(told).decode()
        return [News(each.webhook, event.gallery, told.decision.subject, body) for each in to]


def _wants(receiver: Receiver, event: Decided) -> bool:
    of_gallery = receiver.gallery is None or receiver.gallery == event.gallery
    return of_gallery and event.decision.outcome.value in receiver.events
