"""`gaitkeeper subjects set|show|rename|merge|move|copy` as they are typed, rightly and wrongly."""

import io
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import walking
from tests.gallery.command_line import Run, manifest, written

Capture = pytest.CaptureFixture[str]


def shown(run: Run, capsys: Capture, subject: str, *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run("subjects", "show", subject, *more, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def people(run: Run, tmp_path: Path) -> Path:
    path = manifest(tmp_path, people=3)
    assert run("enroll", "--manifest", path) == 0
    return path


def test_consent_hold_and_metadata_are_set_shown_and_taken_away(
    run: Run, people: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "about.json").write_text('{"desk": 7}')
    line = ("--consent", "A-17", "--purpose", "access", "--expires", "2100-01-01", "--hold", "case 12")
    assert run("subjects", "set", "s1", *line, "--metadata", tmp_path / "about.json") == 0
    assert run("subjects", "show", "s1") == 0
    said = capsys.readouterr().out
    for word in ("consent: A-17; purpose: access", "expires: 2100-01-01", "erased: case 12", 'metadata: {"desk": 7}'):
        assert word in said
    found = shown(run, capsys, "s1")["subject"]
    assert found["consent"] == {"reference": "A-17", "purpose": "access", "expires": "2100-01-01T00:00:00+00:00"}
    assert run("subjects", "set", "s1", "--purpose", "", "--expires", "never") == 0
    found = shown(run, capsys, "s1")["subject"]
    assert found["consent"] == {"reference": "A-17", "purpose": None, "expires": None}
    assert (found["hold"], found["metadata"]) == ("case 12", {"desk": 7})
    assert run("subjects", "erase", "s1", "--yes") == 2
    assert "case 12" in capsys.readouterr().err
    (tmp_path / "about.json").write_text("{}")
    assert run("subjects", "set", "s1", "--release", "--metadata", tmp_path / "about.json") == 0
    assert shown(run, capsys, "s1")["subject"]["hold"] is None
    assert run("subjects", "list") == 0
    assert "A-17" in capsys.readouterr().out


CANNOT_BE_SET: list[tuple[tuple[str, ...], str]] = [
    ((), "name what to set"),
    (("--hold", "x", "--release"), "either set or ended"),
    (("--expires", "yesterday"), "none of"),
    (("--expires", "2001-01-01"), "past"),
    (("--hold", ""), "hold"),
    (("--consent", "a\nb"), "consent"),
    (("--metadata", "none.json"), "none.json"),
    (("--metadata", "list.json"), "not an object"),
    (("--metadata", "broken.json"), "not JSON"),
    (("--metadata", "nan.json"), "JSON"),
    (("--metadata", "large.json"), "at most 16384"),
    (("--metadata", "."), "directory"),
]


def test_what_cannot_be_set_is_one_line_and_changes_nothing(
    run: Run, people: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    contents = {"list": "[1]", "broken": "{", "nan": '{"a": NaN}', "large": json.dumps({"a": "x" * 20_000})}
    for name, content in contents.items():
        (tmp_path / f"{name}.json").write_text(content)
    before = shown(run, capsys, "s1")
    for line, said in CANNOT_BE_SET:
        assert run("subjects", "set", "s1", *line) == 2, line
        assert said in " ".join(capsys.readouterr().err.split())
    assert shown(run, capsys, "s1") == before
    assert run("subjects", "set", "nobody", "--consent", "A-1") == 2


def test_enrollment_gives_consent_from_options_and_from_a_manifest(run: Run, tmp_path: Path, capsys: Capture) -> None:
    walk = written(tmp_path / "a.json", walking(1))
    assert run("enroll", walk, "--subject", "ann", "--consent", "A-1", "--expires", "2100-01-01") == 0
    assert shown(run, capsys, "ann")["subject"]["consent"]["reference"] == "A-1"
    (tmp_path / "people.csv").write_text(
        "file,subject,consent,expires,view\na.json,bob,B-2,,090\na.json,eve,,never,000\n"
    )
    line = ("--purpose", "access", "--expires", "2090-01-01", "--duplicates", "off")
    assert run("enroll", "--manifest", tmp_path / "people.csv", *line) == 0
    bob, eve = (shown(run, capsys, name) for name in ("bob", "eve"))
    assert bob["subject"]["consent"] == {
        "reference": "B-2",
        "purpose": "access",
        "expires": "2090-01-01T00:00:00+00:00",
    }
    assert eve["subject"]["consent"] == {"reference": None, "purpose": "access", "expires": None}
    assert [template["labels"] for template in bob["templates"]] == [{"view": "090"}]


def test_a_duplicate_is_refused_unless_forced(run: Run, tmp_path: Path, capsys: Capture) -> None:
    walk, again = written(tmp_path / "a.json", walking(1)), written(tmp_path / "b.json", walking(1, seed=3))
    assert run("enroll", walk, "--subject", "ann") == 0
    assert "duplicates are not looked for" in capsys.readouterr().err
    assert run("enroll", again, "--subject", "bob", "--duplicates", "check") == 2
    assert "'bob' looks like 'ann' who is enrolled already" in capsys.readouterr().err
    assert run("enroll", again, "--subject", "bob", "--duplicates", "note", "--json") == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert "possible duplicate: looks like 'ann'" in result["notes"][-1]
    assert run("enroll", again, "--subject", "eve", "--duplicates", "check", "--force") == 0
    assert run("enroll", again, "--subject", "zoe", "--duplicates", "perhaps") == 2


def test_subjects_are_renamed_merged_and_moved(run: Run, people: Path, capsys: Capture) -> None:
    assert run("subjects", "rename", "s0", "zero") == 0
    assert "s0 is zero in gallery default now" in capsys.readouterr().out
    assert run("subjects", "rename", "s0", "zero") == 2
    assert run("subjects", "rename", "s1", "zero") == 2
    assert run("subjects", "rename", "s1", "a/b") == 2
    assert "merge the two" in capsys.readouterr().err
    assert run("subjects", "merge", "s1", "zero", "--yes") == 0
    assert "who has 4 templates now" in capsys.readouterr().out
    assert run("subjects", "merge", "s1", "zero", "--yes") == 2
    assert run("subjects", "merge", "zero", "zero", "--yes") == 2
    assert run("gallery", "create", "guests") == 0
    assert run("subjects", "move", "zero", "guests") == 0
    assert "moved zero from gallery default to guests: 4 templates" in capsys.readouterr().out
    assert run("subjects", "move", "s2", "nowhere") == 2
    assert run("subjects", "move", "zero", "guests") == 2
    assert len(shown(run, capsys, "zero", "--gallery", "guests")["templates"]) == 4


def test_a_merge_that_nobody_confirms_changes_nothing(
    run: Run, people: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("subjects", "merge", "s1", "s0") == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert len(shown(run, capsys, "s1")["templates"]) == 2


def test_a_copy_is_a_zip_for_this_user_only_and_replaces_nothing_unasked(
    run: Run, people: Path, tmp_path: Path, capsys: Capture
) -> None:
    target = tmp_path / "s1.zip"
    assert run("subjects", "copy", "s1", target) == 0
    assert f"wrote {target}" in capsys.readouterr().out
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read("subject.json"))["id"] == "s1"
    assert run("subjects", "copy", "s1", target) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert run("subjects", "copy", "s1", target, "--force", "--json") == 0
    assert "templates.json" in json.loads(capsys.readouterr().out)["files"]
    for wrong in (tmp_path, tmp_path / "no" / "such.zip"):
        assert run("subjects", "copy", "s1", wrong) == 2
    assert run("subjects", "copy", "nobody", tmp_path / "x.zip") == 2
    assert not (tmp_path / "x.zip").exists()
    assert not list(tmp_path.glob(".*zip*"))
