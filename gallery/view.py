"""One gallery in memory, as of one change."""

import copy
import threading
from dataclasses import dataclass, field

from gallery.calibration import Calibration
from gallery.index import Ids, VectorIndex
from gallery.owners import Owners
from gallery.store import Head, Update


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """A view at one moment, which later changes leave as it is. ids, subjects, marks, expires: (n,), by rising id."""

    key: int
    epoch: int
    seq: int
    fingerprint: str
    index: VectorIndex
    ids: Ids
    subjects: Ids
    marks: Ids
    expires: Ids


@dataclass(slots=True)
class View:
    """A gallery as of change `seq`. Searches read it at any time; whoever writes it holds `writing`.

    epoch: of the gallery that it was made from (`Head.epoch`). unexplained: by how much the store's own count and
    content differed from its rows when this was built from them; zeros unless the store is damaged.
    """

    key: int
    epoch: int
    seq: int
    fingerprint: str
    index: VectorIndex
    owners: Owners
    calibration: Calibration | None
    unexplained: tuple[int, int] = (0, 0)
    writing: threading.Lock = field(default_factory=threading.Lock)

    def differs(self, head: Head) -> tuple[int, int]:
        """(templates, content) by which it is not what the store says at `head`; zeros where they agree."""
        count = head.templates - self.owners.templates
        return count or self.owners.templates - self.index.count, head.content ^ self.owners.content

    def apply(self, update: Update, calibration: Calibration | None) -> None:
        """Take in what happened; `seq` is the caller's to set, once he has seen that it agrees with the store."""
        added = update.added
        with self.writing:
            # What goes leaves the index before its owner is forgotten; what comes has an owner before it can be found.
            self.index.remove(update.removed)
            self.owners.remove(update.removed)
            new = self.owners.add(added.ids, added.subjects, added.marks, added.expires)
            self.index.add(added.embeddings[new], added.ids[new])
            self.owners.set_expiry(update.changed_subjects, update.changed_expires)
            self.calibration = calibration

    def taken(self) -> Taken:
        """What is here now, to be written down while searches and changes go on."""
        with self.writing:
            # An index publishes its state as values that never change, so that a copy of it is a moment of it.
            return Taken(self.key, self.epoch, self.seq, self.fingerprint, copy.copy(self.index), *self.owners.rows())
