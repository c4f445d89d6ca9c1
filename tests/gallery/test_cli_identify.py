"""`gaitkeeper identify` and `verify`: among whom, at which rate, and after which change."""

import json
from pathlib import Path
from typing import Any

import pytest

from gallery.store import open_store
from gallery.store.audit import audit_page
from tests.fakes import walking
from tests.gallery.command_line import Run, manifest, written

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def probe(run: Run, tmp_path: Path) -> Path:
    """A walk of `s1`, where s0 to s3 are enrolled."""
    assert run("enroll", "--manifest", manifest(tmp_path, people=4)) == 0
    return written(tmp_path / "probe.json", walking(1, seed=7))


def decision(run: Run, capsys: Capture, *line: object) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*line, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["decision"]
    return found


def test_within_some_subjects_nobody_else_is_found(run: Run, probe: Path, tmp_path: Path, capsys: Capture) -> None:
    found = decision(run, capsys, "identify", probe, "--within", "s0", "--within", "s2", "--within", "s0")
    assert {each["subject"] for each in found["candidates"]} == {"s0", "s2"}
    assert found["searched"] == 2
    (tmp_path / "some.txt").write_text("\ufeffs1\r\n\ns3\n")
    found = decision(run, capsys, "identify", probe, "--within-file", tmp_path / "some.txt", "--within", "s0")
    assert (found["subject"], found["searched"]) == ("s1", 3)


def test_a_recording_that_is_a_template_already_is_suspected_of_being_sent_again(
    run: Run, tmp_path: Path, capsys: Capture
) -> None:
    walk = written(tmp_path / "walk.json", walking(1, seed=7))
    assert run("enroll", walk, "--subject", "ann") == 0
    assert "replay_suspected" in decision(run, capsys, "identify", walk)["reasons"]


NO_SENSE: list[tuple[tuple[str, ...], str]] = [
    (("--within", "nobody"), "nobody"),
    (("--within-file", "none.txt"), "none.txt"),
    (("--within-file", "empty.txt"), "names no subject"),
    (("--within-file", "binary.txt"), "utf-8"),
    (("--fpir", "0.01", "--db", "20"), "one of them"),
    (("--threshold", "0.5", "--db", "20"), "one of them"),
    (("--db", "-3"), "--db"),
    (("--db", "90"), "fpir"),
    (("--at-least", "999999"), "999999 was demanded"),
    (("--at-least", "-1"), "--at-least"),
]


def test_what_makes_no_sense_is_one_line_and_status_2(
    run: Run, probe: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe")
    capsys.readouterr()
    for line, said in NO_SENSE:
        assert run("identify", probe, *line) == 2, line
        assert said in " ".join(capsys.readouterr().err.split())


def test_a_rate_in_db_is_the_same_rate(run: Run, probe: Path, capsys: Capture) -> None:
    in_db = decision(run, capsys, "identify", probe, "--db", "20")
    assert in_db["fpir"] == pytest.approx(0.01)
    assert in_db["threshold"] == pytest.approx(decision(run, capsys, "identify", probe, "--fpir", "0.01")["threshold"])
    assert run("identify", probe, "--db", "20") == 0
    assert "for a false-positive rate of 0.01 (20 dB)" in capsys.readouterr().out
    assert decision(run, capsys, "verify", probe, "--subject", "s1", "--db", "20")["fpir"] == pytest.approx(0.01)


def test_the_answer_says_which_change_it_has_seen_and_one_can_be_demanded(
    run: Run, probe: Path, capsys: Capture
) -> None:
    seq = decision(run, capsys, "identify", probe)["seq"]
    assert decision(run, capsys, "identify", probe, "--at-least", seq)["seq"] == seq
    assert run("verify", probe, "--subject", "s1", "--at-least", seq + 1000) == 2
    assert run("identify", probe) == 0
    assert f"the gallery as of change {seq}" in capsys.readouterr().out


def test_whoever_asked_is_in_the_audit_log_with_what_was_answered(
    run: Run, probe: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run("identify", probe) == 0
    assert run("verify", probe, "--subject", "s1") == 0
    store = open_store(tmp_path / "data")
    identified, verified = [each for each in audit_page(store) if each.action in ("identify", "verify")]
    store.close()
    assert (identified.action, verified.action) == ("identify", "verify")
    assert identified.subject_id == verified.subject_id
    assert json.loads(identified.detail)["outcome"] == "match"
    assert identified.actor.startswith("local:")
