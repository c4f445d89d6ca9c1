"""A library in an empty directory, and embeddings that are easy to reason about."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gallery.library import Library
from gallery.store import Store, open_store
from gallery.store.engine import DATABASE
from gallery.template import NewTemplate
from model.clips import unit_length
from model.sequence import Floats

BUNDLE = "b" * 64
DIM = 8


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without galleries; a copy of it is quicker than the migrations."""
    directory = tmp_path_factory.mktemp("migrated")
    open_store(directory).close()
    return directory / DATABASE


@pytest.fixture
def store(tmp_path: Path, migrated: Path) -> Iterator[Store]:
    """An empty store in `tmp_path / "data"`."""
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(migrated, tmp_path / "data")
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def library(store: Store) -> Library:
    """A library with one empty gallery, `staff`, for bundle `BUNDLE` and embeddings of `DIM` numbers."""
    found = Library(store)
    found.create("staff", fingerprint=BUNDLE, dim=DIM)
    return found


@pytest.fixture
def vectors() -> Callable[..., Floats]:
    """`vectors(n)`: n random embeddings; the same n gives the same embeddings."""

    def make(count: int, dim: int = DIM, seed: int = 0) -> Floats:
        return unit_length(np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32))

    return make


@pytest.fixture
def enroll(library: Library) -> Callable[..., list[int]]:
    """`enroll("ann", embedding, ...)` into `staff`; gives the templates' ids."""

    def add(subject: str, *embeddings: Floats) -> list[int]:
        added = library.enroll("staff", [NewTemplate(subject, each) for each in embeddings], fingerprint=BUNDLE)
        return [one.template for one in added if one.template is not None]

    return add
