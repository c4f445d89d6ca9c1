"""A camera at the shipped encoder: simulated people walk past it together, and each is who they are."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.command import Service, stranger, walk, written
from tests.e2e.conftest import Typed

PROBE = 3
KEYS = ("layout", "fps", "units", "aspect", "joints", "confidence")


def test_two_people_in_view_at_once_are_named_and_a_stranger_is_not(
    service: Service, gallery: str, typed: Typed, tmp_path: Path
) -> None:
    for subject in (1, 2, 3):
        for take in range(PROBE):
            assert service.enroll(f"walker-{subject}", walk(subject, take), gallery).status_code == 201
    tracks = [
        {"name": str(place), "sequence": moved(sequence, 700 * place)}
        for place, sequence in enumerate((walk(1, PROBE), walk(2, PROBE), stranger()))
    ]
    file = written(tmp_path / "three.json", {"tracks": tracks})
    where = service.http.base_url
    status, out, err = typed("stream", file, "--to", where, "--gallery", gallery, "--speed", 0, "--json")
    assert (status, err) == (0, "")
    events = [json.loads(line) for line in out.splitlines()]
    last = [event["decision"] for event in events if event["event"] == "decision" and event["last"]]
    assert sorted(decision["subject"] or "" for decision in last) == ["", "walker-1", "walker-2"]
    assert {decision["outcome"] for decision in last} == {"match", "no_match"}
    assert all(decision["fpir"] < 0.05 for decision in last), "a look has a share of the track's rate"


def moved(sequence: dict[str, Any], x: float) -> dict[str, Any]:
    """The same person further right in the image."""
    joints = [[[joint[0] + x, *joint[1:]] for joint in frame] for frame in sequence["joints"]]
    return {key: sequence[key] for key in KEYS if key in sequence} | {"joints": joints}
