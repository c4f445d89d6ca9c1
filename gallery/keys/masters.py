"""Master keys: what wraps the keys of galleries, and is never in the database.

From a file (the default), from the environment, or behind a command that asks a key service. Several may be held at
once, each with an id: new keys are wrapped by the current one, older ones still unwrap, so that a master key can be
exchanged while others work.
"""

import os
from pathlib import Path
from typing import Protocol

from gallery.keys.command import CommandMasters
from gallery.keys.file import FileMasters
from gallery.keys.ring import Ring
from model.errors import KeyUnavailable

__all__ = ["CommandMasters", "EnvironmentMasters", "FileMasters", "Masters", "open_masters"]

FILE = "master.key"


class Masters(Protocol):
    """Wraps keys. Everything raises `KeyUnavailable` where it cannot, and no error holds anything of a key."""

    @property
    def current(self) -> str:
        """Id of the key that wraps from now on."""
        ...

    def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
        """The id of the current key, and `plain` wrapped by it and bound to `bound`."""
        ...

    def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        """What the key called `name` wrapped, bound to `bound`."""
        ...


class EnvironmentMasters:
    """Master keys from a text, `id:base64,id:base64`: 32 bytes each, the last is the current one."""

    def __init__(self, text: str, source: str = "the environment") -> None:
        parts = (entry.strip().partition(":") for entry in text.split(",") if entry.strip())
        self._ring = Ring(((name, key) for name, _, key in parts), source)

    @property
    def current(self) -> str:
        return self._ring.current

    def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
        return self._ring.wrap(plain, bound)

    def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        return self._ring.unwrap(name, wrapped, bound)


def open_masters(spec: str | None, data: Path) -> Masters:
    """The master keys that `spec` names: `file:PATH`, `env:NAME` or `command:COMMAND`; None: `master.key` in `data`.

    A key file that is missing is made when something is first wrapped. Raises `KeyUnavailable`.
    """
    if spec is None:
        return FileMasters(data / FILE)
    kind, _, rest = spec.partition(":")
    if kind == "file" and rest:
        return FileMasters(Path(rest))
    if kind == "env" and rest:
        if not os.environ.get(rest):
            raise KeyUnavailable(spec, "the environment has no such variable, or it is empty")
        return EnvironmentMasters(os.environ[rest], f"the environment's {rest}")
    if kind == "command" and rest:
        return CommandMasters(rest)
    raise KeyUnavailable("setting", "must be file:PATH, env:NAME or command:COMMAND")
