"""Killed while erasing, then an older database put back: what was acknowledged stays erased, and nobody else goes."""

import os
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from gallery.store import open_store
from gallery.store.audit import verify_chain
from gallery.store.engine import DATABASE
from gallery.template import NewTemplate

BUNDLE = "b" * 64
PEOPLE = [f"s{number:03}" for number in range(60)]
KILLS = 8


@pytest.fixture
def filled(tmp_path: Path, migrated: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated, data)
    store = open_store(data)
    store.create_gallery("staff", BUNDLE, 8)
    row = np.eye(8, dtype=np.float32)[0]
    store.enroll("staff", BUNDLE, [NewTemplate(name, row) for name in PEOPLE])
    store.close()
    return data


def erase_until_killed(data: Path, tell: int) -> None:
    """In a process of its own: says which erasure begins, and which was acknowledged."""
    store = open_store(data)
    for name in PEOPLE:
        os.write(tell, f"{name} begun\n".encode())
        store.erase_subject("staff", name)
        os.write(tell, f"{name} done\n".encode())
    os._exit(0)


def killed_after(data: Path, delay: float) -> tuple[set[str], set[str]]:
    """Who was erased, and who was being erased at the end, by what a process said before it was killed."""
    listen, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(listen)
        erase_until_killed(data, tell)
    os.close(tell)
    with os.fdopen(listen, "rb") as said:
        first = said.readline()
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = (first + said.read()).decode().splitlines()
    begun, done = ({line.split()[0] for line in lines if line.endswith(word)} for word in ("begun", "done"))
    return done, begun - done


def test_what_was_acknowledged_stays_erased_whenever_it_was_killed(filled: Path, tmp_path: Path) -> None:
    older = (filled / DATABASE).read_bytes()
    for number in range(KILLS):
        place = tmp_path / f"{number}"
        shutil.copytree(filled, place)
        done, open_ones = killed_after(place, 0.003 * number)
        for put_back in (False, True):
            if put_back:
                for path in place.glob(f"{DATABASE}*"):
                    path.unlink()
                (place / DATABASE).write_bytes(older)
            store = open_store(place)
            there = {each.id for each in store.subjects("staff")}
            assert there | done | open_ones == set(PEOPLE)
            assert not there & done
            assert all(line.done for line in store.journal.lines())
            assert len(list(store.journal.lines())) == len(PEOPLE) - len(there)
            assert store.check() == []
            assert verify_chain(store).broken is None
            store.close()
