"""A library that identifies and enrolls, while every key of its gallery is exchanged beneath it."""

import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from gallery.library import Library
from gallery.store import rotation, transforming
from gallery.store.key_list import gallery_keys, master_keys
from gallery.store.rotation import destroy_old_masters, rotate_gallery, rotate_master
from gallery.store.transforming import rotate_transform
from gallery.template import NewTemplate
from model.errors import StoreUnavailable

BUNDLE, DIM, COUNT, ROUNDS = "b" * 64, 8, 30, 3


def worker(work, stop, errors):
    def run():
        try:
            while not stop.is_set():
                work()
        except BaseException as error:
            errors.append(error)

    return threading.Thread(target=run)


@contextmanager
def told_to_repeat():
    """Who asks in the very moment of a new transform is told to ask again, and is not answered wrongly."""
    try:
        yield
    except StoreUnavailable as error:
        if "another transform just now" not in error.reason:
            raise


def test_keys_are_exchanged_while_a_library_identifies_and_enrolls(store, open_again, vectors, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 7)
    monkeypatch.setattr(transforming, "BATCH", 7)
    library, other = Library(store), Library(open_again())
    library.create("staff", fingerprint=BUNDLE, dim=DIM, protected=True)
    rows, more = vectors(COUNT), iter(vectors(100_000, seed=1))
    library.enroll("staff", [NewTemplate(f"s{n}", row) for n, row in enumerate(rows)], fingerprint=BUNDLE)
    enrolled: list[tuple[str, object]] = []

    def identify():
        other.store.secrets.forget()
        with told_to_repeat():
            found = other.identify("staff", rows, fingerprint=BUNDLE, threshold=0.999, top_k=1)
            assert [one.candidates[0].score for one in found] == pytest.approx([1] * COUNT, abs=1e-5)
            assert [one.candidates[0].subject for one in found] == [f"s{n}" for n in range(COUNT)]

    def enroll():
        row = next(more)
        with told_to_repeat():
            library.enroll("staff", [NewTemplate(f"new{len(enrolled)}", row)], fingerprint=BUNDLE)
            enrolled.append((f"new{len(enrolled)}", row))

    stop = threading.Event()
    errors: list[BaseException] = []
    threads = [worker(identify, stop, errors), worker(enroll, stop, errors)]
    for each in threads:
        each.start()
    keys = open_again()
    try:
        for _ in range(ROUNDS):
            rotate_gallery(keys, "staff")
            rotate_master(keys)
            rotate_transform(keys, "staff")
            destroy_old_masters(keys)
    finally:
        stop.set()
        for each in threads:
            each.join()
    assert errors == []
    assert enrolled
    last = Library(open_again())
    for name, row in [*enrolled, *((f"s{n}", row) for n, row in enumerate(rows))]:
        found = last.identify("staff", row[None], fingerprint=BUNDLE, threshold=0.999)[0]
        assert found.subject == name or found.candidates[0].score > 0.9999
    assert last.store.check() == []
    assert len(keys.masters.names) == 1


PROGRAM = """
import itertools, sys
from pathlib import Path
from gallery.store import open_store, rotation, transforming

rotation.BATCH = rotation.MASTER_BATCH = 1
transforming.BATCH = 3
store = open_store(Path(sys.argv[1]), database=sys.argv[2] or None)
print("ready", flush=True)
for n in itertools.count():
    rotation.rotate_gallery(store, "staff")
    rotation.rotate_master(store)
    rotation.destroy_old_masters(store)
    if n % 2:
        transforming.rotate_transform(store, "staff")
"""


def test_who_exchanges_keys_may_be_killed_at_any_moment(store, open_again, database, vectors, tmp_path):
    library, rows = Library(store), vectors(COUNT)
    library.create("staff", fingerprint=BUNDLE, dim=DIM, protected=True)
    library.enroll("staff", [NewTemplate(f"s{n}", row) for n, row in enumerate(rows)], fingerprint=BUNDLE)
    chance = random.Random(4)
    for _ in range(2):
        line = [sys.executable, "-P", "-c", PROGRAM, str(tmp_path / "data"), database or ""]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
        again = Library(open_again())
        found = again.identify("staff", rows, fingerprint=BUNDLE, threshold=0.999)
        assert [one.subject for one in found] == [f"s{n}" for n in range(COUNT)]
        assert again.store.check() == []
    rotate_gallery(again.store, "staff")
    rotate_master(again.store)
    destroy_old_masters(again.store)
    (one,), (master,) = gallery_keys(again.store), master_keys(again.store)
    assert (one.subjects, one.old, master.wraps) == (COUNT, {}, 3)
