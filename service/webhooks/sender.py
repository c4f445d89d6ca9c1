"""Makes the deliveries that are due, several at a time; one that fails is tried again, later each time, for a day."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec
import structlog

from gallery.store import Store
from gallery.store.deliveries import Delivery, due_deliveries, give_up, not_received, received
from gallery.store.webhooks import deactivate
from gallery.template import now
from model.errors import GaitkeeperError, InvalidRequest
from service.webhooks.address import NotAllowed, Target, addresses_of, target_of
from service.webhooks.bodies import WebhookTried
from service.webhooks.post import NoAnswer, post
from service.webhooks.signing import signature

_log = structlog.get_logger("gaitkeeper")

AT_ONCE: Final = 8
WITHIN_S = 10.0
EVERY_S = 1.0
GIVEN_UP_S: Final = 24 * 3600.0
FIRST_S: Final = 5.0
LONGEST_S: Final = 3600.0
# Longer than a try takes, a lookup of the name before it included.
HELD_S: Final = 60.0

Post = Callable[[Target, str, dict[str, str], bytes, float], int]


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: `delivery` tells one from another, and is the same each time one is tried again."""

    delivery: str
    event: str
    body: bytes


def wait_s(attempts: int, chance: random.Random) -> float:
    """Seconds until the next try: twice as long each time up to an hour, give or take a half, so that receivers that
    were away are not run over.

    >>> [round(wait_s(n, random.Random(1))) for n in (1, 2, 3, 20)]
    [3, 6, 13, 2284]
    """
    longer = FIRST_S * float(2 ** min(attempts - 1, 20))
    return min(LONGEST_S, longer) * chance.uniform(0.5, 1.5)


class Sender:
    """private: whether it may lead to private networks. send: makes one POST."""

    def __init__(
        self, store: Store, *, private: bool, send: Post = post, every_s: float = EVERY_S, held_s: float = HELD_S
    ) -> None:
        self._store, self._private, self._send = store, private, send
        self._every_s, self._held_s = every_s, held_s
        self._chance = random.Random()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._free = threading.Semaphore(AT_ONCE)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks")
        self._thread = threading.Thread(target=self._run, name="webhooks-sender", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something due."""
        self._woken.set()

    def stop(self) -> None:
        """Let the tries under way end, and begin no more; the rest is due when the service is back."""
        self._stopping.set()
        self._woken.set()
        self._thread.join()
        self._pool.shutdown()

    def tried(self, url: str, secret: bytes, message: Message) -> WebhookTried:
        """Send this once, now. Raises nothing."""
        try:
            target = target_of(url, private=self._private)
            address = addresses_of(target, private=self._private)[0]
            at = int(time.time())
            headers = {
                "Content-Type": "application/json",
                "User-Agent": "gaitkeeper",
                "X-Gaitkeeper-Event": message.event,
                "X-Gaitkeeper-Delivery": message.delivery,
                "X-Gaitkeeper-Signature": signature(secret, at, message.body),
            }
            status = self._send(target, address, headers, message.body, WITHIN_S)
        except NoAnswer as error:
            return WebhookTried(received=False, status=None, error=error.reason)
        except (NotAllowed, InvalidRequest):
            return WebhookTried(received=False, status=None, error="address_not_allowed")
        except (OSError, UnicodeError):
            return WebhookTried(received=False, status=None, error="unknown_host")
        if 200 <= status < 300:
            return WebhookTried(received=True, status=status, error=None)
        return WebhookTried(received=False, status=status, error="redirect" if 300 <= status < 400 else "refused")

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                taken = self._round()
            except GaitkeeperError as error:
                _log.warning("no delivery could be taken; tried again", reason=str(error))
                taken = 0
            except Exception:  # one failed round must not be the last one
                _log.exception("no delivery could be taken; tried again")
                taken = 0
            if not taken:
                self._woken.wait(self._every_s)

    def _round(self) -> int:
        """Begin as many as there is room for."""
        room = 0
        while room < AT_ONCE and self._free.acquire(blocking=room == 0, timeout=self._every_s if room == 0 else None):
            room += 1
        begun = 0
        try:
            for each in due_deliveries(self._store, room, self._held_s) if room else ():
                self._pool.submit(self._deliver, each).add_done_callback(self._done)
                begun += 1
        finally:
            for _ in range(room - begun):
                self._free.release()
        return begun

    def _done(self, future: "Future[None]") -> None:
        self._free.release()
        self._woken.set()  # what this held up may be due
        if (error := future.exception()) is not None:
            _log.warning("what became of a delivery could not be kept", error=type(error).__name__)

    def _deliver(self, delivery: Delivery) -> None:
        event = str(msgspec.json.decode(delivery.body).get("type", ""))
        message = Message(str(delivery.id), event, delivery.body.encode())
        found = self.tried(delivery.url, delivery.secret, message)
        about = {"webhook": delivery.webhook, "delivery": delivery.id, "attempts": delivery.attempts}
        if found.received:
            received(self._store, delivery.id)
        elif found.status == HTTPStatus.GONE:
            deactivate(self._store, delivery.webhook)
            _log.warning("a webhook's receiver is gone, and is told no more", **about)
        elif (now() - delivery.created).total_seconds() > GIVEN_UP_S:
            give_up(self._store, delivery.id, str(found.error))
            _log.warning("a delivery was given up", error=found.error, **about)
        else:
            error = f"{found.error} {found.status}" if found.status else str(found.error)
            not_received(self._store, delivery.id, error, wait_s(delivery.attempts, self._chance))
