"""The commands audit, store, and those of erasures, as they are typed."""

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gallery.store import open_store
from gallery.store.engine import DATABASE
from gallery.template import Consent, NewTemplate, now
from tests.gallery.command_line import Run

BUNDLE = "b" * 64


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of `run`, with ann, bob and cid in the gallery `staff`."""
    store = open_store(tmp_path / "data")
    store.create_gallery("staff", BUNDLE, 8)
    rows = np.eye(8, dtype=np.float32)
    for name in ("ann", "bob", "cid"):
        store.enroll("staff", BUNDLE, [NewTemplate(name, rows[place]) for place in range(2)])
    store.close()
    return tmp_path / "data"


@pytest.fixture
def told(run: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """`told("audit", "head")`: status and output of a command; what it printed as JSON if it was asked for."""

    def call(*arguments: object) -> tuple[int, Any]:
        capsys.readouterr()
        status = run(*arguments)
        printed = capsys.readouterr()
        return status, json.loads(printed.out) if "--json" in arguments else printed.out + printed.err

    return call


def test_the_log_is_listed_by_action_gallery_and_subject(data: Path, told: Callable[..., Any]) -> None:
    status, found = told("audit", "list", "--action", "enroll", "--gallery", "staff", "--subject", "bob", "--json")
    assert status == 0
    assert [(each["action"], each["subject"], each["detail"]["templates"]) for each in found] == [("enroll", 2, 2)]
    assert "T" in found[0]["at"]
    status, text = told("audit", "list", "--limit", 2)
    assert "the next page: --after 2" in text
    _, found = told("audit", "list", "--after", 2, "--json")
    assert [each["seq"] for each in found] == [3, 4]
    assert told("audit", "list", "--subject", "bob")[0] == 2
    assert told("audit", "list", "--gallery", "staff", "--subject", "nobody")[0] == 2


def test_a_log_that_is_whole_is_sound_and_one_that_was_cut_off_is_not(data: Path, told: Callable[..., Any]) -> None:
    head = told("audit", "head")[1].strip()
    assert told("audit", "verify", "--head", head) == (0, f"sound: 4 entries, the last is {head}\n")
    change(data, "DELETE FROM audit WHERE seq = 4")
    assert told("audit", "verify")[0] == 0
    status, found = told("audit", "verify", "--head", head, "--json")
    assert (status, found["sound"], found["broken"]) == (1, False, 4)
    change(data, "UPDATE audit SET actor = 'nobody' WHERE seq = 2")
    status, text = told("audit", "verify")
    assert status == 1
    assert "broken at entry 2" in text
    assert told("audit", "verify", "--head", "4711")[0] == 2


def change(data: Path, statement: str) -> None:
    with sqlite3.connect(data / DATABASE) as connection:
        connection.execute(statement)
    connection.close()


def test_an_erasure_is_final_at_once_and_its_receipt_can_be_verified(
    data: Path, told: Callable[..., Any], tmp_path: Path
) -> None:
    receipt = tmp_path / "ann.json"
    status, text = told("subjects", "erase", "ann", "-g", "staff", "--yes", "--receipt", receipt, "--name-in-receipt")
    assert status == 0
    assert "destroyed" in text
    document = json.loads(receipt.read_text())
    assert (document["state"], document["subject_id"]) == ("destroyed", "ann")
    assert told("gallery", "verify-erasure", receipt)[0] == 0
    _, listed = told("gallery", "erasures", "--json")
    assert [(each["id"], each["state"]) for each in listed] == [(document["erasure"], "destroyed")]
    assert document["erasure"] in told("gallery", "erasures")[1]
    fetched = json.loads(told("gallery", "receipt", document["erasure"])[1])
    assert fetched["audit"] == document["audit"]
    assert told("gallery", "receipt", document["erasure"], "--out", receipt)[0] == 2
    assert told("gallery", "receipt", "nothing")[0] == 2
    receipt.write_text(json.dumps({**document, "subject": 2}))
    status, found = told("gallery", "verify-erasure", receipt, "--json")
    assert (status, found["sound"]) == (1, False)
    assert any("signature" in line for line in found["wrong"])


def test_a_receipt_overwrites_nothing_and_then_nobody_is_erased(
    data: Path, told: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("mine")
    status, text = told("subjects", "erase", "ann", "-g", "staff", "--yes", "--receipt", tmp_path / "there")
    assert status == 2
    assert "not overwritten" in text
    assert (tmp_path / "there").read_text() == "mine"
    assert told("subjects", "show", "ann", "-g", "staff")[0] == 0


def test_purge_erases_whose_consent_has_expired(data: Path, told: Callable[..., Any]) -> None:
    store = open_store(data)
    store.update_subject("staff", "bob", consent=Consent(expires=now()))
    store.close()
    status, found = told("gallery", "purge", "--json")
    assert (status, found["purged"], found["pending"]) == (0, 1, 0)
    assert "purged 0 subjects" in told("gallery", "purge")[1]


def test_a_backup_is_restored_and_who_was_erased_since_is_erased_again(
    data: Path, told: Callable[..., Any], tmp_path: Path
) -> None:
    kept = tmp_path / "kept.db"
    assert told("store", "backup", kept, "--json")[1] == {"backup": str(kept), "bytes": kept.stat().st_size}
    assert told("store", "backup", kept)[0] == 2
    receipt = tmp_path / "ann.json"
    told("subjects", "erase", "ann", "-g", "staff", "--yes", "--receipt", receipt)
    told("subjects", "erase", "bob", "-g", "staff", "--yes", "--template", 4)
    status, found = told("store", "restore", kept, "--yes", "--json")
    assert (status, found["again"]) == (0, 2)
    assert found["kept"] > 0
    _, subjects = told("subjects", "list", "-g", "staff", "--json")
    assert [(each["id"], each["templates"]) for each in subjects] == [("bob", 1), ("cid", 2)]
    assert told("gallery", "verify-erasure", receipt)[0] == 0
    assert told("store", "check")[0] == 0


def test_restoring_asks_first_and_refuses_what_is_no_backup(
    data: Path, told: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    (tmp_path / "text").write_text("hello")
    assert told("store", "restore", tmp_path / "text", "--yes")[0] == 2
    assert told("store", "restore", tmp_path / "nothing", "--yes")[0] == 2
    assert told("store", "restore", tmp_path / "text")[0] == 1


def test_the_store_is_shown_and_checked(data: Path, told: Callable[..., Any]) -> None:
    status, found = told("store", "show", "--json")
    assert (status, found["subjects"], found["templates"], found["kind"]) == (0, 3, 6, "sqlite")
    assert "1 galleries, 3 subjects, 6 templates" in told("store", "show")[1]
    status, text = told("store", "check")
    assert status == 0
    assert text.endswith("sound\n")
    change(data, "DELETE FROM templates WHERE id = 1")
    status, found = told("store", "check", "--json")
    assert (status, found["sound"]) == (1, False)
    assert told("store", "check")[0] == 1
