"""Several processes on one database, one of them killed at any moment."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.sequence import Floats

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

library, name = Library(open_store(sys.argv[1])), sys.argv[2]
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


def start(directory: Path, name: str, batches: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-P", "-c", WRITER, str(directory), name, str(batches)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_two_processes_write_and_a_third_sees_all_of_it(library: Library) -> None:
    directory = library.store.directory
    library.enroll("staff", [NewTemplate("ann", np.eye(8, dtype=np.float32)[0])], fingerprint=BUNDLE)
    writers = [start(directory, name, 12) for name in ("left", "right")]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        (decision,) = library.identify("staff", np.eye(8, dtype=np.float32)[:1], fingerprint=BUNDLE, top_k=50)
        seen.add(decision.searched)
    assert [writer.wait() for writer in writers] == [0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    (decision,) = library.identify("staff", np.eye(8, dtype=np.float32)[:1], fingerprint=BUNDLE, top_k=50)
    expected = {f"{name}-{batch}" for name in ("left", "right") for batch in range(12) if batch % 3} | {"ann"}
    assert {found.subject for found in decision.candidates} == expected
    assert len(seen) > 1
    assert library.store.check() == []


def test_a_killed_writer_leaves_every_acknowledged_enrollment_and_no_half_one(
    library: Library, vectors: Callable[..., Floats]
) -> None:
    directory, rng = library.store.directory, np.random.default_rng(8)
    for round_number in range(4):
        writer = start(directory, f"r{round_number}", 10_000)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(float(rng.uniform(0, 0.2)))
        writer.kill()
        said = [line.split() for line in [first, *writer.stdout.read().splitlines(keepends=True)] if line[-1] == "\n"]
        writer.wait()
        writer.stdout.close()
        reopened = open_store(directory)
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
        reopened.close()
    assert library.warm("staff") == library.gallery("staff").templates
