"""The commands as they are typed, on files, with a small real bundle."""

import json
from pathlib import Path
from typing import Any

import pytest

from gallery.store import open_store
from tests.fakes import walking
from tests.gallery.command_line import Run, manifest, written


def test_from_a_file_to_this_is_subject_ann(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for person, name in enumerate(("ann", "bob", "eve")):
        walk = written(tmp_path / f"{name}.json", walking(person))
        assert run("enroll", walk, "--subject", name, "--label", "view=090") == 0
    said = capsys.readouterr()
    assert "enrolled bob in gallery default (template 2)" in said.out
    assert "created gallery default" in said.err
    assert run("enroll", tmp_path / "bob.json", "--subject", "bob") == 0
    assert "bob has this recording in gallery default already" in capsys.readouterr().out
    probe = written(tmp_path / "probe.json", walking(1, seed=5))
    assert run("identify", probe) == 0
    said = capsys.readouterr()
    assert "match: this is subject bob" in said.out
    assert "3 subjects searched" in said.out
    assert "false-positive rate of 0.05 (13 dB); basis: the bundle's calibration" in said.out.replace("\n", " ")


def test_identify_prints_json_that_holds_the_whole_decision(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    capsys.readouterr()
    assert run("identify", tmp_path / "a.json", "--json", "--fpir", "0.01", "--top-k", "1") == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["gallery"], said["decision"]["outcome"], said["decision"]["subject"]) == ("default", "match", "ann")
    assert (said["decision"]["fpir"], said["decision"]["basis"]) == (0.01, "prior")
    assert said["decision"]["candidates"] == [{"subject": "ann", "score": pytest.approx(1.0), "template": 1}]


def test_a_stranger_is_nobody_i_know(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    assert run("identify", written(tmp_path / "b.json", walking(2)), "--threshold", "0.99999") == 0
    assert "no_match: nobody I know" in capsys.readouterr().out
    assert run("identify", written(tmp_path / "c.json", walking(1, frames=8))) == 0
    assert "abstain: too_short" in capsys.readouterr().out


def test_names_that_look_like_markup_are_printed_as_they_are(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = written(tmp_path / "[red]walk.json", walking(1))
    run("enroll", walk, "--subject", "[bold]ann", "--label", "[i]=[/i]")
    for line in (("subjects", "list"), ("subjects", "show", "[bold]ann"), ("identify", walk)):
        assert run(*line) == 0
        assert "[bold]ann" in capsys.readouterr().out
    (tmp_path / "people.csv").write_text("file,subject,track\n[red]walk.json,[i]x,left\n")
    assert run("enroll", "--manifest", tmp_path / "people.csv") == 1
    assert "[red]walk.json [left]" in capsys.readouterr().err


def test_a_claim_is_verified(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    capsys.readouterr()
    assert run("verify", tmp_path / "a.json", "--subject", "ann", "--json", "--fmr", "0.01") == 0
    assert json.loads(capsys.readouterr().out)["decision"]["outcome"] == "match"
    assert run("verify", tmp_path / "a.json", "--subject", "ann", "--threshold", "0.1") == 0
    assert "match: this is subject ann" in capsys.readouterr().out
    other = written(tmp_path / "b.json", walking(2))
    assert run("verify", other, "--subject", "ann", "--threshold", "0.99999") == 0
    assert "no_match: this is not subject ann" in capsys.readouterr().out
    assert run("verify", tmp_path / "a.json", "--subject", "bob") == 2
    assert "no subject 'bob'" in capsys.readouterr().err


def test_galleries_are_made_listed_shown_and_deleted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("gallery", "create", "staff") == 0
    assert run("gallery", "create", "staff") == 2
    assert "exists already" in capsys.readouterr().err
    assert run("gallery", "list", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["dim"], listed["subjects"]) == ("staff", 32, 0)
    assert run("gallery", "show", "staff") == 0
    assert "0 subjects, 0 templates" in capsys.readouterr().out
    assert run("gallery", "show", "nobody") == 2
    assert run("gallery", "delete", "staff", "--yes") == 0
    assert run("gallery", "list") == 0
    assert "staff" not in capsys.readouterr().out.splitlines()[-2]


def test_a_subject_is_listed_shown_and_erased(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", "--manifest", manifest(tmp_path, people=3))
    capsys.readouterr()
    assert run("subjects", "list", "--limit", "2") == 0
    printed = capsys.readouterr()
    assert "--after s1" in printed.err
    assert run("subjects", "list", "--limit", 10**30) == 2
    assert run("subjects", "erase", "s1", "--yes") == 0
    assert run("subjects", "erase", "s1", "--yes") == 2
    assert "no subject 's1'" in capsys.readouterr().err
    assert run("subjects", "erase", "s0", "--template", "1", "--yes") == 0
    assert run("subjects", "erase", "s0", "--template", "5", "--yes") == 2
    capsys.readouterr()
    assert run("subjects", "list", "--json") == 0
    assert [(s["id"], s["templates"]) for s in json.loads(capsys.readouterr().out)] == [("s0", 1), ("s2", 2)]


def test_a_data_directory_that_is_not_there_is_not_made_by_asking(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = written(tmp_path / "a.json", walking(1))
    for line in (("gallery", "list"), ("identify", walk), ("subjects", "list"), ("gallery", "delete", "x", "--yes")):
        assert run(*line) == 2
        assert "gaitkeeper enroll" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_gallery_of_another_bundle_is_refused(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(tmp_path / "data")
    store.create_gallery("default", "c" * 64, 32)
    store.close()
    walk = written(tmp_path / "a.json", walking(1))
    assert run("enroll", walk, "--subject", "ann") == 2
    assert run("identify", walk) == 2
    assert capsys.readouterr().err.count("made with bundle cccccccccccc") == 2


@pytest.mark.parametrize(
    "line",
    [
        ("enroll",),
        ("enroll", "a.json"),
        ("enroll", "a.json", "--subject", "ann", "--manifest", "people.csv"),
        ("enroll", "a.json", "--subject", "ann", "--label", "view"),
        ("enroll", "a.json", "--subject", " ann"),
        ("identify", "a.json", "--fpir", "1.5"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2(
    run: Run, line: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*line) == 2
    assert capsys.readouterr().err
