"""Puts into the audit log what changes nothing: identify, verify, export, the use of keys. Many entries, one commit.

A commit for every search would cost more than the search. Entries are gathered instead, and committed together by one
thread within 100 ms of being noted: a process that is killed loses those of its last tenth of a second, no more.
None is ever dropped: where the store does not keep up, noting waits, and where it fails, noting fails.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

from gallery.store import Store
from gallery.store.audit import Note, append_many
from gallery.template import Decision
from model.errors import StoreUnavailable

WITHIN_S = 0.1
ROOM = 10_000
_RETRY_S = 0.5


class Recorder:
    """Any thread may call any method. Close it, or the last entries are lost with the process."""

    def __init__(
        self,
        store: Store,
        *,
        within_s: float = WITHIN_S,
        room: int = ROOM,
        write: Callable[[Store, Sequence[Note]], None] = append_many,
    ) -> None:
        self._store, self._within_s, self._room, self._write = store, within_s, room, write
        self._waiting: list[Note] = []
        self._noted = self._written = self._failed_writes = 0
        self._hurry = self._closed = False
        self._failure: StoreUnavailable | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def note(self, action: str, gallery_id: int | None = None, subject_id: int | None = None, **detail: Any) -> None:
        """Note that the present actor did this: keys, numbers and words, never names or anything of a body.

        Waits while there is no room. Raises `StoreUnavailable` if there is none because the log cannot be written:
        what cannot be noted must not be answered.
        """
        self.note_all([Note(action, gallery_id, subject_id, detail)])

    def note_all(self, made: Sequence[Note]) -> None:
        """The same of what was done at the same time."""
        with self._changed:
            assert not self._closed
            while len(self._waiting) >= self._room:
                self._raise_failure()
                self._changed.wait()
            first = not self._waiting
            self._waiting.extend(made)
            self._noted += len(made)
            self._started()
            if first or len(self._waiting) >= self._room:  # else it is gathering, and has an end to that
                self._changed.notify_all()

    def flush(self) -> None:
        """Wait until all that was noted before is on the disk. Raises `StoreUnavailable` where it cannot be written."""
        with self._changed:
            wanted, failed, self._hurry = self._noted, self._failed_writes, True
            self._changed.notify_all()
            while self._written < wanted:
                if self._failed_writes > failed:  # it was tried once more, for us
                    self._raise_failure()
                self._changed.wait()

    def close(self) -> None:
        """Write what is left and stop. Raises `StoreUnavailable` where it cannot be written: it is lost then."""
        try:
            self.flush()
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify_all()
            if self._thread is not None:
                self._thread.join()
        self._write(self._store, [])  # keys that were used for something else

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise StoreUnavailable(f"the audit log cannot be written: {self._failure.reason}") from self._failure

    def _started(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while (taken := self._gathered()) is not None:
            try:
                self._write(self._store, taken)
            except StoreUnavailable as error:
                self._failed(taken, error)
            else:
                with self._changed:
                    self._written += len(taken)
                    self._failure, self._hurry = None, self._written < self._noted and self._hurry
                    self._changed.notify_all()

    def _gathered(self) -> list[Note] | None:
        """What was noted in half the time there is, the other half being for the commit; None when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting)
            end = time.monotonic() + self._within_s / 2
            while not (self._closed or self._hurry or len(self._waiting) >= self._room):
                if not self._changed.wait(max(0.0, end - time.monotonic())) or time.monotonic() >= end:
                    break
            taken, self._waiting = self._waiting, []
            return taken if taken else None

    def _failed(self, taken: list[Note], error: StoreUnavailable) -> None:
        with self._changed:
            self._waiting[:0] = taken
            self._failure, self._hurry = error, False
            self._failed_writes += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._hurry, _RETRY_S)
            if self._closed:
                self._waiting.clear()


def described(decision: Decision, probes: int = 1) -> Mapping[str, Any]:
    """What the log holds of a decision: enough to see later how it came to be, too little to tell a body by."""
    return {
        "outcome": str(decision.outcome),
        "score": None if decision.score is None else round(decision.score, 3),
        "threshold": None if decision.threshold is None else round(decision.threshold, 4),
        "fpir": decision.fpir,
        "searched": decision.searched,
        "reasons": list(decision.reasons),
        "probes": probes,
    }
