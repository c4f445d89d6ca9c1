"""What nobody asks for and must be done all the same: purge what has expired, and make erasures final.

One round looks whether there is anything to do, which is cheap, and does it. Any number of processes may run rounds:
those on one data directory take turns, and what another one did in between is not done again.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from gallery.store import Store
from gallery.store.destroying import clear_former_rows, mark_destroyed, stale_snapshots, withheld
from gallery.store.expiring import empty_vault, is_due, purge_expired
from gallery.store.failures import as_unavailable
from gallery.store.replaying import catch_up
from gallery.store.restoring import sweep
from gallery.store.snapshots import destroy
from model.errors import GaitkeeperError

LOCK = "maintenance.lock"
EVERY_S = 5.0
_AGAIN_S = 0.1

_log = logging.getLogger(__name__)


class Snapshots(Protocol):
    """What keeps index snapshots for a quick start (`gallery/snapshots.py`)."""

    def replace(self, gallery: str) -> None:
        """Destroy what may hold who was erased, and write a new snapshot if the gallery is open."""
        ...

    def sweep(self) -> None:
        """Delete the files of generations whose keys are destroyed."""
        ...


class Kept(Protocol):
    """A library, as far as it is maintained."""

    @property
    def store(self) -> Store: ...

    @property
    def snapshots(self) -> Snapshots: ...


@dataclass(frozen=True, slots=True)
class Round:
    """What was done. purged: subjects; skeletons: of the vault; destroyed: ids of erasures that are final now;
    pending: how many are not yet, because something was reading the database just then."""

    purged: int = 0
    skeletons: int = 0
    destroyed: tuple[str, ...] = ()
    pending: int = 0


class Maintenance:
    """Rounds over one library, on demand or by a thread of their own."""

    def __init__(self, library: Kept, *, every_s: float = EVERY_S) -> None:
        self._library, self._every_s = library, every_s
        self._former_rows = False  # whether the database's files may hold rows that were deleted
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Run rounds in a thread until `stop`; one that fails is logged, and the next one tries again."""
        assert self._thread is None
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the round under way end, and run no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def run_once(self) -> Round:
        """One round; nothing is done where another process on this data directory is in one.

        Raises `StoreUnavailable`; what was done until then stays done.
        """
        store = self._library.store
        with _turn(store) as ours:
            if not ours:
                return Round(pending=len(withheld(store)))
            sweep(store.directory)
            catch_up(store)  # a database that was put back by other means than ours, while this was running
            due = is_due(store)
            purged = len(purge_expired(store)) if due else 0
            skeletons = empty_vault(store) if due else 0
            self._former_rows |= skeletons > 0
            return Round(purged, skeletons, tuple(self._destroy()), len(withheld(store)))

    def finish(self, erasures: Sequence[str], within_s: float) -> bool:
        """Run rounds until these erasures are final; False if they are not within that time."""
        end = time.monotonic() + within_s
        while True:
            self.run_once()
            waiting = {each.id for each in withheld(self._library.store)}.intersection(erasures)
            if not waiting or time.monotonic() > end:
                return not waiting
            time.sleep(_AGAIN_S)

    def _destroy(self) -> list[str]:
        store, snapshots = self._library.store, self._library.snapshots
        stale = stale_snapshots(store)
        for gallery in sorted({each.gallery for each in stale if each.gallery is not None}):
            self._replace(snapshots, gallery)
        if stale:
            # Whatever became of the new ones, no key of the old ones may stay.
            destroy(store, [each.generation for each in stale])
            snapshots.sweep()
        pending = withheld(store)
        self._former_rows |= bool(pending or stale)
        if not self._former_rows or not clear_former_rows(store):
            return []
        self._former_rows = False
        return mark_destroyed(store, pending)

    def _replace(self, snapshots: Snapshots, gallery: str) -> None:
        try:
            snapshots.replace(gallery)
        except (GaitkeeperError, MemoryError) as error:
            _log.warning("no new snapshot of gallery %s, so the next start will take longer: %s", gallery, error)

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            try:
                done = self.run_once()
            except Exception:  # one failed round must not be the last one
                _log.exception("a round of maintenance failed; the next one tries again")
            else:
                if done.purged or done.skeletons or done.destroyed:
                    _log.info("purged %d, destroyed %d", done.purged, len(done.destroyed))


@contextmanager
def _turn(store: Store) -> Iterator[bool]:
    """Whether this process may work on the data directory now; the lock goes with the process that holds it."""
    with as_unavailable():
        file = os.open(store.directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
