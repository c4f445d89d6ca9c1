"""Files as pose estimators wrote them of real people, from inspect to an answer, by the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import call
from tests.e2e.conftest import Typed
from tests.recordings import recording

OPENPOSE = "samples/openpose_body25"
NTU = ("samples/ntu/S001C001P001R001A003.skeleton", "samples/ntu/S001C001P001R001A004.skeleton")


def told(typed: Typed, *line: object) -> dict[str, Any]:
    code, out, err = typed(*line, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


@pytest.mark.parametrize(
    ("name", "hints", "layout"),
    [(OPENPOSE, ("--fps", "30"), "body-25"), (NTU[0], (), "ntu-25")],
    ids=["openpose", "ntu"],
)
def test_from_inspect_to_an_answer(
    typed: Typed, tmp_path: Path, name: str, hints: tuple[str, ...], layout: str
) -> None:
    file = recording(name)
    inspected = told(typed, "inspect", file, *hints)
    (track,) = inspected["tracks"]
    assert (track["layout"], track["fps"], track["usable"]) == (layout, 30, True)
    assert {"coco-17", "openpose-18"} <= set(inspected["converts_to"])
    converted = told(typed, "convert", file, *hints, "--out", "walk.json", "--layout", "coco-17")
    assert converted["dropped"]
    assert told(typed, "inspect", "walk.json")["tracks"][0]["frames"] == track["frames"]
    enrolled = told(typed, "enroll", file, *hints, "--subject", "somebody")
    assert f"converted from {layout} to coco-17" in enrolled["results"][0]["notes"]
    for probe in ((file, *hints), ("walk.json",)):
        decision = told(typed, "identify", *probe)["decision"]
        assert (decision["outcome"], decision["subject"]) == ("match", "somebody")
        assert decision["score"] > 0.999
    assert told(typed, "classify", file, *hints)["actions"]


def test_a_frame_rate_that_is_not_in_the_files_is_asked_for(typed: Typed) -> None:
    code, out, _ = typed("inspect", recording(OPENPOSE))
    assert code == 0
    assert "give it (--fps 30)" in out


def test_somebody_who_brushes_teeth_does_not_walk(typed: Typed) -> None:
    told(typed, "enroll", recording(NTU[0]), "--subject", "p1")
    answer = told(typed, "identify", recording(NTU[1]))
    assert any(note.startswith("not_walking") for note in answer["notes"])


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    file = recording(NTU[0])
    done = call("inspect", file.name, cwd=file.parent, COLUMNS=str(width))
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= width
    assert "72057594037931186" in done.stdout, "the name to give to --track stands on one line"
