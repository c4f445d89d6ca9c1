"""No embedding is on the disk as it is, nor any stretch of it: not in the data directory, its logs, a backup, a
server's cluster; neither before it is erased nor after."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gallery.erasure import receipt_of
from gallery.library import Library
from gallery.maintenance import Maintenance
from gallery.store import Store
from gallery.store.backup import backup
from gallery.template import NewTemplate
from model.sequence import Floats
from tests.postgres import Server

BUNDLE = "b" * 64
DIM = 64
STRETCH = 8  # bytes that are looked for: too many to be met by chance


def stretches(vector: Floats) -> set[bytes]:
    """The beginning and the middle of a vector (dim,) as any of the usual precisions would leave it in a file."""
    found = set()
    for kind in ("<f4", "<f2", "<f8", ">f4"):
        raw = np.ascontiguousarray(vector, kind).tobytes()
        found |= {raw[:STRETCH], raw[len(raw) // 2 :][:STRETCH]}
    return found


def leaks(wanted: set[bytes], *places: Path) -> list[tuple[str, bytes]]:
    """Where any of these stretches is: name of the file, and the stretch."""
    keys = np.frombuffer(b"".join(wanted), "<u8")
    begins = np.zeros(1 << 16, bool)
    begins[keys & 0xFFFF] = True
    found = []
    for path in (path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))):
        content = path.read_bytes() if path.is_file() else b""
        for offset in range(STRETCH):
            here = np.frombuffer(content, "<u8", max(0, len(content) - offset) // STRETCH, min(offset, len(content)))
            likely = here[begins[here.view("<u2")[::4]]]
            found += [(path.name, each.tobytes()) for each in likely[np.isin(likely, keys)]]
    return found


@pytest.fixture
def places(store: Store, request: pytest.FixtureRequest) -> Callable[[], list[Path]]:
    """`places()`: the data directory and, of a server, the database's files and what is in its log since the test
    began."""
    if store.kind == "sqlite":
        return lambda: [store.directory]
    server: Server = request.getfixturevalue("postgres")
    with store.read() as connection:
        root = Path(connection.exec_driver_sql("SHOW data_directory").scalar_one())
        own = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar_one()
        first = connection.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_lsn())").scalar_one()

    def found() -> list[Path]:
        server.do("CHECKPOINT")
        with store.read() as connection:
            last = connection.exec_driver_sql("SELECT pg_walfile_name(pg_current_wal_lsn())").scalar_one()
        log = [path for path in (root / "pg_wal").iterdir() if first <= path.name <= last]
        assert log
        return [store.directory, root / "base" / str(own), *log]

    return found


@pytest.mark.parametrize("protected", [False, True])
def test_no_stretch_of_an_embedding_is_in_any_file(
    store: Store, places: Callable[[], list[Path]], tmp_path: Path, vectors: Callable[..., Floats], protected: bool
) -> None:
    library = Library(store)
    store.create_gallery("staff", BUNDLE, DIM, protected=protected, vault_days=1)
    rows = vectors(6, DIM)
    skeleton = np.random.default_rng(1).bytes(4000)
    wanted = {skeleton[start : start + STRETCH] for start in range(0, 4000, 400)}
    wanted |= {stretch for row in rows for stretch in stretches(row)}
    transform = store.transform("staff")
    if transform is not None:
        wanted |= {stretch for row in (*(rows @ transform.T), *(rows @ transform)) for stretch in stretches(row)}
    for number, row in enumerate(rows):
        new = NewTemplate(f"s{number % 2}", row, {"view": "090"}, source=f"file-{number}", skeleton=skeleton)
        library.enroll("staff", [new], fingerprint=BUNDLE)
    assert library.identify("staff", rows[:2], fingerprint=BUNDLE, threshold=0.5)[0].subject == "s0"
    view = library.views.if_open(store.head("staff"))
    assert view is not None
    library.snapshots.save(view)
    if store.kind == "sqlite":
        backup(store, tmp_path / "kept.db")
        assert leaks(wanted, tmp_path / "kept.db") == []
    assert len(list(store.directory.glob("snapshots/*"))) == 1
    assert leaks(wanted, *places()) == []
    erasure = store.erase_subject("staff", "s0")
    assert Maintenance(library).run_once().pending == 0
    assert receipt_of(store, erasure.id)["state"] == "destroyed"
    assert leaks(wanted, *places()) == []


def test_what_is_searched_for_would_be_found(tmp_path: Path, vectors: Callable[..., Floats]) -> None:
    (row,) = vectors(1, DIM)
    for number, kind in enumerate(("<f4", "<f2", "<f8", ">f4")):
        (tmp_path / f"{number}").write_bytes(b"x" * 7 + np.ascontiguousarray(row, kind).tobytes())
    assert {name for name, _ in leaks(stretches(row), tmp_path)} == {"0", "1", "2", "3"}


def test_names_are_in_no_log_of_what_was_erased(store: Store, vectors: Callable[..., Floats]) -> None:
    store.create_gallery("staff", BUNDLE, 8)
    name = "a-name-that-is-in-no-other-file"
    store.enroll("staff", BUNDLE, [NewTemplate(name, vectors(1)[0])])
    store.erase_subject("staff", name)
    assert Maintenance(Library(store)).run_once().pending == 0
    assert not any(name.encode() in path.read_bytes() for path in store.directory.iterdir())
