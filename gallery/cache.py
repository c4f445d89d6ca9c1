"""One gallery in memory: its index, who owns which template, and its own calibration, kept up with the store."""

import logging
import threading
from dataclasses import dataclass

from gallery.calibration import Calibration
from gallery.index import IndexPolicy, VectorIndex, build_index
from gallery.owners import Owners
from gallery.store import Head, Store, Update

log = logging.getLogger(__name__)


@dataclass(slots=True)
class View:
    """A gallery as of change `seq`. Searches read it at any time; `GalleryCache` alone writes it.

    epoch: of the store that it was made from.
    unexplained: by how much the store's own count and content differed from its rows when this was built from them;
    zeros unless the store is damaged.
    """

    key: int
    epoch: int
    seq: int
    index: VectorIndex
    owners: Owners
    calibration: Calibration | None
    unexplained: tuple[int, int] = (0, 0)

    def differs(self, head: Head) -> tuple[int, int]:
        """(templates, content) by which it is not what the store says at `head`; zeros where they agree."""
        count = head.templates - self.owners.templates
        if self.index.count != self.owners.templates:
            count = count or head.templates - self.index.count
        return count, head.content ^ self.owners.content


class GalleryCache:
    """Follows the change log of one gallery: what another thread or process did is seen at the next request.

    rebuilt: how often what was in memory, or came from a snapshot, was found not to agree with the store.
    """

    def __init__(self, store: Store, policy: IndexPolicy) -> None:
        self._store = store
        self._policy = policy
        self._lock = threading.Lock()
        self.view: View | None = None
        self.name = ""
        self.rebuilt = 0

    def at(self, head: Head) -> View:
        """The gallery with all changes up to `head` at least."""
        view = self.view
        self.name = head.name
        if view is not None and view.epoch == head.epoch and view.seq >= head.seq:
            return view
        with self._lock:
            view = self.view
            if view is None or view.epoch != head.epoch:
                view = self._build(head.name)
            elif view.seq < head.seq:
                view = self._follow(view, head.name)
            self.view = view
            return view

    def _build(self, name: str) -> View:
        head, rows = self._store.everything(name)
        owners = Owners(rows.ids, rows.subjects, rows.marks, rows.expires)
        index = build_index(rows.embeddings, rows.ids.copy(), self._policy)
        view = View(head.key, head.epoch, head.seq, index, owners, self._calibration(name))
        view.unexplained = view.differs(head)
        if any(view.unexplained):
            log.error("gallery %s: the store's count or content of its templates is not that of its rows", name)
        return view

    def _follow(self, view: View, name: str) -> View:
        head, update = self._store.update(name, view.seq)
        if head.key != view.key:  # the name went to another gallery meanwhile: the next request sees it
            return view
        _apply(view, update)
        if update.recalibrated:
            view.calibration = self._calibration(name)
        if view.differs(head) != view.unexplained:
            self.rebuilt += 1
            log.warning("gallery %s: its index did not agree with the store and is rebuilt from it", name)
            return self._build(name)
        view.seq = head.seq
        return view

    def _calibration(self, name: str) -> Calibration | None:
        content = self._store.calibration(name)
        return None if content is None else Calibration.from_json(dict(content))


def _apply(view: View, update: Update) -> None:
    # What goes leaves the index before its owner is forgotten, what comes has an owner before it can be found.
    view.index.remove(update.removed)
    view.owners.remove(update.removed)
    added = update.added
    new = view.owners.add(added.ids, added.subjects, added.marks, added.expires)
    view.index.add(added.embeddings[new], added.ids[new])
    view.owners.set_expiry(update.changed_subjects, update.changed_expires)
