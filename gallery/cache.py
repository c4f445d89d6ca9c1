"""One gallery in memory: its index, who owns which template, and its own calibration, kept up with the store."""

import threading
from dataclasses import dataclass

from gallery.calibration import Calibration
from gallery.index import FlatIndex, VectorIndex
from gallery.rank import Owners
from gallery.store import Head, Store


@dataclass(slots=True)
class View:
    """A gallery as of change `seq`. Searches read it at any time; `GalleryCache` alone writes it."""

    key: int
    seq: int
    index: VectorIndex
    owners: Owners
    calibration: Calibration | None


class GalleryCache:
    """Follows the change log of one gallery: what another thread or process did is seen at the next request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._view: View | None = None

    def at(self, head: Head) -> View:
        """The gallery with all changes up to `head` at least."""
        view = self._view
        if view is not None and view.key == head.key and view.seq >= head.seq:
            return view
        with self._lock:
            view = self._view
            if view is None or view.key != head.key:
                view = self._build(head.name)
            elif view.seq < head.seq:
                self._follow(view, head.name)
            self._view = view
            return view

    def _build(self, name: str) -> View:
        head, rows = self._store.everything(name)
        index, owners = FlatIndex(head.dim), Owners.empty()
        index.add(rows.embeddings, rows.ids)
        owners.add(rows.ids, rows.subjects)
        return View(head.key, head.seq, index, owners, self._calibration(name))

    def _follow(self, view: View, name: str) -> None:
        head, update = self._store.update(name, view.seq)
        if head.key != view.key:  # deleted and made again meanwhile: the next request sees it
            return
        # What goes leaves the index before its owner is forgotten, what comes has an owner before it can be found.
        view.index.remove(update.removed)
        view.owners.remove(update.removed)
        view.owners.add(update.added.ids, update.added.subjects)
        view.index.add(update.added.embeddings, update.added.ids)
        if update.recalibrated:
            view.calibration = self._calibration(name)
        view.seq = head.seq

    def _calibration(self, name: str) -> Calibration | None:
        content = self._store.calibration(name)
        return None if content is None else Calibration.from_json(dict(content))
