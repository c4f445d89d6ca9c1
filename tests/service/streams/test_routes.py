"""Streams over HTTP: opened within bounds, fed, listened to, ended; what is wrong is refused by name."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from gallery.library import Library
from model.errors import NotAllowed, UnknownResource
from service.access.caller import LOOPBACK, Caller, Scope
from service.streams.asked import OpenStream
from service.streams.hub import Streams
from tests.fakes import FakeEncoder
from tests.service.client import Client
from tests.service.conftest import Serve
from tests.service.streams.camera import Camera, events_in, frames_of, only, poses

OPEN = {"layout": "coco-17", "fps": 25}


def problem(response: Any) -> tuple[int, str, str | None]:
    body = response.json()
    return response.status_code, body["type"].rsplit(":", 1)[1], body.get("field")


def test_a_stream_says_how_it_is(camera: Camera) -> None:
    stream = camera.open(units="normalised", aspect=1.5)
    state = camera.state(stream)
    assert (state["layout"], state["units"], state["aspect"], state["dims"]) == ("coco-17", "normalised", 1.5, 2)
    assert (state["fpir"], state["looks_share"], state["frames"], state["tracks"]) == (0.05, 4, 0, [])
    listed = camera.client.get("/streams").json()
    assert [each["id"] for each in listed["streams"]] == [stream]


def test_streams_are_listed_in_pages(camera: Camera) -> None:
    streams = sorted(camera.open() for _ in range(3))
    first = camera.client.get("/streams?limit=2").json()
    assert [each["id"] for each in first["streams"]] == streams[:2]
    rest = camera.client.get(f"/streams?limit=2&after={first['next']}").json()
    assert ([each["id"] for each in rest["streams"]], rest["next"]) == (streams[2:], None)


REFUSED_OPENINGS: list[tuple[dict[str, Any], Any]] = [
    ({"layout": "coco-71"}, (422, "unknown-layout", "sequence.layout")),
    ({"fps": 0}, (422, "invalid-request", "fps")),
    ({"fps": 500}, (413, "limit-exceeded", "fps")),
    ({"top_k": 51}, (413, "limit-exceeded", "top_k")),
    ({"gallery": "nowhere"}, (404, "unknown-gallery", None)),
    ({"dims": 2, "units": "metres"}, (422, "invalid-request", "dims")),
    ({"target_fpir": 0.05, "db": 13}, (422, "invalid-request", "db")),
    ({"target_fpir": 0.001}, (422, "invalid-request", "fpir")),
    ({"aspect": 100}, (422, "invalid-request", "aspect")),
    ({"unheard": 1}, (422, "invalid-request", "body")),
]


def test_a_stream_that_cannot_be_is_not_opened(camera: Camera) -> None:
    for change, expected in REFUSED_OPENINGS:
        assert problem(camera.client.post("/streams", json=OPEN | change)) == expected, change
    assert camera.client.get("/streams").json()["streams"] == []


def test_frames_by_every_notation_say_the_same(camera: Camera) -> None:
    walk = poses(1, 100)
    raw = np.ascontiguousarray(walk[:, None], "<f4")
    bodies: dict[str, tuple[bytes, dict[str, str]]] = {
        "application/json": (msgspec.json.encode({"frames": frames_of(walk)}), {}),
        "application/msgpack": (msgspec.msgpack.encode({"frames": frames_of(walk)}), {}),
        "application/octet-stream": (raw.tobytes(), {"X-Shape": "100,1,17,3"}),
    }
    told = []
    for kind, (body, headers) in bodies.items():
        stream = camera.open()
        answer = camera.listen(stream)
        sent = camera.client.post(f"/streams/{stream}/frames", content=body, headers={"Content-Type": kind, **headers})
        assert (sent.status_code, sent.json()) == (202, {"taken": 100})
        camera.client.delete(f"/streams/{stream}")
        told.append([each for each in events_in(answer.result(30).text) if each[0] != "stats"])
    assert told[0] == told[1] == told[2]
    assert only("decision", told[0])[-1]["decision"]["subject"] == "ada"


FINE = {"joints": [[0, 0]] * 17}


REFUSED_FRAMES: list[tuple[Any, Any]] = [
    ({}, (422, "invalid-request", "body")),
    ({"frames": []}, (422, "invalid-request", "frames")),
    ({"frames": [{}]}, (422, "invalid-request", "frames[0]")),
    ({"frames": [{"people": [FINE], "frame": -1}]}, (422, "invalid-request", "frames[0].frame")),
    ({"frames": [{"people": [FINE], "frame": 1, "at": 1}]}, (422, "invalid-request", "frames[0].at")),
    ({"frames": [{"people": [{"joints": [[0, 0]] * 16}]}]}, (422, "invalid-request", "frames[0].people.joints")),
    ({"frames": [{"people": [{"joints": [[0, 0, 0]] * 17}]}]}, (422, "invalid-request", "frames[0].people.joints")),
    (
        {"frames": [{"people": [{"joints": [[0]] + [[0, 0]] * 16}]}]},
        (422, "invalid-request", "frames[0].people.joints"),
    ),
    ({"frames": [{"people": [{"joints": [[1e6, 0]] * 17}]}]}, (422, "invalid-request", "frames[0]")),
    ({"frames": [{"people": [{"joints": [[1e39, 0]] * 17}]}]}, (422, "invalid-request", "frames[0]")),
    ({"frames": [{"people": [FINE | {"confidence": [2] * 17}]}]}, (422, "invalid-request", "frames[0]")),
    (
        {"frames": [{"people": [FINE | {"confidence": [1] * 3}]}]},
        (422, "invalid-request", "frames[0].people.confidence"),
    ),
    ({"frames": [{"people": [FINE | {"id": 1}, FINE]}]}, (422, "invalid-request", "frames[0].people")),
    ({"frames": [{"people": [FINE] * 33}]}, (413, "limit-exceeded", "frames[0].people")),
    ({"frames": [{"people": []}] * 257}, (413, "limit-exceeded", "frames")),
    ({"frames": [{"people": []}] * 1001}, (422, "invalid-request", "frames")),
]


def test_frames_that_are_wrong_are_refused_and_none_of_them_is_taken(camera: Camera) -> None:
    stream = camera.open()
    for body, expected in REFUSED_FRAMES:
        assert problem(camera.client.post(f"/streams/{stream}/frames", json=body)) == expected, body
    assert camera.state(stream)["frames"] == 0


def test_raw_frames_must_have_the_shape_they_announce(camera: Camera) -> None:
    stream = camera.open()
    for shape in ("", "1,1,17", "1,1,16,3", "2,1,17,3", "x", "-1,-1,17,3", "1,-1,17,-3", "1,40,17,3"):
        headers = {"Content-Type": "application/octet-stream", "X-Shape": shape}
        content = np.ones((40 if "40" in shape else 1, 17, 3), "<f4").tobytes()
        response = camera.client.post(f"/streams/{stream}/frames", content=content, headers=headers)
        assert response.status_code == (413 if "40" in shape else 422)


def test_numbers_that_are_none_are_refused_in_every_notation(camera: Camera) -> None:
    stream = camera.open()
    body = msgspec.msgpack.encode({"frames": [{"people": [{"joints": [[float("nan"), 0.0]] * 17}]}]})
    for content, kind in (
        (body, "application/msgpack"),
        (np.full((1, 1, 17, 3), np.nan, "<f4").tobytes(), "application/octet-stream"),
    ):
        headers = {"Content-Type": kind, "X-Shape": "1,1,17,3"}
        assert camera.client.post(f"/streams/{stream}/frames", content=content, headers=headers).status_code == 422


def test_frames_that_come_too_late_are_left_out_and_counted(camera: Camera) -> None:
    stream = camera.open()
    frames: list[dict[str, Any]] = [{"people": [], "frame": number} for number in (100, 101, 101, 90, 102)]
    camera.send(stream, frames)
    camera.until(lambda: camera.state(stream)["frames"] == 5)
    assert camera.state(stream)["late"] == 2


def test_times_of_a_camera_are_seconds_of_its_stream(camera: Camera) -> None:
    walk = frames_of(poses(1, 100))
    start = 1_790_000_000.0
    for number, frame in enumerate(walk):
        frame["at"] = start + number / 25 + 0.004 * (number % 3)
    started = only("track_started", camera.played(walk))
    assert started[0]["at"] == 0.0


def test_there_is_a_bound_on_streams_of_one_and_of_all(serve: Serve, calibrated: Library) -> None:
    camera = Camera(serve(streams_of_one=2))
    streams = [camera.open() for _ in range(2)]
    refused = camera.client.post("/streams", json=OPEN)
    assert problem(refused)[:2] == (429, "overloaded")
    assert refused.json()["detail"] == f"too many streams are open; try again in {refused.headers['retry-after']} s"
    camera.client.delete(f"/streams/{streams[0]}")
    camera.open()


def test_who_sends_faster_than_the_service_works_is_told_to_wait(serve: Serve, calibrated: Library) -> None:
    camera = Camera(serve(stream_fps=25))
    stream = camera.open()
    body: dict[str, Any] = {"frames": [{"people": []}] * 250}
    assert camera.client.post(f"/streams/{stream}/frames", json=body).status_code == 202
    refused = camera.client.post(f"/streams/{stream}/frames", json=body)
    assert problem(refused)[:2] == (429, "overloaded")


def test_a_stream_without_frames_ends_by_itself(serve: Serve, calibrated: Library) -> None:
    camera = Camera(serve(stream_idle_seconds=0.2))
    stream = camera.open()
    camera.until(lambda: camera.client.get(f"/streams/{stream}").status_code == 404)
    assert problem(camera.client.post(f"/streams/{stream}/frames", json={"frames": [{"people": []}]}))[:2] == (
        404,
        "unknown-resource",
    )


def test_a_stream_in_a_gallery_that_goes_away_ends_and_says_why(
    camera: Camera, encoder: FakeEncoder, calibrated: Library
) -> None:
    calibrated.ensure("other", fingerprint=encoder.fingerprint, dim=encoder.dim)
    stream = camera.open(gallery="other")
    answer = camera.listen(stream)
    calibrated.delete("other")
    camera.send(stream, frames_of(poses(1, 200)))
    name, body = events_in(answer.result(30).text)[-1]
    assert (name, body["reason"]) == ("ended", "error")
    assert "no gallery 'other'" in body["detail"]


def test_skeletons_are_told_to_those_who_ask(camera: Camera) -> None:
    walk = poses(1, 10)
    frames = only("frame", camera.played(frames_of(walk), "?skeletons=true"))
    assert [each["frame"] for each in frames] == list(range(10))
    assert np.allclose(frames[3]["people"][0]["joints"], walk[3, :, :2], atol=0.051)
    assert [each["people"][0]["track"] for each in frames] == [None] * 4 + ["1"] * 6


def test_a_late_listener_is_told_first_who_is_there_and_as_whom(camera: Camera) -> None:
    stream = camera.open()
    camera.send(stream, frames_of(poses(1, 80)))
    camera.until(lambda: [each["subject"] for each in camera.state(stream)["tracks"]] == ["ada"])
    answer = camera.listen(stream)
    camera.client.delete(f"/streams/{stream}")
    events = [each for each in events_in(answer.result(30).text) if each[0] != "stats"]
    assert [name for name, _ in events] == ["track_started", "decision", "decision", "track_ended", "ended"]


def test_there_is_a_bound_on_listeners(camera: Camera) -> None:
    stream = camera.open()
    answers = [camera.listen(stream) for _ in range(16)]
    refused = camera.client.get(f"/streams/{stream}/events")
    assert "overloaded" in refused.text
    camera.client.delete(f"/streams/{stream}")
    assert all("ended" in each.result(30).text for each in answers)


def test_a_stream_is_its_openers_and_an_admins(camera: Camera) -> None:
    streams: Streams = camera.client.app.state.streams

    async def opened(by: Caller) -> str:
        stream = await streams.open(OpenStream(layout="coco-17", fps=25), by)
        return stream.opening.id

    mine = Caller("key:mine", frozenset({Scope.IDENTIFY}))
    other = Caller("key:other", frozenset(Scope) - {Scope.ADMIN, Scope.INVESTIGATE})
    looks_on = Caller("key:guard", frozenset({Scope.IDENTIFY, Scope.INVESTIGATE}))
    elsewhere = Caller("key:mine", frozenset({Scope.IDENTIFY}), frozenset({"another"}))
    stream = run(camera.client, lambda: opened(mine))
    assert [each.opening.id for each in streams.of(mine)] == [stream]
    assert streams.of(other) == streams.of(elsewhere) == []
    assert streams.get(stream, LOOPBACK).opening.id == stream
    with pytest.raises(UnknownResource):
        streams.get(stream, other)
    assert streams.get(stream, looks_on).opening.id == stream, "who may investigate may look at it, and no more"
    with pytest.raises(NotAllowed):
        streams.run(stream, looks_on)
    assert streams.run(stream, mine).opening.id == stream


def run(client: Client, call: Callable[[], Any]) -> Any:
    return client._portal.call(call)
