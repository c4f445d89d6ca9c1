"""Can requests be answered now? What each part rests on is asked, not assumed."""

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from gallery.keys.masters import FileMasters
from gallery.library import Library
from model.errors import GaitkeeperError
from service.engine.batcher import Batcher

OK = "ok"
# An index that has not seen a change after this long is not following; it takes 0.25 s where all is well.
BEHIND_S = 5.0
# The master key may be behind a command that asks a key service.
KEYS_EVERY_S = 30.0
MIB = 1024 * 1024


class Readiness:
    """workers: the batchers by name, as they are now. free_disk_mb: least free space of the data directory, in MiB."""

    def __init__(
        self,
        library: Library,
        workers: Callable[[], Mapping[str, Batcher[Any, Any]]],
        free_disk_mb: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._library, self._workers, self._free_disk_mb = library, workers, free_disk_mb
        self._lock = threading.Lock()
        self._behind: dict[int, tuple[int, float]] = {}
        self._keys: tuple[float, str] | None = None

    def died(self) -> list[str]:
        """The workers that ended though nobody closed them, and do not come back: the process is of no use any more."""
        return [name for name, each in self._workers().items() if each.died]

    def checks(self) -> dict[str, str]:
        """What readiness rests on, by part: `ok`, or what is wrong. It asks the store and the disk: not to be called
        by the event loop."""
        workers = {name: OK if each.alive else "its worker has stopped" for name, each in self._workers().items()}
        with self._lock:
            return workers | {
                "store": _said(self._ask_store),
                "index": _said(self._ask_index),
                "keys": self._ask_keys(),
                "disk": _said(self._ask_disk),
            }

    def _ask_store(self) -> str:
        self._library.store.heads()
        return OK

    def _ask_index(self) -> str:
        """Whether each open index has seen every change that was there `BEHIND_S` ago."""
        views = {key: cache.view for key, cache in self._library.views.open.items() if cache.view is not None}
        heads = {head.key: head.seq for head in self._library.store.heads() if head.key in views}
        moment, late = self._clock(), 0
        for key, seq in heads.items():
            wanted, since = self._behind.get(key, (seq, moment))
            if views[key].seq >= wanted:
                wanted, since = seq, moment
            self._behind[key] = (wanted, since)
            late += moment - since > BEHIND_S
        self._behind = {key: found for key, found in self._behind.items() if key in heads}
        return f"{late} galleries are behind the store" if late else OK

    def _ask_keys(self) -> str:
        moment = self._clock()
        if self._keys is None or moment - self._keys[0] > KEYS_EVERY_S:
            self._keys = (moment, _said(self._ask_master))
        return self._keys[1]

    def _ask_master(self) -> str:
        masters = self._library.store.masters
        # A key file that is missing would be made by whoever asks for the current key: that would hide the loss.
        found = masters.names if isinstance(masters, FileMasters) else masters.current
        return OK if found else "there is no master key"

    def _ask_disk(self) -> str:
        free = shutil.disk_usage(self._library.store.directory).free // MIB
        return OK if free >= self._free_disk_mb else f"{free} MiB are free, less than {self._free_disk_mb}"


def _said(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (GaitkeeperError, OSError) as error:
        return str(error)
