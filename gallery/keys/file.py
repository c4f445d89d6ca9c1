"""Master keys from a file of lines `id base64`, which only its owner may read; the last line is the current key."""

import contextlib
import fcntl
import os
import secrets
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from gallery.keys.ring import Ring
from gallery.keys.sealing import new_key
from model.errors import KeyUnavailable

_HEAD = "# Master keys of gaitkeeper: without them the galleries cannot be read. Keep a copy apart from the data.\n"
_LIMIT = 1 << 20


class FileMasters:
    """The file is read again where it changed, so that a key added by one process is known to all.

    make: make it, with one new key, when something is first wrapped and it is missing. Two processes that do so at
    once agree on one. A missing file that is only to unwrap is not made: it would hide that the old one was lost.
    """

    def __init__(self, path: Path, make: bool = True) -> None:
        """Raises `KeyUnavailable` where the file is there and malformed, or others may read it."""
        self.path, self._make = path, make
        self._read: tuple[tuple[int, ...], Ring] | None = None
        if path.exists():
            self._ring()

    @property
    def current(self) -> str:
        return self._ring(make=self._make).current

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of all keys in the file, oldest first."""
        return self._ring().names

    def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
        return self._ring(make=self._make).wrap(plain, bound)

    def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        return self._ring().unwrap(name, wrapped, bound)

    def add(self) -> str:
        """Make a new key, which is the current one from then on; returns its id. Older ones stay."""
        with _errors(self.path), _locked(self.path):
            name, key = _new()
            _write(self.path, [*self._ring().lines(), (name, key)])
        return name

    def remove(self, name: str) -> None:
        """Destroy a key that wraps nothing any more. Raises `KeyUnavailable` for the current one."""
        with _errors(self.path), _locked(self.path):
            ring = self._ring()
            if name == ring.current:
                raise KeyUnavailable(name, "is the current master key and cannot be destroyed")
            _write(self.path, [line for line in ring.lines() if line[0] != name])

    def _ring(self, *, make: bool = False) -> Ring:
        with _errors(self.path):
            if make and not self.path.exists():
                with _locked(self.path):
                    if not self.path.exists():
                        _write(self.path, [_new()])
            stamp = _stamp(self.path.stat())
            if self._read is None or self._read[0] != stamp:
                self._read = _load(self.path)
            return self._read[1]


def _load(path: Path) -> tuple[tuple[int, ...], Ring]:
    with path.open("rb") as file:
        state = os.fstat(file.fileno())
        _check_owner(path, state)
        content = file.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise KeyUnavailable(str(path), "is no key file: it is too large")
    lines = (line.split() for line in content.decode("ascii", "replace").splitlines())
    entries = [(line[0], " ".join(line[1:])) for line in lines if line and not line[0].startswith("#")]
    return _stamp(state), Ring(entries, str(path))


def _check_owner(path: Path, state: os.stat_result) -> None:
    """As ssh and PostgreSQL have it: this user's and nobody else's to read, or root's and at most our group's."""
    if not stat.S_ISREG(state.st_mode):
        raise KeyUnavailable(str(path), "is not a file")
    if state.st_uid not in (0, os.geteuid()):
        raise KeyUnavailable(str(path), "belongs to another user; it must be this user's, or root's")
    refused = 0o077 if state.st_uid == os.geteuid() else 0o037
    if stat.S_IMODE(state.st_mode) & refused:
        raise KeyUnavailable(str(path), f"others may read it; chmod {0o600 if refused == 0o077 else 0o640:o} it")


def _stamp(state: os.stat_result) -> tuple[int, ...]:
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_mode, state.st_uid


def _new() -> tuple[str, str]:
    return f"m-{secrets.token_hex(6)}", b64encode(new_key()).decode()


def _write(path: Path, lines: list[tuple[str, str]]) -> None:
    """Replace the file, whole and on the disk, or leave it as it was."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(_HEAD + "".join(f"{name} {key}\n" for name, key in lines))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    with _directory(path) as directory:
        os.fsync(directory)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time changes key files of this directory; a killed one holds nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _directory(path) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[int]:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield directory
    finally:
        os.close(directory)


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise KeyUnavailable(str(path), "is missing; put the file with the master keys back") from None
    except OSError as error:
        raise KeyUnavailable(str(path), (error.strerror or "cannot be read").lower()) from None
