"""Keeps what is open in this process current, whoever changed the store: no search has to find out first."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType

from gallery.answering import Answering
from gallery.snapshots import SnapshotPolicy
from model.errors import GaitkeeperError

log = logging.getLogger(__name__)

EVERY_S = 0.1
SAVE_EVERY_S = 2.0


class Follower:
    """A thread that asks every 100 ms what changed and follows it, so that each open index is current within 250 ms of
    a change in whatever process, and what was deleted is dropped. Another one keeps snapshots of what is open.

    warm: open every gallery at the start rather than at its first search. snapshots: when they are made; None: never.
    Use it as a context manager, or start and stop it; a stopped one can be started again.
    """

    def __init__(
        self,
        library: Answering,
        *,
        every_s: float = EVERY_S,
        warm: bool = False,
        snapshots: SnapshotPolicy | None = SnapshotPolicy(),
    ) -> None:
        self._library, self._warm, self._policy = library, warm, snapshots
        self._jobs: list[tuple[str, Callable[[], None], float]] = [("follower", self.follow_once, every_s)]
        if snapshots is not None:
            self._jobs.append(("keeper of snapshots", self.save_once, max(SAVE_EVERY_S, every_s)))
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._troubled: set[str] = set()

    def __enter__(self) -> "Follower":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        assert not self._threads
        self._stopping.clear()
        self._threads = [
            threading.Thread(target=self._repeat, args=job, name=job[0], daemon=True) for job in self._jobs
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when what is being done is done."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def follow_once(self) -> None:
        """Bring every open view up to the store's last change, and drop those of galleries that are gone."""
        views = self._library.views
        heads = {head.key: head for head in self._library.store.heads()}
        self._library.forget_others(set(heads))
        for head in heads.values() if self._warm else ():
            views.at(head)
        self._warm = False
        for key, cache in views.open.items():
            if cache.view is not None and key in heads:
                cache.at(heads[key])

    def save_once(self) -> None:
        """Make the snapshots that are due, and remove the files of those that nobody can read any more."""
        snapshots = self._library.snapshots
        snapshots.sweep()
        for cache in self._library.views.open.values():
            view = cache.view
            due = self._policy is not None and view is not None and snapshots.is_due(view, self._policy)
            if due and view is not None and not self._stopping.is_set():
                snapshots.save(view)

    def _repeat(self, name: str, work: Callable[[], None], every_s: float) -> None:
        while not self._stopping.is_set():
            start = time.monotonic()
            try:
                work()
            except GaitkeeperError as error:
                self._say_once(name, str(error))
            except Exception:
                log.exception("the %s met an error of its own and goes on", name)
                self._stopping.wait(1.0)
            else:
                self._troubled.discard(name)
            self._stopping.wait(max(0.0, start + every_s - time.monotonic()))

    def _say_once(self, name: str, reason: str) -> None:
        """Not ten times a second."""
        if name not in self._troubled:
            self._troubled.add(name)
            log.warning("the %s cannot do its work now and goes on trying: %s", name, reason)
