"""Where the commands keep their data: the directory, and what the environment adds to it."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from gallery.keys.sealing import new_key
from gallery.opening import open_data
from gallery.store import Store
from model.errors import KeyUnavailable, StoreUnavailable
from tests.gallery.command_line import Run
from tests.postgres import PASSWORD

BUNDLE = "b" * 64


def test_a_directory_without_a_database_is_made_by_those_who_enroll_only(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="there is none in"):
        open_data(tmp_path / "data")
    assert not (tmp_path / "data").exists()
    open_data(tmp_path / "data", make=True).close()
    open_data(tmp_path / "data").close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_named_in_the_environment_is_used_by_the_commands(
    store: Store, database: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAITKEEPER_DATABASE", database)
    assert run("gallery", "create", "staff") == 0
    assert [each.name for each in store.galleries()] == ["staff"]
    capsys.readouterr()
    assert run("gallery", "list", "--json") == 0
    assert "staff" in json.dumps(json.loads(capsys.readouterr().out))
    assert not (store.directory / "gaitkeeper.db").exists()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_database_that_is_not_there_is_one_line_without_its_password(
    store: Store, database: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GAITKEEPER_DATABASE", f"{database}_gone")
    assert run("gallery", "list") == 2
    said = capsys.readouterr().err
    assert "no such database" in said
    assert len(said.strip().splitlines()) == 1
    assert PASSWORD not in said
    assert PASSWORD.replace(" ", "%20") not in said


def test_master_keys_named_in_the_environment_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAITKEEPER_KEYS", "env:THE_KEYS")
    monkeypatch.setenv("THE_KEYS", f"first:{b64encode(new_key()).decode()}")
    store = open_data(tmp_path, make=True)
    store.create_gallery("staff", BUNDLE, 8)
    store.close()
    assert not (tmp_path / "master.key").exists()
    monkeypatch.delenv("THE_KEYS")
    with pytest.raises(KeyUnavailable, match="THE_KEYS"):
        open_data(tmp_path)
    monkeypatch.setenv("GAITKEEPER_KEYS", "nonsense")
    with pytest.raises(KeyUnavailable, match="must be file:PATH"):
        open_data(tmp_path)
