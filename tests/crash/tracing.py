"""What the kernel was asked between the beginning of an operation and its acknowledgement, by strace."""

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Enrolls and erases one subject after another, and writes to file descriptor 1 when each begins and is acknowledged.
WORK = """
import os, sys
from pathlib import Path
from gallery.template import NewTemplate
from tests.crash.life import open_again
from tests.crash.reference import DIM, FIRST, GALLERY, embedding_of

store = open_again(Path(sys.argv[1]), sys.argv[2] or None)
store.create_gallery(GALLERY, FIRST, DIM)
for number in range(5):
    os.write(1, b"BEGIN enroll")
    store.enroll(GALLERY, FIRST, [NewTemplate(f"s{number}", embedding_of(number))])
    os.write(1, b"DONE enroll")
for number in range(5):
    os.write(1, b"BEGIN erase")
    store.erase_subject(GALLERY, f"s{number}")
    os.write(1, b"DONE erase")
"""


@dataclass(frozen=True, slots=True)
class Traced:
    """One operation. synced: files that were flushed to the disk before it was acknowledged, and not written since."""

    kind: str
    synced: tuple[str, ...]


def trace_operations(data: Path, database: str | None, output: Path) -> list[str]:
    """The calls that `WORK` on this store makes, as strace writes them."""
    command = [*_strace(output), sys.executable, "-P", "-c", WORK, str(data), database or ""]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, env=environment, timeout=120)
    return output.read_text().splitlines()


@contextmanager
def traced(process: int, output: Path) -> Iterator[None]:
    """A process that is running, and all that it starts, traced meanwhile."""
    tracer = subprocess.Popen([*_strace(output), "-p", str(process)], stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    while "attached" not in (line := tracer.stderr.readline()):
        if not line:
            raise RuntimeError("strace cannot attach to the server")
    try:
        yield
        time.sleep(0.1)  # what the kernel has told the tracer comes to the file
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        tracer.stderr.close()


def _strace(output: Path) -> list[str]:
    found = shutil.which("strace")
    if found is None:
        raise FileNotFoundError("strace is needed to see what is flushed to the disk (Debian's package strace)")
    return [found, "-f", "-y", "-ttt", "-s", "16", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", str(output)]


_CALL = re.compile(
    r"(?:\d+ +)?(?:[\d.]+ )?(?P<call>\w+)\(\d+<(?P<file>[^>]*)>(?:\(deleted\))?"
    r"(?:, \"(?P<text>[^\"]*)\")?.* = (?P<result>\S+)"
)


def in_order(*traces: Sequence[str]) -> list[str]:
    """Several traces as one, by time."""
    return sorted((line for trace in traces for line in trace), key=lambda line: line.split()[1])


def operations_of(lines: Sequence[str]) -> list[Traced]:
    """Operations in a trace, with what was flushed after having been written within each."""
    found, kind, written, synced = [], "", set[str](), list[str]()
    for line in lines:
        match = _CALL.match(line)
        if match is None or match["result"].startswith("-"):
            continue
        text = match["text"] or ""
        if match["call"] == "write" and text.startswith("BEGIN"):
            kind, written, synced = text.split()[1], set(), []
        elif match["call"] == "write" and text.startswith("DONE"):
            # A file that was written again after its flush is not safe.
            found.append(Traced(kind, tuple(name for name in synced if name not in written)))
        elif "write" in match["call"]:
            written.add(match["file"])
        else:
            synced.append(match["file"])
            written.discard(match["file"])
    return found
