"""What an operator must be able to rely on, typed from enrolling to restoring a backup, with the encoder that ships."""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from tests.e2e.command import WALKERS, one_line, walk_file
from tests.e2e.command import call as process
from tests.e2e.conftest import Typed

Asked: TypeAlias = Callable[..., Any]
PEOPLE = 12


def name(number: int) -> str:
    return f"walker-{number:02}"


@pytest.fixture
def people(tmp_path: Path, typed: Typed, enrolled: Path) -> Path:
    """The data directory of twelve people with three walks each, enrolled by a manifest into `staff`."""
    shutil.copytree(enrolled, tmp_path / "gaitkeeper-data")
    return tmp_path / "gaitkeeper-data"


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("enrolled")
    listed = json.loads((WALKERS / "samples.json").read_bytes())["samples"]
    lines = [f"{WALKERS / each['file']},{each['subject']},{each['labels']['view']}" for each in listed[: 3 * PEOPLE]]
    (place / "people.csv").write_text("\n".join(["file,subject,session", *lines]))
    done = process("enroll", "--manifest", "people.csv", "--gallery", "staff", cwd=place)
    assert done.stdout == "36 enrolled, 0 there already, 0 refused\n", done.stderr
    assert "duplicates are not looked for" in done.stderr
    return place / "gaitkeeper-data"


@pytest.fixture
def asked(typed: Typed) -> Asked:
    """What a command printed as JSON."""

    def ask(*line: object) -> Any:
        code, out, err = typed(*line, "--json")
        assert code == 0, err
        return json.loads(out)

    return ask


def decision(asked: Asked, number: int, *more: object) -> dict[str, Any]:
    """Of the probe of this person: a walk that was not enrolled."""
    found: dict[str, Any] = asked("identify", walk_file(number, 3), "--gallery", "staff", *more)["decision"]
    return found


def in_the_database(data: Path, statement: str) -> None:
    connection = sqlite3.connect(data / "gaitkeeper.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_rate_that_so_few_people_cannot_show_is_refused_and_one_that_they_can_is_held(
    people: Path, typed: Typed, asked: Asked
) -> None:
    code, out, err = typed("calibrate", "--gallery", "staff")
    assert (code, out) == (2, "")
    assert re.search(r"for 0\.05, about \d+ more people are needed", err)
    assert decision(asked, 1)["basis"] == "prior"
    code, out, err = typed("calibrate", "--gallery", "staff", "--target-fpir", 0.5, "--plot", "staff.png")
    assert code == 0, err
    assert "rule of 3" in out
    assert Path("staff.png").read_bytes().startswith(b"\x89PNG")
    found = decision(asked, 1)
    assert (found["outcome"], found["subject"], found["basis"], found["fpir"]) == ("match", name(1), "gallery", 0.5)
    assert decision(asked, 1, "--db", 3.2)["fpir"] == pytest.approx(10**-0.32)
    code, _, err = typed("identify", walk_file(1, 3), "--gallery", "staff", "--fpir", 0.001)
    assert (code, "further people" in err) == (2, True)
    # From now on, who is enrolled already is not enrolled again under another name.
    code, out, err = typed("enroll", walk_file(1, 3), "--subject", "somebody", "--gallery", "staff")
    assert (code, out) == (2, "")
    assert f"looks like '{name(1)}'" in err
    assert typed("enroll", walk_file(1, 3), "--subject", "somebody", "--gallery", "staff", "--force")[0] == 0


def test_who_was_erased_stays_so_when_an_older_backup_is_restored(people: Path, typed: Typed, asked: Asked) -> None:
    assert typed("store", "backup", "monday.db")[0] == 0
    assert decision(asked, 2)["subject"] == name(2)
    line = ("subjects", "erase", name(2), "--gallery", "staff", "--yes", "--receipt", "receipt.json")
    assert "destroyed" in typed(*line)[1]
    head = typed("audit", "head")[1].strip()
    assert typed("gallery", "verify-erasure", "receipt.json")[0] == 0
    code, out, _ = typed("store", "restore", "monday.db", "--yes")
    assert (code, out.startswith("restored; erasures done again: 1,")) == (0, True)
    assert name(2) not in json.dumps(decision(asked, 2, "--top-k", 50))
    assert typed("subjects", "show", name(2), "--gallery", "staff")[0] == 2
    assert typed("gallery", "verify-erasure", "receipt.json")[0] == 0
    # Put back by hand, behind our back: the journal does it again before anything is answered.
    shutil.copy("monday.db", people / "gaitkeeper.db")
    answer = process("identify", walk_file(2, 3), "--gallery", "staff", "--top-k", 50, "--json", cwd=people.parent)
    assert (answer.returncode, "1 erasures were done again" in answer.stderr) == (0, True)
    assert name(2) not in json.dumps(json.loads(answer.stdout)["decision"])
    # Entries of the log went with the database that was overwritten: who noted its end down sees it.
    assert typed("audit", "verify")[0] == 0
    assert typed("audit", "verify", "--head", head)[0] == 1


def test_a_receipt_that_was_changed_or_is_of_another_store_is_not_sound(
    people: Path, typed: Typed, asked: Asked, tmp_path: Path
) -> None:
    erase = ("subjects", "erase", name(3), "--gallery", "staff", "--yes", "--receipt")
    code, _, err = typed(*erase, "no-such-directory/receipt.json")
    assert (code, "no directory" in err) == (2, True)
    assert decision(asked, 3)["subject"] == name(3)
    assert typed(*erase, "receipt.json")[0] == 0
    receipt = json.loads(Path("receipt.json").read_text())
    changed = {**receipt, "at": "2020-01-01T00:00:00+00:00"}
    Path("changed.json").write_text(json.dumps(changed))
    code, _, err = typed("gallery", "verify-erasure", "changed.json")
    assert (code, "the document was changed" in err) == (1, True)
    other = tmp_path / "other"
    assert typed("gallery", "create", "staff", "--data", other)[0] == 0
    code, _, err = typed("gallery", "verify-erasure", "receipt.json", "--data", other)
    assert (code, err.count("\n")) == (1, 2)
    assert "store: the receipt is of store" in err
    # What the service answered with is read as it was saved.
    Path("answer.json").write_text(json.dumps({"state": "withheld", "receipt": receipt}))
    assert typed("gallery", "verify-erasure", "answer.json")[0] == 0


def test_what_is_changed_in_the_database_by_hand_is_found(people: Path, typed: Typed) -> None:
    assert typed("audit", "verify")[0] == typed("store", "check")[0] == 0
    in_the_database(people, "UPDATE templates SET embedding = zeroblob(length(embedding)) WHERE id = 5")
    code, out, err = typed("store", "check")
    assert (code, out.endswith("not sound\n")) == (1, True)
    assert "template 5 is damaged" in err
    assert typed("identify", walk_file(1, 3), "--gallery", "staff")[0] == 2
    in_the_database(people, "UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    code, out, err = typed("audit", "verify")
    assert (code, "broken at entry 1" in out + err) == (1, True)
    shutil.move(people / "master.key", "elsewhere.key")
    one_line(process("identify", walk_file(1, 3), "--gallery", "staff", cwd=people.parent))
    assert not (people / "master.key").exists()


def test_consent_ends_by_itself_and_a_hold_keeps_from_erasing(people: Path, typed: Typed, asked: Asked) -> None:
    staff = ("--gallery", "staff")
    assert typed("subjects", "set", name(4), *staff, "--hold", "case 12")[0] == 0
    code, _, err = typed("subjects", "erase", name(4), *staff, "--yes")
    assert (code, "case 12" in err) == (2, True)
    end = datetime.now(UTC) + timedelta(seconds=1)
    for number in (4, 5):
        assert typed("subjects", "set", name(number), *staff, "--expires", end.isoformat())[0] == 0
    time.sleep(max(0, (end - datetime.now(UTC)).total_seconds()) + 0.05)
    assert not {name(4), name(5)} & {each["subject"] for each in decision(asked, 4, "--top-k", 50)["candidates"]}
    assert asked("gallery", "purge")["purged"] == 1
    assert "which is past: no answer names it" in typed("subjects", "show", name(4), *staff)[1]
    assert typed("subjects", "show", name(5), *staff)[0] == 2
    assert typed("subjects", "set", name(4), *staff, "--release", "--expires", "never")[0] == 0
    assert decision(asked, 4)["subject"] == name(4)


def test_keys_are_exchanged_and_the_answers_stay(people: Path, typed: Typed, asked: Asked) -> None:
    before = decision(asked, 6)
    assert typed("store", "backup", "monday.db")[0] == 0
    assert typed("keys", "rotate", "--gallery", "staff")[0] == typed("keys", "rotate", "--master")[0] == 0
    assert typed("keys", "destroy-old", "--yes")[0] == 0
    after = decision(asked, 6)
    assert (after["candidates"], after["threshold"]) == (before["candidates"], before["threshold"])
    code, _, err = typed("store", "restore", "monday.db", "--yes")  # as destroy-old has said
    assert (code, "master keys must add it" in err) == (2, True)
    assert decision(asked, 6)["candidates"] == before["candidates"]
    assert typed("store", "check")[0] == 0


def test_an_archive_opens_with_its_passphrase_whole_and_for_those_who_trust_its_maker(
    people: Path, typed: Typed, asked: Asked, tmp_path: Path
) -> None:
    for file, words in (("right", "correct horse battery"), ("wrong", "wrong horse battery")):
        Path(file).touch(0o600)
        Path(file).write_text(words)
    key = asked("gallery", "export", "staff", "staff.gka", "--passphrase-file", "right")["public_key"]
    bare = process("gallery", "export", "staff", "bare.gka", cwd=tmp_path)  # nobody is there to type one
    assert (bare.returncode, "no passphrase was given" in bare.stderr, "Warning" in bare.stderr) == (2, True, False)
    other = ("--data", tmp_path / "other")
    take = ("gallery", "import", "staff.gka", *other, "--passphrase-file")
    assert "not by this store" in typed(*take, "right")[2]
    assert "not its passphrase" in typed(*take, "wrong", "--trust", key)[2]
    content = bytearray(Path("staff.gka").read_bytes())
    content[len(content) // 2] ^= 1
    Path("forged.gka").write_bytes(content)
    forged = ("gallery", "import", "forged.gka", *other, "--passphrase-file", "right", "--trust", key)
    assert "is damaged" in typed(*forged)[2]
    assert asked("gallery", "list", *other) == []
    assert typed(*take, "right", "--trust", key)[0] == 0
    here, there = decision(asked, 7), decision(asked, 7, *other)
    assert [(each["subject"], each["score"]) for each in here["candidates"]] == [
        (each["subject"], each["score"]) for each in there["candidates"]
    ]
    # This store knows whom it has erased since; its archive brings nobody of them back.
    assert typed("subjects", "erase", name(7), "--gallery", "staff", "--yes")[0] == 0
    again = ("gallery", "import", "staff.gka", "--passphrase-file", "right", "--as", "again")
    assert "left out: 3 templates that were erased here" in typed(*again)[1]
    assert typed("subjects", "show", name(7), "--gallery", "again")[0] == 2


def test_without_skeletons_there_is_no_change_of_encoder_and_it_says_so(people: Path, typed: Typed) -> None:
    code, _, err = typed("gallery", "migrate", "staff", "--bundle", "gait-sim-coco17")
    assert code == 2
    assert "keeps no skeletons" in err or "of this bundle already" in err
    assert "no former generation" in typed("gallery", "rollback", "staff")[2]


def test_a_password_in_a_databases_address_is_never_shown(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for url in ("postgresql://ann:topsecret@127.0.0.1:1/x", "mysql://ann:topsecret@host/x", "ann:topsecret"):
        monkeypatch.setenv("GAITKEEPER_DATABASE", url)
        code, out, err = typed("gallery", "list")
        assert (code, out, "topsecret" in err) == (2, "", False)
    done = process("serve", "--port", 0, cwd=tmp_path, GAITKEEPER_DATABASE="postgresql://ann:topsecret@127.0.0.1:1/x")
    assert one_line(done).startswith("the store cannot be used: ")
    assert "topsecret" not in done.stderr
