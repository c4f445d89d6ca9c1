"""deploy/backup.sh under load and deploy/restore.sh: what was acknowledged is there, answers are equal, and who was
erased stays erased; on SQLite and on PostgreSQL."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import psycopg
import pytest

from gallery.store import Store, open_store
from gallery.store.heads import heads
from gallery.store.inspecting import Contents, contents
from gallery.template import NewTemplate
from tests.e2e.command import ROOT, Service, environment, serving, stranger, walk
from tests.postgres import Server, shared_server

DEPLOY = ROOT / "deploy"
PEOPLE = (1, 2, 3)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with shared_server(os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))) as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Where the store is, as the environment names it."""
    if request.param == "sqlite":
        yield {}
        return
    server: Server = request.getfixturevalue("server")
    name = f"backed_up_{uuid4().hex}"
    yield {"GAITKEEPER_DATABASE": server.create(name)}
    server.drop(name)


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """`gaitkeeper`, as the scripts call it."""
    script = tmp_path / "gaitkeeper"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m gaitkeeper "$@"\n')
    script.chmod(0o755)
    return script


def run(script: str, argument: Path, data: Path, command: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    given = environment(GAITKEEPER_DATA=str(data), GAITKEEPER=str(command), **more)
    line = [str(DEPLOY / script), str(argument)]
    return subprocess.run(line, env=given, cwd=data.parent, capture_output=True, text=True, timeout=120, check=False)


class Load:
    """Somebody who enrolls into the gallery `busy` and asks there, until told to stop. acknowledged: subjects."""

    def __init__(self, service: Service) -> None:
        self._where = service.http.base_url
        self._stop = threading.Event()
        self.acknowledged: list[str] = []
        self.some = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Load":
        self._thread.start()
        assert self.some.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    def _work(self) -> None:
        with httpx.Client(base_url=self._where, timeout=60) as http, contextlib.suppress(httpx.TransportError):
            for number in range(10_000):
                if self._stop.is_set():
                    return
                sequence = walk(4 + number % 4, number % 3)
                path = f"/galleries/busy/subjects/s{number}/templates"
                if http.post(path, json={"sequence": sequence, "force": True}).status_code == 201:
                    self.acknowledged.append(f"s{number}")
                    self.some.set()
                http.post("/identify", json={"sequence": sequence, "gallery": "busy"})


def answers(service: Service) -> list[Any]:
    """All that is answered in the gallery `steady`, but for the number of the change."""
    asked = [*(walk(person, 3) for person in PEOPLE), stranger()]
    found = [service.identify(each, "steady").json() for each in asked]
    assert all(answer["outcome"] != "abstain" for answer in found)
    return [{name: value for name, value in answer.items() if name not in ("seq", "reasons")} for answer in found]


def subjects(service: Service, gallery: str) -> set[str]:
    found = service.http.get(f"/galleries/{gallery}/subjects", params={"limit": 1000}).json()
    return {each["subject"] for each in found["subjects"]}


def test_a_backup_under_load_is_restored_with_equal_answers_and_the_erased_stay_erased(
    store: dict[str, str], tmp_path: Path, command: Path
) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    with serving(data, **store) as service:
        for gallery in ("steady", "busy"):
            assert service.http.post("/galleries", json={"name": gallery}).status_code == 201
        for person in PEOPLE:
            assert service.enroll(f"p{person}", walk(person), "steady").status_code == 201
        assert service.enroll("gone", walk(8), "steady").status_code == 201
        assert service.enroll("before", walk(9), "steady").status_code == 201
        assert service.http.delete("/galleries/steady/subjects/before").status_code == 200
        with Load(service) as load:
            acknowledged = set(load.acknowledged)
            done = run("backup.sh", backups, data, command, **store)
            assert done.returncode == 0, done.stderr
        backup = Path(done.stdout.strip())
        assert service.http.delete("/galleries/steady/subjects/gone").status_code == 200
        expected = answers(service)
        assert service.enroll("late", walk(10), "steady").status_code == 201
    assert {each.name for each in backup.iterdir()} >= {"erasures.jsonl", "head", "SHA256SUMS"}
    assert all(each.stat().st_mode & 0o077 == 0 for each in backup.iterdir())
    assert run("restore.sh", backup, data, command, **store).returncode == 0
    with serving(data, **store) as service:
        assert subjects(service, "steady") == {"p1", "p2", "p3"}, "who came later is lost, who was erased is erased"
        assert answers(service) == expected
        assert acknowledged <= subjects(service, "busy")
        assert "gone" not in json.dumps(service.identify(walk(8, 3), "steady").json())
        assert service.enroll("new", walk(11), "steady").status_code == 201


def filled(data: Path, store: dict[str, str]) -> Contents:
    """A store with some people in it, without a service; gives what is in it."""
    rows = np.eye(8, dtype=np.float32)
    with contextlib.closing(opened(data, store)) as made:
        made.create_gallery("steady", "a" * 64, 8)
        made.enroll("steady", "a" * 64, [NewTemplate(f"p{number}", row) for number, row in enumerate(rows)])
        made.erase_subject("steady", "p7")
        return contents(made)


def opened(data: Path, store: dict[str, str]) -> Store:
    return open_store(data, database=store.get("GAITKEEPER_DATABASE"))


def test_a_damaged_backup_and_a_store_in_use_are_refused_and_where_the_machine_was_lost_it_is_restored(
    store: dict[str, str], tmp_path: Path, command: Path
) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    before = filled(data, store)
    done = run("backup.sh", backups, data, command, **store)
    assert done.returncode == 0, done.stderr
    backup = Path(done.stdout.strip())

    with contextlib.closing(opened(data, store)) as used, used.read() as connection:
        held = heads(connection)
        refused = run("restore.sh", backup, data, command, **store)
        assert refused.returncode == 2, refused.stdout
    damaged = Path(shutil.copytree(backup, tmp_path / "damaged"))
    file = damaged / ("store.dump" if store else "store.db")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    refused = run("restore.sh", damaged, data, command, **store)
    assert (refused.returncode, "is damaged; nothing was changed" in refused.stderr) == (2, True)
    with contextlib.closing(opened(data, store)) as again:
        assert again.heads() == held

    key = (data / "master.key").read_bytes()
    shutil.rmtree(data)
    data.mkdir(mode=0o700)
    (data / "master.key").touch(0o600)
    (data / "master.key").write_bytes(key)
    if store:
        with psycopg.connect(store["GAITKEEPER_DATABASE"], autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    restored = run("restore.sh", backup, data, command, **store)
    assert restored.returncode == 0, restored.stderr
    assert "the backup's own was taken" in restored.stderr
    with contextlib.closing(opened(data, store)) as again:
        after = contents(again)
    assert after.store == before.store
    assert [(each.name, each.templates, each.content) for each in after.galleries] == [
        (each.name, each.templates, each.content) for each in before.galleries
    ]


def test_a_backup_of_another_store_is_refused(server: Server, tmp_path: Path, command: Path) -> None:
    stores = [{"GAITKEEPER_DATABASE": server.create(f"other_{uuid4().hex}")} for _ in range(2)]
    before = [filled(tmp_path / f"data-{number}", store) for number, store in enumerate(stores)]
    done = run("backup.sh", tmp_path / "backups", tmp_path / "data-0", command, **stores[0])
    refused = run("restore.sh", Path(done.stdout.strip()), tmp_path / "data-1", command, **stores[1])
    assert (refused.returncode, "the database is as it was" in refused.stderr) == (2, True)
    with contextlib.closing(opened(tmp_path / "data-1", stores[1])) as again:
        assert contents(again).galleries == before[1].galleries
    for store in stores:
        server.drop(store["GAITKEEPER_DATABASE"].rpartition("/")[2])


def test_the_newest_backups_are_kept(tmp_path: Path, command: Path) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups"
    for day in (1, 2, 3):
        (backups / f"gaitkeeper-2026010{day}T000000Z").mkdir(parents=True)
    (backups / "mine").mkdir()
    filled(data, {})
    done = run("backup.sh", backups, data, command, KEEP="2")
    assert done.returncode == 0, done.stderr
    kept = sorted(each.name for each in backups.iterdir())
    assert kept == sorted(["gaitkeeper-20260103T000000Z", Path(done.stdout.strip()).name, "mine"])
    assert run("backup.sh", backups, tmp_path / "nowhere", command).returncode == 2
