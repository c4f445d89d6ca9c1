"""The service and the command line, processes of their own, on one real PostgreSQL server."""

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
import pytest

from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from tests.e2e.command import Service, call, serving, walk, walk_file
from tests.e2e.conftest import Typed
from tests.postgres import Server, shared_server

# So many templates make a snapshot worth while.
CROWD = 20_000
TOGETHER = 1000
PATIENCE_S = 20.0

T = TypeVar("T")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with shared_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))) as found:
        yield found


@pytest.fixture
def database(server: Server) -> Iterator[dict[str, str]]:
    """An empty database, as the environment names it."""
    name = f"served_{uuid4().hex}"
    yield {"GAITKEEPER_DATABASE": server.create(name)}
    server.drop(name)


def crowd(data: Path, url: str) -> None:
    """Enroll many who are nobody, in directions of chance, in `default`."""
    bundle, rng = open_bundle(shipped(DEFAULT_ENCODER)), np.random.default_rng(4)
    store = open_store(data, database=url)
    store.create_gallery("default", bundle.fingerprint, bundle.manifest.dim or 0)
    for start in range(0, CROWD, TOGETHER):
        rows = rng.standard_normal((TOGETHER, bundle.manifest.dim or 0)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        new = [NewTemplate(f"nobody-{start + place}", row) for place, row in enumerate(rows)]
        store.enroll("default", bundle.fingerprint, new)
    store.close()


def answers(service: Service, *people: int) -> list[Any]:
    """Who may have walked, by walks of these people that were not enrolled."""
    return [service.identify(walk(person, 3)).json()["candidates"] for person in people]


def test_what_another_process_erases_the_service_names_no_more(database: dict[str, str], tmp_path: Path) -> None:
    data = tmp_path / "served"
    with serving(data, **database) as service:
        for person in (1, 2, 3):
            assert service.enroll(f"p{person}", walk(person)).status_code == 201
        before = service.identify(walk(2, 3)).json()
        assert (before["outcome"], before["subject"], before["searched"]) == ("match", "p2", 3)
        line = ("subjects", "erase", "p2", "--yes", "--receipt", "receipt.json", "--data", data)
        erased = call(*line, cwd=tmp_path, **database)
        assert erased.returncode == 0, erased.stderr
        after = service.identify(walk(2, 3)).json()
        assert "p2" not in json.dumps(after)
        assert after["searched"] == 2
        assert after["seq"] > before["seq"]
        assert service.identify(walk(1, 3), at_least=after["seq"] + 1).status_code == 409
        receipt = json.loads((tmp_path / "receipt.json").read_bytes())
        assert receipt["state"] == "destroyed"
        assert service.http.get(f"/erasures/{receipt['erasure']}").json()["receipt"]["state"] == "destroyed"
        assert "erase" in {each["action"] for each in service.http.get("/audit").json()["entries"]}
        checked = call("gallery", "verify-erasure", "receipt.json", "--data", data, cwd=tmp_path, **database)
        assert (checked.returncode, checked.stdout.startswith("sound")) == (0, True), checked.stderr


def test_a_gallery_answers_alike_on_postgresql_and_where_its_archive_was_taken_to_sqlite(
    database: dict[str, str], tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, value in database.items():
        monkeypatch.setenv(place, value)
    for person in (1, 2, 3):
        assert typed("enroll", walk_file(person), "--subject", f"p{person}", "--data", "here")[0] == 0
    here = [found(typed, person, "here") for person in (1, 2, 3)]
    Path("words").touch(0o600)
    Path("words").write_text("correct horse battery")
    line = ("gallery", "export", "default", "all.gka", "--passphrase-file", "words", "--data", "here", "--json")
    key = json.loads(typed(*line)[1])["public_key"]
    monkeypatch.delenv("GAITKEEPER_DATABASE")
    line = ("gallery", "import", "all.gka", "--passphrase-file", "words", "--trust", key, "--data", "there")
    assert typed(*line)[0] == 0
    assert Path("there/gaitkeeper.db").exists()
    assert [found(typed, person, "there") for person in (1, 2, 3)] == here


def found(typed: Typed, person: int, data: str) -> list[Any]:
    """A decision to the last bit, but for numbers that each store counts for itself."""
    code, out, err = typed("identify", walk_file(person, 3), "--data", data, "--json")
    assert code == 0, err
    said = json.loads(out)["decision"]
    people = [(each["subject"], each["score"]) for each in said["candidates"]]
    return [said["outcome"], said["subject"], said["score"], said["threshold"], said["margin"], people]


def test_a_service_that_is_killed_starts_from_its_snapshot_and_answers_as_before(
    database: dict[str, str], tmp_path: Path
) -> None:
    data, url = tmp_path / "served", database["GAITKEEPER_DATABASE"]
    crowd(data, url)
    with serving(data, **database) as service:
        for person in (1, 2, 3):
            assert service.enroll(f"p{person}", walk(person)).status_code == 201
        before = answers(service, 1, 2, 3)
        assert [best["subject"] for best, *_ in before] == ["p1", "p2", "p3"]
        (snapshot,) = wait_for(lambda: list((data / "snapshots").glob("*.gks")))
        service.kill()
    library = Library(open_store(data, database=url))
    assert (library.warm("default"), library.snapshots.loaded) == (CROWD + 3, 1)
    library.close()
    with serving(data, **database) as service:
        assert answers(service, 1, 2, 3) == before
        assert service.http.delete("/galleries/default/subjects/p2").status_code == 200
        for now, then in zip(answers(service, 1, 2, 3), before, strict=True):
            others = [each for each in then if each["subject"] != "p2"]
            assert now[: len(others)] == others
            assert "p2" not in {each["subject"] for each in now}
        # Nobody can read any more what may have held p2.
        wait_for(lambda: not snapshot.exists())


def wait_for(what: Callable[[], T]) -> T:
    end = time.monotonic() + PATIENCE_S
    while not (it := what()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return it
