"""A gallery out of a store, into an archive."""

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeAlias

import msgspec

from gallery.archive.checking import told
from gallery.archive.container import CHUNK_BYTES, FACTS, RECORDS, Writer
from gallery.archive.lock import Opener
from gallery.store import Store
from gallery.store.audit import append
from gallery.store.exporting import Exporter
from gallery.store.records import Record, TemplateRecord
from model.errors import InvalidArchive

# Called with the templates that are done and that there are; may raise to stop.
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What is in the archive `archive` (its id), and the public key (base64) that its signature is checked with."""

    archive: str
    gallery: str
    subjects: int
    templates: int
    skeletons: int
    bytes: int
    public_key: str


def export_gallery(
    store: Store, name: str, path: Path, opener: Opener, *, with_vault: bool = False, progress: Progress | None = None
) -> Exported:
    """Write one moment of a gallery to `path`, whole or not at all; an older file of that name is replaced.

    Others go on reading and writing. The memory it takes does not grow with the gallery. Raises `UnknownGallery`, and
    `InvalidArchive` where the file cannot be written.
    """
    with store.write() as connection:
        private = store.secrets.signing_key(connection)
    with _replacing(path) as file, store.read() as connection:
        exporter = Exporter(connection, store, name, with_vault=with_vault)
        facts = exporter.facts()
        with _as_invalid(path):
            writer = Writer(file, opener)
            writer.add(FACTS, msgspec.json.encode(facts))
            with closing(exporter.records()) as records:
                for chunk in _chunks(records, facts.templates, progress):
                    writer.add(RECORDS, chunk)
            exported = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = writer.finish(private, {**told(facts), "exported": exported})
        counts = {"subjects": facts.subjects, "templates": facts.templates, "skeletons": facts.skeletons}
        size = file.tell()
        # There is no archive, whole and under its name, without its entry in the log.
        _note(store, exporter.at.key, archive=writer.archive, lock=opener.kind, **counts)
    return Exported(writer.archive, facts.name, **counts, bytes=size, public_key=manifest["public_key"])


def _note(store: Store, gallery: int, **detail: Any) -> None:
    with store.write() as connection:
        append(connection, store, "export", gallery, **detail)


def _chunks(records: Iterable[Record], total: int, progress: Progress | None) -> Iterator[bytes]:
    """Records packed into chunks of about `CHUNK_BYTES`."""
    batch: list[Record] = []
    size = done = 0
    for record in records:
        batch.append(record)
        if isinstance(record, TemplateRecord):
            size += len(record.embedding) + len(record.skeleton or b"")
            done += 1
        size += 100
        if size >= CHUNK_BYTES:
            yield _packed(batch)
            batch, size = [], 0
            if progress is not None:
                progress(done, total)
    if batch:
        yield _packed(batch)
    if progress is not None:
        progress(done, total)


def _packed(batch: Sequence[Record]) -> bytes:
    return msgspec.msgpack.encode(batch)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path`, for this user only, when the block is left without an error."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def _as_invalid(path: Path) -> Iterator[None]:
    """The file's errors, before the store takes them for its own."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> InvalidArchive:
    return InvalidArchive(str(path), f"cannot be written: {(error.strerror or str(error)).lower()}")
