"""Snapshots: an index on the disk, sealed, so that a process that starts again need not read every template.

Each file is a generation with a key of its own, kept in the store. Where something was erased, a new generation is made
and the keys of the older ones are destroyed: nobody can read them any more, in whatever data directory or backup they
lie. A file is used only if it is whole, is this store's and this gallery's, and agrees with the store once it has been
followed to the present; else the index is built from the store, and the log says so.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gallery.index import IndexPolicy, Kind
from gallery.index.snapshot import SnapshotHeader, read_snapshot, write_snapshot
from gallery.owners import Owners, xor
from gallery.store import Head, Store
from gallery.store.snapshots import Generation, begin, destroy, generations, key_of, stale
from gallery.view import Taken, View
from model.errors import InvalidArchive, KeyUnavailable

log = logging.getLogger(__name__)

SUFFIX = ".gks"
# No file takes so long to write.
HALF_WRITTEN_S = 3600
_NAME = re.compile(rf"(\d+)-(\d+){re.escape(SUFFIX)}")


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """When a snapshot is made: of galleries with `smallest` templates or more, if there is none, if they have changed
    and the newest is `after_s` old, if they have grown or shrunk by `share` and it is `apart_s` old, or if their index
    was trained since."""

    smallest: int = 20_000
    share: float = 0.25
    after_s: float = 600.0
    apart_s: float = 30.0


class Snapshots:
    """The snapshots in one data directory; other processes may use it too. Any thread may call any method.

    view_of: the view of a gallery if this process has it open, with all changes up to its head. loaded: how many files
    were read; refused: how many were damaged or foreign.
    """

    def __init__(self, store: Store, directory: Path, policy: IndexPolicy | None = None) -> None:
        self._store, self._policy = store, policy or IndexPolicy()
        self.directory = directory / "snapshots"
        self.view_of: Callable[[Head], View | None] = lambda _: None
        self.loaded = self.refused = 0
        self._made: dict[int, tuple[int, Kind]] = {}  # generation to templates and kind of index
        self._saving = threading.Lock()

    def save(self, view: View) -> int | None:
        """Make a new generation of a view, and remove this directory's older ones; its number.

        None where something was erased meanwhile that the view has still: follow, and call again.
        """
        with self._saving:
            taken = view.taken()
            begun = begin(self._store, taken.key, taken.seq)
            if begun is None:
                return None
            number, key = begun
            try:
                self._write(taken, number, key)
            except BaseException:
                destroy(self._store, [number])
                raise
            self._made[number] = len(taken.ids), taken.index.kind
            destroy(self._store, [older for older, _ in self._files(taken.key) if older < number])
        self.sweep()
        return number

    def _write(self, taken: Taken, number: int, key: bytes) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        header = SnapshotHeader(number, taken.key, taken.epoch, taken.seq, taken.fingerprint, xor(taken.marks))
        columns = (taken.ids, taken.subjects, taken.marks, taken.expires)
        write_snapshot(self._path(taken.key, number), key, header, taken.index, *columns)

    def load(self, head: Head) -> View | None:
        """The newest snapshot here of a gallery, as it was made; None if there is none that can be used."""
        known = {one.number: one for one in generations(self._store, head.key)}
        for number, path in self._files(head.key):
            if number in known:
                try:
                    return self._read(path, head, known[number])
                except KeyUnavailable:  # destroyed just now
                    continue
                except (InvalidArchive, OSError) as error:
                    self.refused += 1
                    log.warning("gallery %s: a snapshot is not used: %s", head.name, error)
        return None

    def replace(self, gallery: str) -> None:
        """Destroy all generations of a gallery, here and elsewhere, that may hold what was erased since.

        If this process has the gallery open, it makes a new one first. Raises `UnknownGallery`.
        """
        head = self._store.head(gallery)
        old = stale(self._store, head.key)
        if old:
            try:
                here = any(self._path(head.key, one.number).exists() for one in old)
                if here and (view := self.view_of(head)) is not None:
                    self.save(view)
            finally:
                destroy(self._store, [one.number for one in old])
                self.sweep()

    def sweep(self) -> None:
        """Remove the files whose keys are gone, which nobody can read, and what a killed process left half written."""
        files = list(self._files())
        known = {one.number for one in generations(self._store)} if files else set()
        gone = [path for number, path in files if number not in known]
        before = time.time() - HALF_WRITTEN_S
        with suppress(FileNotFoundError):  # another process may sweep, too
            gone += [path for path in self.directory.glob(f".*{SUFFIX}.*") if path.stat().st_mtime < before]
        for path in gone:
            path.unlink(missing_ok=True)

    def is_due(self, view: View, policy: SnapshotPolicy) -> bool:
        """Whether a snapshot of this view is to be made now."""
        size = view.owners.templates
        if size < policy.smallest:
            return False
        known = {one.number: one for one in generations(self._store, view.key)}
        newest = next((known[number] for number, _ in self._files(view.key) if number in known), None)
        if newest is None:
            return True
        age = (datetime.now(UTC) - newest.created).total_seconds()
        had, kind = self._made.get(newest.number, (size, view.index.kind))
        if kind != view.index.kind:  # what chooses rows has been trained since: a process that reads it need not do so
            return True
        grown = abs(size - had) >= policy.share * size
        return view.seq != newest.seq and (age >= policy.after_s or (grown and age >= policy.apart_s))

    def _read(self, path: Path, head: Head, generation: Generation) -> View:
        found = read_snapshot(path, key_of(self._store, generation), self._policy)
        owners, told = Owners(found.ids, found.subjects, found.marks, found.expires), found.header
        wanted = (generation.number, head.key, head.epoch, generation.seq, head.fingerprint, owners.content)
        if (told.generation, told.gallery, told.epoch, told.seq, told.fingerprint, told.content) != wanted:
            raise InvalidArchive(str(path), "is of another gallery or time")
        self.loaded += 1
        self._made[generation.number] = owners.templates, found.index.kind
        return View(head.key, head.epoch, generation.seq, head.fingerprint, found.index, owners, None)

    def _path(self, gallery: int, generation: int) -> Path:
        return self.directory / f"{gallery}-{generation}{SUFFIX}"

    def _files(self, gallery: int | None = None) -> Iterator[tuple[int, Path]]:
        """(generation, file) of one gallery, or of all: newest first."""
        found = []
        for path in self.directory.glob(f"*{SUFFIX}"):
            name = _NAME.fullmatch(path.name)
            if name is not None and gallery in (None, int(name[1])):
                found.append((int(name[2]), path))
        return iter(sorted(found, reverse=True))
