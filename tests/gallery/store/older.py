"""A data directory with three people, and its database of an earlier moment put back."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gallery.store import Store, open_store
from gallery.store.engine import DATABASE
from gallery.template import NewTemplate
from model.sequence import Floats

BUNDLE = "b" * 64
NAMES = ("ann", "bob", "cid")


def make(directory: Path, migrated: Path) -> Path:
    """The gallery `staff` with ann, bob and cid, three templates each, numbered from 1 on."""
    directory.mkdir(mode=0o700)
    shutil.copy(migrated, directory)
    with_store(directory, lambda store: store.create_gallery("staff", BUNDLE, 8))
    for place, name in enumerate(NAMES):
        enroll(directory, name, *np.eye(8, dtype=np.float32)[place : place + 3])
    return directory


def with_store(data: Path, work: Callable[[Store], object]) -> None:
    store = open_store(data)
    try:
        work(store)
    finally:
        store.close()


def enroll(data: Path, name: str, *embeddings: Floats) -> None:
    with_store(data, lambda store: store.enroll("staff", BUNDLE, [NewTemplate(name, each) for each in embeddings]))


def names(store: Store, gallery: str = "staff") -> list[str]:
    return [each.id for each in store.subjects(gallery)]


def saved(data: Path) -> bytes:
    return (data / DATABASE).read_bytes()


def put_back(data: Path, content: bytes) -> None:
    """As an operator does who knows nothing of `store restore`."""
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    (data / DATABASE).write_bytes(content)
