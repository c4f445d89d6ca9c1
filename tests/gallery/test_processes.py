"""Several processes on one database, one of them killed at any moment."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gallery.follow import Follower
from gallery.library import Library
from gallery.store import Store
from gallery.template import NewTemplate

BUNDLE = "b" * 64
ROOT = Path(__file__).resolve().parents[2]
BATCH = 40

# Enrolls batch after batch, each one subject's, and says so when it is acknowledged; erases every third again.
WRITER = f"""
import sys
import numpy as np
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate

library, name = Library(open_store(sys.argv[1], database=sys.argv[4] or None)), sys.argv[2]
rows = np.eye(8, dtype=np.float32)
for batch in range(int(sys.argv[3])):
    subject = f"{{name}}-{{batch}}"
    print("enrolling", subject, flush=True)
    library.enroll("staff", [NewTemplate(subject, rows[i % 8]) for i in range({BATCH})], fingerprint={BUNDLE!r})
    print("enrolled", subject, flush=True)
    if batch % 3 == 0:
        print("erasing", subject, flush=True)
        library.erase_subject("staff", subject)
        print("erased", subject, flush=True)
"""


def start(directory: Path, database: str | None, name: str, batches: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-c", WRITER, str(directory), name, str(batches), database or ""]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_two_processes_write_and_a_third_sees_all_of_it(library: Library, database: str | None) -> None:
    directory, probe = library.store.directory, np.eye(8, dtype=np.float32)[:1]
    library.enroll("staff", [NewTemplate("ann", probe[0])], fingerprint=BUNDLE)
    writers = [start(directory, database, name, 12) for name in ("left", "right")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        (decision,) = library.identify("staff", probe, fingerprint=BUNDLE, top_k=50)
        seen.add(decision.searched)
    assert [writer.wait() for writer in writers] == [0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    (decision,) = library.identify("staff", probe, fingerprint=BUNDLE, top_k=50)
    expected = {f"{name}-{batch}" for name in ("left", "right") for batch in range(12) if batch % 3} | {"ann"}
    assert {found.subject for found in decision.candidates} == expected
    assert len(seen) > 1
    assert library.store.check() == []


def test_a_third_sees_it_without_a_search(library: Library, database: str | None) -> None:
    library.warm("staff")
    (cache,) = library.views.open.values()
    writer = start(library.store.directory, database, "other", 4)
    with Follower(library):
        assert writer.communicate()[0].split()[-2:] == ["erased", "other-3"]
        end = time.monotonic() + 10  # far longer than it should take
        while cache.view is None or cache.view.index.count != 2 * BATCH:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_killed_writer_leaves_every_acknowledged_enrollment_and_no_half_one(
    library: Library, database: str | None, open_again: Callable[[], Store]
) -> None:
    directory, rng = library.store.directory, np.random.default_rng(8)
    for round_number in range(2):
        writer = start(directory, database, f"r{round_number}", 10_000)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(float(rng.uniform(0, 0.2)))
        writer.kill()
        said = [line.split() for line in [first, *writer.stdout.read().splitlines(keepends=True)] if line[-1] == "\n"]
        writer.wait()
        writer.stdout.close()
        reopened = open_again()
        held = {found.id: found.templates for found in reopened.subjects("staff", after=f"r{round_number}", limit=9999)}
        for subject in {subject for _, subject in said}:
            states = [verb for verb, whom in said if whom == subject]
            allowed = {"enrolling": {0, BATCH}, "enrolled": {BATCH}, "erasing": {0, BATCH}, "erased": {0}}[states[-1]]
            assert held.pop(subject, 0) in allowed
        assert held == {}
        _, rows = reopened.everything("staff")
        _, update = reopened.update("staff", 0)
        assert set(update.added.ids.tolist()) == set(rows.ids.tolist())
        assert reopened.check() == []
    assert library.warm("staff") == library.gallery("staff").templates
