"""A private PostgreSQL server for the tests: started by them, on a free port of this host, and shut down by them.

It forgets durability (`fsync=off`): what is tested over it is the code, not the disk. Where PostgreSQL is not
installed the tests fail: Debian's package is `postgresql`.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import psycopg
from psycopg import sql

USER, PASSWORD = "keeper", "a very secret password"
START_S = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True)
class Server:
    """A server that is running. Databases in it are made and dropped by name."""

    port: int

    def url(self, database: str = "postgres", user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password.replace(' ', '%20')}@127.0.0.1:{self.port}/{database}"

    def do(self, statement: str, *names: str, database: str = "postgres") -> None:
        """Run a statement that stands outside transactions; each `{}` in it is a name."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database; returns its URL."""
        self.do("CREATE DATABASE {} TEMPLATE {}", database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        self.do("DROP DATABASE IF EXISTS {} WITH (FORCE)", database)


class PrivateServer:
    """A server with its own directory, which goes with it."""

    def __init__(self, **settings: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="gaitkeeper-postgres-"))
        self._as = _unprivileged()
        if self._as:
            os.chown(self.directory, self._as["user"], self._as["group"])
        self._data, self._log = self.directory / "data", self.directory / "log"
        self._settings = {**_SETTINGS, **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._initialise()
        self.server = Server(_free_port())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self) -> None:
        """Start, or start again on the same port, and wait until it answers."""
        options = [f"--{name}={value}" for name, value in {**self._settings, "port": str(self.server.port)}.items()]
        command = [str(_programs() / "postgres"), "-D", str(self._data), *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.directory, preexec_fn=_die_with_us, **self._as
            )
        end = time.monotonic() + START_S
        while not _answers(self.server):
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"PostgreSQL does not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: end all sessions and shut down. SIGKILL: as if the machine were gone."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_S)
            self._process = None

    @property
    def process(self) -> int:
        """Number of the server's first process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        asked = ["--pwfile", str(password), "--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync"]
        command = [str(_programs() / "initdb"), "-D", str(self._data), "-U", USER, *asked]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.directory, check=False, **self._as)
        if done.returncode:
            raise RuntimeError(f"PostgreSQL makes no database cluster:\n{done.stderr}")


@contextlib.contextmanager
def shared_server(run: str) -> Iterator[Server]:
    """One server for all processes of the test run called `run`: the first starts it and waits for the others."""
    place = Path(tempfile.gettempdir()) / f"gaitkeeper-postgres-{os.getuid()}-{run}.json"
    with place.open("a+") as file:
        with _locked(file) as state:
            own = None if state.get("users") else PrivateServer()
            if own is not None:
                own.start()
                state["port"] = own.server.port
            state["users"] = state.get("users", 0) + 1
            server = Server(state["port"])
        try:
            yield server
        finally:
            _leave(file, own)
            if own is not None:
                place.unlink(missing_ok=True)


def _leave(file: IO[str], own: PrivateServer | None) -> None:
    with _locked(file) as state:
        state["users"] -= 1
    while own is not None:
        with _locked(file) as state:
            if state["users"] == 0:
                own.__exit__()
                return
        time.sleep(0.1)


@contextlib.contextmanager
def _locked(file: IO[str]) -> Iterator[dict[str, Any]]:
    """What the processes of a run share; one at a time reads and changes it."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        file.seek(0)
        state = json.loads(file.read() or "{}")
        yield state
        file.seek(0)
        file.truncate()
        file.write(json.dumps(state))
        file.flush()
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _programs() -> Path:
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    if not installed:
        raise RuntimeError("these tests need PostgreSQL 15 or later: apt install postgresql")
    return installed[-1].parent


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as its own user."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG: a killed test run leaves no server behind


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(server: Server) -> bool:
    try:
        psycopg.connect(server.url(), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
