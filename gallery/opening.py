"""What the commands open: the store of a data directory, the encoder of a bundle, one person of a file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import ModelMissing, StoreUnavailable

if TYPE_CHECKING:
    from gallery.library import Library
    from gallery.store import Store
    from model.bundle import Bundle
    from model.readers import Hints, Recording, Track
    from model.runtime import Encoder


def open_bundle_or_default(path: Path | None) -> "Bundle":
    """The bundle at `path`, or the shipped encoder; it must hold an encoder."""
    from model.bundle import DEFAULT_ENCODER, open_bundle, shipped

    bundle = open_bundle(shipped(DEFAULT_ENCODER) if path is None else path)
    if bundle.manifest.dim is None:
        raise ModelMissing(str(bundle.path), "encoder")
    return bundle


def open_encoder(bundle: "Bundle") -> "Encoder":
    from model.runtime import OnnxEncoder

    return OnnxEncoder(bundle)


@contextmanager
def open_library(data: Path, bundle: "Bundle | None" = None, *, make: bool = False) -> Iterator["Library"]:
    """The library of a data directory, with the bundle's calibration; what it answers is in the audit log when the
    block is left. Unless `make`, the directory must be there."""
    from gallery.calibration import Calibration
    from gallery.library import Library
    from gallery.recorder import Recorder
    from gallery.replay import ReplayPolicy

    content = None if bundle is None else bundle.calibration_json()
    priors = {} if bundle is None or content is None else {bundle.fingerprint: Calibration.from_json(content)}
    store = open_data(data, make=make)
    library = Library(store, priors=priors, replay=ReplayPolicy(), recorder=Recorder(store))
    try:
        yield library
    finally:
        library.close()


def open_data(data: Path, *, make: bool = False) -> "Store":
    """The store of a data directory. Unless `make`, SQLite's database must be there.

    The environment says what else belongs to it: `GAITKEEPER_DATABASE`, the URL of a PostgreSQL database to use instead
    (`postgresql://USER:PASSWORD@HOST/NAME`), and `GAITKEEPER_KEYS`, where the master keys are (`file:PATH`, `env:NAME`
    or `command:COMMAND`). Raises `StoreUnavailable`, `KeyUnavailable`.
    """
    from gallery.keys.masters import open_masters
    from gallery.store import open_store
    from gallery.store.engine import DATABASE

    database, keys = os.environ.get("GAITKEEPER_DATABASE") or None, os.environ.get("GAITKEEPER_KEYS") or None
    if not make and database is None and not (data / DATABASE).exists():
        raise StoreUnavailable(f"there is none in {data}; `gaitkeeper enroll` makes it, or name another with --data")
    return open_store(data, masters=None if keys is None else open_masters(keys, data), database=database)


def read_track(
    file: Path, track: str | None, *, fps: float | None = None, aspect: float | None = None, layout: str | None = None
) -> tuple["Track", tuple[str, ...]]:
    """One person of a file, and the reader's notes. Raises `SeveralTracks` where a track must be chosen."""
    from model.readers import Hints, only_track

    state = file.stat() if file.exists() else None
    stamp = (state.st_mtime_ns, state.st_size) if state else None
    recording = _recording(file, stamp, Hints(fps=fps, aspect=aspect, layout=layout))
    return only_track(recording, track), recording.notes


@lru_cache(maxsize=1)
def _recording(file: Path, stamp: tuple[int, int] | None, hints: "Hints") -> "Recording":
    """The file as it was at `stamp`: a manifest names track after track of one large file, which is read once."""
    from model.readers import read

    del stamp
    return read(file, hints=hints)
