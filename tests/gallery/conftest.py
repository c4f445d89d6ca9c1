"""A library in an empty directory, and embeddings that are easy to reason about."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import gaitkeeper
from gallery.library import Library
from gallery.store import Store, open_store
from gallery.store.engine import DATABASE
from gallery.template import NewTemplate
from model.bundle_writing import write_bundle
from model.clips import ClipSpec, unit_length
from model.sequence import Floats
from tests.databases import Databases
from tests.gallery.command_line import CALIBRATION, Run
from tests.postgres import Server, shared_server

BUNDLE = "b" * 64
DIM = 8


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database without galleries; a copy of it is quicker than the migrations."""
    directory = tmp_path_factory.mktemp("migrated")
    open_store(directory).close()
    return directory / DATABASE


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server, one for all processes of this run."""
    with shared_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))) as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Databases with all tables and without galleries."""
    name = f"migrated_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}"
    open_store(tmp_path_factory.mktemp("migrated"), database=postgres.create(name)).close()
    return Databases(postgres, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, migrated: Path) -> Iterator[str | None]:
    """URL of an empty database for `tmp_path / "data"`; None for SQLite's, which is there. Every test that asks for it,
    or for `store`, runs once on each."""
    (tmp_path / "data").mkdir(mode=0o700)
    if request.param == "sqlite":
        shutil.copy(migrated, tmp_path / "data")
        yield None
        return
    databases: Databases = request.getfixturevalue("databases")
    url = databases.take()
    yield url
    databases.give_back(url)


@pytest.fixture
def open_again(tmp_path: Path, database: str | None) -> Iterator[Callable[[], Store]]:
    """`open_again()`: the store of the test once more, as another process would open it."""
    opened: list[Store] = []

    def again() -> Store:
        opened.append(open_store(tmp_path / "data", database=database))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


@pytest.fixture
def store(open_again: Callable[[], Store]) -> Store:
    """An empty store in `tmp_path / "data"`, on each kind of database."""
    return open_again()


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


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a tiny encoder and the calibration of `command_line.py`."""
    onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
    path = tmp_path_factory.mktemp("bundles") / "small"
    files = {
        "encoder.onnx": onnx_files.mean_pose_model(width=32),
        "calibration.json": json.dumps(CALIBRATION.to_json()).encode(),
    }
    write_bundle(path, files, name="small", layout="coco-17", clip=ClipSpec(), dim=32)
    return path


@pytest.fixture
def run(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line with the data directory `data` and the small bundle; gives the exit status."""
    monkeypatch.setenv("GAITKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "300")

    def call(*arguments: object) -> int:
        takes_bundle = arguments[0] in ("enroll", "identify", "verify") or arguments[:2] == ("gallery", "create")
        line = [str(argument) for argument in arguments] + (["--bundle", str(bundle)] if takes_bundle else [])
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main(line)
        return int(stopped.value.code or 0)

    return call
