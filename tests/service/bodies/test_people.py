"""Several people in a frame become tracks, and each track is answered for."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from model.sequence import Floats
from tests.fakes import FakeEncoder
from tests.model.two_people import Walker
from tests.service.client import Client, started
from tests.service.conftest import Serve, make_app, open_library
from tests.service.test_bad_input import problem_in

ALICE = Walker((60, 300), (120, 0), height=200)
BOB = Walker((900, 310), (-120, 0), height=220, phase=1.0)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


def detected(pose: Floats, **more: Any) -> dict[str, Any]:
    return {"joints": pose[:, :2].tolist(), "confidence": pose[:, 2].tolist(), **more}


def frames_of(*walkers: Floats, ids: tuple[Any, ...] | None = None) -> list[list[dict[str, Any]]]:
    """Everybody in each frame; by turns in another order, as detectors have it."""
    found = []
    for number, poses in enumerate(zip(*walkers, strict=True)):
        everybody = [detected(pose, **({"id": ids[i]} if ids else {})) for i, pose in enumerate(poses)]
        found.append(everybody[:: -1 if number % 2 else 1])
    return found


def people(frames: Any, **more: Any) -> dict[str, Any]:
    return {"people": {"layout": "coco-17", "fps": 25.0, "frames": frames, **more}}


def embedded(client: Client, poses: Floats) -> list[float]:
    sequence = {
        "layout": "coco-17",
        "fps": 25.0,
        "joints": poses[..., :2].tolist(),
        "confidence": poses[..., 2].tolist(),
    }
    found: list[float] = client.post("/embed", json={"sequence": sequence}).json()["embedding"]
    return found


def test_two_people_who_pass_each_other_are_two_tracks(client: Client) -> None:
    alice, bob = ALICE.poses(60), BOB.poses(60)
    found = client.post("/embed", json=people(frames_of(alice, bob))).json()["answers"]
    assert [each["name"] for each in found] == ["1", "2"]
    expected = [embedded(client, alice), embedded(client, bob)]
    for each in found:
        assert max(np.dot(each["answer"]["embedding"], own) for own in expected) > 0.9999


def test_nobody_is_enrolled_from_among_others(client: Client) -> None:
    path = "/galleries/default/subjects/alice/templates"
    found = client.post(path, json=people(frames_of(ALICE.poses(60), BOB.poses(60)))).json()["answers"]
    assert [(each["answer"], each["problem"]["status"]) for each in found] == [(None, 422), (None, 422)]
    alone = client.post(path, json=people(frames_of(ALICE.poses(60))))
    assert (alone.status_code, len(alone.json()["answers"])) == (201, 1)


@pytest.mark.parametrize("ids", [("door", "hall"), (7, -3)])
def test_the_detectors_ids_are_believed_and_name_the_answers(client: Client, ids: tuple[Any, Any]) -> None:
    frames = frames_of(ALICE.poses(60), BOB.poses(60), ids=ids)
    found = client.post("/embed", json=people(frames)).json()["answers"]
    assert sorted(each["name"] for each in found) == sorted(str(one) for one in ids)


def test_one_who_comes_later_and_is_hidden_for_a_while_is_one_track_with_its_first_frame(client: Client) -> None:
    poses = ALICE.poses(60)
    frames: list[Any] = [[]] * 10 + [[detected(pose, id=1)] for pose in poses]
    frames[30:35] = [[]] * 5
    (track,) = client.post("/sequences", json=people(frames)).json()["tracks"]
    assert (track["first_frame"], track["frames"]) == (10, 60)
    assert sum(max(frame) == 0 for frame in track["sequence"]["confidence"]) == 5


def test_in_metres_people_are_followed_in_three_dimensions(client: Client) -> None:
    solid = np.concatenate([ALICE.poses(60)[..., :2] / 200, np.zeros((60, 17, 1), np.float32)], axis=-1)
    frames = [[{"joints": pose.tolist()}] for pose in solid]
    (track,) = client.post("/sequences", json=people(frames, units="metres")).json()["tracks"]
    assert track["sequence"]["units"] == "metres"
    assert len(track["sequence"]["joints"][0][0]) == 3


@pytest.mark.parametrize(
    ("frames", "field"),
    [
        ([], "people.frames"),
        ([[]], "people.frames"),
        ([[{"joints": []}]], "people.frames"),
        ([[{"joints": [[1, 2]] * 16}]], "people.frames[0][0].joints"),
        ([[{"joints": [[1, 2]] * 16 + [[1]]}]], "people.frames[0][0].joints"),
        ([[], [{"joints": [[1, 2]] * 17}, {"joints": [[1, 2, 3]] * 17}]], "people.frames[1][1].joints"),
        ([[{"joints": [[1, 2, 3, 4]] * 17}]], "people.frames"),
        ([[{"joints": [[1, 2]] * 17, "confidence": [1.0] * 16}]], "people.frames[0][0].confidence"),
        ([[{"joints": [[1, 2]] * 17, "confidence": [2.0] * 17}]], "people.frames"),
        ([[{"joints": [[1, 1e5]] * 17}]], "people.frames"),
        ([[{"joints": [[1, 1e300]] * 17}]], "people.frames"),
        ([[{"joints": [[1, 2]] * 17, "id": 1}, {"joints": [[9, 9]] * 17}]], "people.frames"),
        ([[{"joints": [[1, 2]] * 17, "id": 1}, {"joints": [[9, 9]] * 17, "id": "1"}]], "people.frames[0]"),
        ([[{"joints": [[1, 2]] * 17, "score": 1}]], "people.frames[0][0]"),
        ([{"joints": [[1, 2]] * 17}], "people.frames[0]"),
        ("frames", "people.frames"),
    ],
)
def test_what_is_wrong_in_a_frame_is_named(client: Client, frames: Any, field: str) -> None:
    response = client.post("/identify", json=people(frames))
    assert response.status_code == 422, response.text
    assert problem_in(response)["field"] == field


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"fps": 0}, "people.fps"),
        ({"layout": "octopus-8"}, "sequence.layout"),
        ({"units": "normalised", "aspect": 99}, "people.aspect"),
        ({"units": "metres"}, "sequence.units"),
        ({"unknown": 1}, "people"),
    ],
)
def test_what_is_wrong_about_all_of_them_is_named(client: Client, more: dict[str, Any], field: str) -> None:
    frames = [[{"joints": [[1, 2], *([[3, 4]] * 16)]}]] * 3
    response = client.post("/identify", json=people(frames, **more))
    assert response.status_code == 422, response.text
    assert problem_in(response)["field"] == field


def test_a_crowd_too_many_frames_and_too_long_tracks_are_refused(serve: Serve) -> None:
    client = serve(people=3, frames=50, sequences=4)
    one = {"joints": [[float(i), float(i * i)] for i in range(17)]}
    crowd = client.post("/embed", json=people([[one] * 4]))
    assert (crowd.status_code, crowd.json()["limit"]) == (413, 3)
    assert client.post("/embed", json=people([[]] * 51)).json()["limit"] == 50
    assert client.post("/embed", json=people([[one] * 3] * 20)).json()["limit"] == 50
    far_apart = [[{**one, "id": i} for i in range(3)], *[[]] * 20, [{**one, "id": i} for i in range(3)]]
    assert client.post("/embed", json=people(far_apart)).json()["limit"] == 50
    many = [[{**one, "id": 10 * frame + i} for i in range(3)] for frame in range(2)]
    assert client.post("/embed", json=people(many)).json()["limit"] == 4
