"""The commands api-keys, as they are typed."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gallery.api_keys import hash_of, id_of
from gallery.store import Store, open_store
from gallery.store.api_keys import kept_keys
from tests.gallery.command_line import Run


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of `run`, with a store in it."""
    open_store(tmp_path / "data").close()
    return tmp_path / "data"


@pytest.fixture
def told(data: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`told("list")`: status, stdout and stderr of a command of `api-keys`."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run("api-keys", *arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


Told = Callable[..., tuple[int, str, str]]


def opened(data: Path) -> Store:
    return open_store(data)


def test_a_key_is_printed_once_alone_on_stdout(told: Told, data: Path) -> None:
    status, out, err = told("create", "--scope", "identify", "--scope", "enroll", "--gallery", "gate", "--rate", 60)
    assert status == 0
    key = out.strip()
    assert key not in err
    store = opened(data)
    kept = kept_keys(store)[1][0]
    store.close()
    assert (kept.key.id, kept.hash) == (id_of(key), hash_of(key))
    assert (kept.key.name, kept.key.galleries, kept.key.rate) == ("enroll, identify", {"gate"}, 60)
    for command in (["list"], ["list", "--json"], ["show", kept.key.id], ["show", kept.key.id, "--json"]):
        status, out, err = told(*command)
        assert (status, err) == (0, "")
        assert kept.key.id in out
        assert key.split("_", 2)[2] not in out


def test_rotating_prints_the_new_key_and_revoking_ends_both(told: Told, data: Path) -> None:
    made = told("create", "--scopes", "admin", "--name", "boss", "--expires", "90d", "--json")[1]
    first: dict[str, Any] = json.loads(made)
    rotated = json.loads(told("rotate", first["id"], "--grace", 60, "--json")[1])
    assert rotated["key"] != first["key"]
    assert id_of(rotated["key"]) == first["id"]
    assert rotated["former_until"] is not None
    assert told("revoke", first["id"], "--yes")[0] == 0
    store = opened(data)
    assert kept_keys(store)[1] == []
    store.close()
    listed = json.loads(told("list", "--json")[1])
    assert listed[0]["revoked"] is not None


@pytest.mark.parametrize(
    "wrong",
    [
        ["create", "--scope", "identify", "--gallery", "a/b"],
        ["create", "--scope", "identify", "--expires", "2001-01-01"],
        ["create", "--scope", "identify", "--name", ""],
        ["show", "abcdefgh2345"],
        ["rotate", "nonsense"],
        ["revoke", "nonsense", "--yes"],
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(told: Told, wrong: list[str]) -> None:
    status, out, err = told(*wrong)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_without_a_yes_nothing_is_revoked(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    made = json.loads(told("create", "--scope", "audit", "--json")[1])
    assert told("revoke", made["id"])[0] == 1
    assert json.loads(told("show", made["id"], "--json")[1])["revoked"] is None
