"""The service as it asks for keys."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.library import Library
from gallery.recorder import Recorder
from gallery.store import Store, open_store
from tests.fakes import FakeEncoder
from tests.service.access.keyed import Keyed, keyed_service


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the galleries `default`, `ours` and `theirs`; a copy of it is quicker than to make them."""
    directory = tmp_path_factory.mktemp("made") / "data"
    store, encoder = open_store(directory), FakeEncoder()
    library = Library(store)
    for name in ("default", "ours", "theirs"):
        library.ensure(name, fingerprint=encoder.fingerprint, dim=encoder.dim)
    library.close()
    return directory


@pytest.fixture
def library(tmp_path: Path, made: Path) -> Library:
    """The galleries of `made`."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    store = open_store(tmp_path)
    return Library(store, recorder=Recorder(store))


@pytest.fixture
def keyed(library: Library, encoder: FakeEncoder) -> Iterator[Keyed]:
    with keyed_service(library, encoder) as found:
        yield found


@pytest.fixture
def another(tmp_path: Path, library: Library) -> Iterator[Store]:
    """The same store, as another process has it open."""
    store = open_store(tmp_path)
    yield store
    store.close()
