"""Whatever prints results prints them as JSON too, and nothing else on stdout."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import walk_file
from tests.e2e.conftest import Typed

AFTER_ENROLLING = [
    ("inspect", "W"),
    ("convert", "W", "--out", "walk.npz"),
    ("classify", "W"),
    ("identify", "W"),
    ("identify", "W", "--threshold", "1"),
    ("verify", "W", "--subject", "ada 名前"),
    ("enroll", "W", "--subject", "ada 名前"),
    ("enroll", "--manifest", "people.csv"),
    ("gallery", "create", "staff"),
    ("gallery", "list"),
    ("gallery", "show"),
    ("subjects", "list"),
    ("subjects", "show", "ada 名前"),
    ("bundle", "show", "gait-sim-coco17"),
    ("bundle", "show", "action-coco17"),
    ("bundle", "check", "gait-sim-coco17"),
    ("bundle", "check", "action-coco17"),
    ("simulate", "actions", "--subjects", "2", "--out", "actions"),
]


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(scope="module")
def one_enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("json") / "data"


@pytest.mark.parametrize("line", AFTER_ENROLLING, ids=" ".join)
def test_json_is_all_that_is_on_stdout(
    typed: Typed, tmp_path: Path, line: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, one_enrolled: Path
) -> None:
    monkeypatch.setenv("GAITKEEPER_DATA", str(one_enrolled))
    assert typed("enroll", walk_file(1), "--subject", "ada 名前")[0] == 0
    (tmp_path / "people.csv").write_text(f"file,subject\n{walk_file(2)},ben\nnothing-here.json,eve\n")
    words = [walk_file(1) if word == "W" else word for word in line]
    code, out, err = typed(*words, "--json")
    assert code == (1 if "people.csv" in line else 0), err
    json.loads(out, parse_constant=refuse)


def test_what_is_refused_leaves_stdout_empty(typed: Typed) -> None:
    for line in (("inspect", "none.json"), ("identify", walk_file(1)), ("bundle", "show", "none")):
        code, out, err = typed(*line, "--json")
        assert (code, out) == (2, "")
        assert err.startswith("error: ")


def test_identify_and_the_service_call_a_decision_by_the_same_names(typed: Typed, one_enrolled: Path) -> None:
    from service.answers.recognition import Decision

    typed("enroll", walk_file(1), "--subject", "ada 名前", "--data", one_enrolled)
    told = json.loads(typed("identify", walk_file(1), "--data", one_enrolled, "--json")[1])["decision"]
    assert set(told) <= set(Decision.__struct_fields__)
