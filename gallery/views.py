"""The galleries that this process has open, each followed by its own cache."""

import threading
from collections.abc import Set

from gallery.cache import GalleryCache
from gallery.index import IndexPolicy
from gallery.keys.transform import apply
from gallery.snapshots import Snapshots
from gallery.store import Head, Store
from gallery.view import View
from model.errors import StoreUnavailable
from model.sequence import Floats


class Views:
    """Caches by the key of their gallery: when a name goes to another gallery, that one has a cache of its own."""

    def __init__(self, store: Store, policy: IndexPolicy, snapshots: Snapshots) -> None:
        self._store, self._policy, self._snapshots = store, policy, snapshots
        self._caches: dict[int, GalleryCache] = {}
        self._lock = threading.Lock()
        self._transforms: dict[tuple[int, int], Floats] = {}
        self._rebuilt = 0

    def at(self, head: Head) -> View:
        """The gallery with all changes up to `head` at least."""
        cache = self._caches.get(head.key)
        if cache is None:
            with self._lock:
                cache = self._caches.setdefault(head.key, GalleryCache(self._store, self._policy, self._snapshots))
        return cache.at(head)

    def if_open(self, head: Head) -> View | None:
        """The same, of a gallery that is open in this process."""
        cache = self._caches.get(head.key)
        return None if cache is None or cache.view is None else cache.at(head)

    def hidden(self, head: Head, embeddings: Floats) -> Floats:
        """Embeddings (n, dim) as this gallery keeps them: under its secret transform if it is protected.

        Raises `StoreUnavailable` where the transform has been changed since `head` was read.
        """
        if not head.protected:
            return embeddings
        transform = self._transforms.get((head.key, head.epoch))
        if transform is None:
            transform, now = self._store.transform(head.name), self._store.head(head.name)
            if transform is None or (now.key, now.epoch) != (head.key, head.epoch):
                raise StoreUnavailable(f"gallery {head.name!r} was given another transform just now; repeat")
            self._transforms[head.key, head.epoch] = transform
        return apply(transform, embeddings)

    @property
    def open(self) -> dict[int, GalleryCache]:
        """Caches by key; a copy."""
        with self._lock:
            return dict(self._caches)

    @property
    def rebuilt(self) -> int:
        """How often an index or a snapshot was found not to agree with the store, and was rebuilt from it."""
        with self._lock:
            return self._rebuilt + sum(cache.rebuilt for cache in self._caches.values())

    def keep(self, keys: Set[int]) -> None:
        """Drop all others."""
        with self._lock:
            for key in self._caches.keys() - keys:
                self._rebuilt += self._caches.pop(key).rebuilt
            self._transforms = {known: one for known, one in self._transforms.items() if known[0] in keys}

    def drop(self, name: str) -> None:
        """Drop those last seen under this name."""
        self.keep({key for key, cache in self.open.items() if cache.name != name})
