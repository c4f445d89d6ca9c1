"""An archive into a store, as a new gallery."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from gallery.archive.checking import Checker
from gallery.archive.container import Reader, decoded
from gallery.archive.exporting import Progress
from gallery.archive.lock import Opener
from gallery.keys.signing import public_of
from gallery.store import Store
from gallery.store.importing import Importer
from gallery.store.records import Facts, Record
from model.errors import InvalidArchive

_RECORDS = msgspec.msgpack.Decoder(list[Record])


@dataclass(frozen=True, slots=True)
class Imported:
    """erased: subjects and templates that had been erased in this store since they were archived, and did not come."""

    archive: str
    gallery: str
    subjects: int
    templates: int
    skeletons: int
    erased: int
    signer: str


def import_gallery(
    store: Store,
    path: Path,
    opener: Opener,
    *,
    name: str | None = None,
    trusted: bytes | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Make a gallery of an archive, all or nothing, under its own name or `name`.

    trusted: public key (32 bytes) of whoever signed it; None trusts this store only. Nothing is written before all of
    the file was checked, and then one transaction is: others read meanwhile, and wait to write. Raises
    `InvalidArchive`, `KeyUnavailable`, `GalleryExists`.
    """
    with _as_invalid(path):
        reader = Reader(path, opener)
        manifest = reader.check(None)
    _check_signer(store, manifest, trusted, path)
    with store.write() as connection, _as_invalid(path):
        importer, gallery = _fill(connection, store, reader, manifest, name, progress)
    counts = {"subjects": importer.subjects, "templates": importer.templates, "skeletons": importer.skeletons}
    return Imported(reader.archive, gallery, **counts, erased=importer.erased, signer=manifest["public_key"])


def _fill(
    connection: Any,
    store: Store,
    reader: Reader,
    manifest: Mapping[str, Any],
    name: str | None,
    progress: Progress | None,
) -> tuple[Importer, str]:
    """Make the gallery; returns what did it, and the gallery's name."""
    chunks = reader.chunks()
    _, content = next(chunks)
    facts = decoded(content, Facts, str(reader.path))
    checker = Checker(str(reader.path), facts, manifest)
    gallery = checker.gallery(name)
    importer = Importer(connection, store, facts, gallery)
    for _, content in chunks:
        records = _records(content, reader.path)
        checker.check(records)
        importer.add(records)
        if progress is not None:
            progress(importer.templates, facts.templates)
    checker.finish()
    importer.finish(reader.archive, manifest["public_key"])
    return importer, gallery.name


def public_key(store: Store) -> bytes:
    """What this store's signatures are checked with (32 bytes)."""
    with store.write() as connection:
        return public_of(store.secrets.signing_key(connection))


def _check_signer(store: Store, manifest: Mapping[str, Any], trusted: bytes | None, path: Path) -> None:
    signer = manifest["public_key"]
    if signer == b64encode(public_key(store) if trusted is None else trusted).decode():
        return
    if trusted is None:
        hint = f"not by this store; if you know that key to be the other store's (`keys show`), give --trust {signer}"
    else:
        hint = "not by the one that is trusted"
    raise InvalidArchive(str(path), f"was signed with the key {signer}, {hint}")


def _records(content: bytes, path: Path) -> Sequence[Record]:
    try:
        return _RECORDS.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InvalidArchive(str(path), "holds something else than records, or was made by a later version") from None


@contextmanager
def _as_invalid(path: Path) -> Iterator[None]:
    """The file's errors, before the store takes them for its own."""
    try:
        yield
    except OSError as error:
        raise InvalidArchive(str(path), f"cannot be read: {(error.strerror or str(error)).lower()}") from error
