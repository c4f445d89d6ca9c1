"""One gallery in memory: its index, who owns which template, and its own calibration, kept up with the store."""

import logging
import threading

from gallery.calibration import Calibration
from gallery.index import IndexPolicy, build_index
from gallery.owners import Owners
from gallery.snapshots import Snapshots
from gallery.store import Head, Store
from gallery.view import View

log = logging.getLogger(__name__)


class GalleryCache:
    """Follows the change log of one gallery: what another thread or process did is seen at the next request.

    rebuilt: how often what was in memory, or came from a snapshot, was found not to agree with the store.
    """

    def __init__(self, store: Store, policy: IndexPolicy, snapshots: Snapshots) -> None:
        self._store, self._policy, self._snapshots = store, policy, snapshots
        self._lock = threading.Lock()
        self.view: View | None = None
        self.name = ""
        self.rebuilt = 0

    def at(self, head: Head) -> View:
        """The gallery with all changes up to `head` at least; one with another key, if the name went there just now."""
        view = self.view
        self.name = head.name
        if view is not None and view.epoch == head.epoch and view.seq >= head.seq:
            return view
        with self._lock:
            view = self.view
            if view is None or view.epoch != head.epoch:
                view = self._open(head)
            elif view.seq < head.seq:
                view = self._follow(view, head.name)
            if view.key == head.key:
                self.view = view
            return view

    def _open(self, head: Head) -> View:
        kept = self._snapshots.load(head)
        if kept is None:
            return self._build(head.name)
        kept.calibration = self._calibration(head.name)
        return self._follow(kept, head.name)

    def _build(self, name: str) -> View:
        head, rows = self._store.everything(name)
        owners = Owners(rows.ids, rows.subjects, rows.marks, rows.expires)
        index = build_index(rows.embeddings, rows.ids.copy(), self._policy)
        view = View(head.key, head.epoch, head.seq, head.fingerprint, index, owners, self._calibration(name))
        view.unexplained = view.differs(head)
        if any(view.unexplained):
            log.error("gallery %s: the store's count or content of its templates is not that of its rows", name)
        return view

    def _follow(self, view: View, name: str) -> View:
        head, update = self._store.update(name, view.seq)
        if (head.key, head.epoch) != (view.key, view.epoch):
            return view  # the name went to another gallery meanwhile, or it was given another transform
        view.apply(update, self._calibration(name) if update.recalibrated else view.calibration)
        if view.differs(head) != view.unexplained:
            self.rebuilt += 1
            log.warning("gallery %s: its index did not agree with the store and is rebuilt from it", name)
            return self._build(name)
        view.seq = head.seq
        return view

    def _calibration(self, name: str) -> Calibration | None:
        content = self._store.calibration(name)
        return None if content is None else Calibration.from_json(dict(content))
