"""The socket of a stream, over a real connection: frames in, events out, problems told, ends that say why."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from gallery.library import Library
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import make_app
from tests.service.streams.camera import FPS, frames_of, poses


class Served:
    """A service at an address, and sockets of its streams."""

    def __init__(self, where: str) -> None:
        self.http = httpx.Client(base_url=where, timeout=30)
        self._ws = where.replace("http", "ws", 1)

    def open(self, **more: Any) -> str:
        found: str = self.http.post("/streams", json={"layout": "coco-17", "fps": FPS, **more}).json()["id"]
        return found

    def socket(self, stream: str, query: str = "", **more: Any) -> Any:
        return connect(f"{self._ws}/streams/{stream}{query}", open_timeout=30, close_timeout=0.5, max_size=None, **more)


@contextmanager
def serving(library: Library, encoder: FakeEncoder, **limits: Any) -> Iterator[Served]:
    settings = Settings.read({}, port=0, shutdown_seconds=10)
    with running(make_app(library, encoder, **limits), settings) as where:
        served = Served(where)
        with served.http:
            yield served


@pytest.fixture
def served(calibrated: Library, encoder: FakeEncoder) -> Iterator[Served]:
    with serving(calibrated, encoder) as found:
        yield found


def heard(socket: ClientConnection, until: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, body) of each event, to the first of this name."""
    found: list[tuple[str, dict[str, Any]]] = []
    while not found or found[-1][0] != until:
        message = json.loads(socket.recv(30))
        found.append((message["event"], message["data"]))
    return found


def code_of(socket: ClientConnection) -> int | None:
    """What it is closed with, after whatever is told before."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(30)
    return socket.close_code


def test_frames_go_in_and_decisions_come_out_of_one_socket_in_any_notation(served: Served) -> None:
    walk = poses(1, 90)
    sent: dict[str, list[Any]] = {
        "": [json.dumps(frame) for frame in frames_of(walk)],
        "?binary=msgpack": [msgspec.msgpack.encode(frame) for frame in frames_of(walk)],
        "?binary=float32": [pose[None].astype("<f4").tobytes() for pose in walk],
        "?skeletons=true": [json.dumps({"frames": frames_of(walk)})],
    }
    for query, messages in sent.items():
        stream = served.open()
        with served.socket(stream, query) as socket:
            for message in messages:
                socket.send(message)
            decision = heard(socket, "decision")[-1][1]
            assert (decision["decision"]["subject"], decision["clips"]) == ("ada", 1)
            served.http.delete(f"/streams/{stream}")
            assert heard(socket, "ended")[-1][1]["reason"] == "deleted"
            assert code_of(socket) == 1000


def test_a_message_that_cannot_be_taken_is_a_problem_and_the_next_is_another_chance(served: Served) -> None:
    stream = served.open()
    wrong = [
        "{",
        "[]",
        "{}",
        '{"people": 1}',
        '{"people": [{"joints": [[0, 0]]}]}',
        '{"people": [], "frames": []}',
        b"\xc1",
        msgspec.msgpack.encode({"people": [{"joints": [[float("nan"), 0.0]] * 17}]}),
        "[" * 100_000,
    ]
    with served.socket(stream) as socket:
        for message in wrong:
            socket.send(message)
            ((name, body),) = heard(socket, "problem")
            assert body["type"].startswith("urn:gaitkeeper:problem:"), name
            assert 400 <= body["status"] < 500
        socket.send(json.dumps({"frames": frames_of(poses(1, 70))}))
        assert heard(socket, "decision")[-1][1]["decision"]["subject"] == "ada"


def test_who_sends_nothing_but_nonsense_is_left_and_a_huge_message_ends_it(served: Served) -> None:
    stream = served.open()
    with served.socket(stream) as socket:
        for _ in range(100):
            socket.send("{")
        assert code_of(socket) == 1008
    with served.socket(stream) as socket:
        socket.send(b" " * (1024 * 1024 + 1))
        assert code_of(socket) == 1009
    assert served.http.get(f"/streams/{stream}").status_code == 200, "the stream goes on"


def test_a_stream_that_is_not_there_is_refused_before_the_socket_is_one(served: Served) -> None:
    with pytest.raises(InvalidStatus) as refused, served.socket("nowhere"):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["type"] == "urn:gaitkeeper:problem:unknown-resource"


@pytest.mark.parametrize("path", ["/identify", "/stream/x"])
def test_a_socket_where_nothing_is_one_is_told_so(served: Served, path: str) -> None:
    where = str(served.http.base_url).replace("http", "ws", 1).rstrip("/")
    with pytest.raises(InvalidStatus) as refused, connect(where + path):
        pass
    assert refused.value.response.status_code == 404
    assert json.loads(refused.value.response.body or b"")["type"] == "urn:gaitkeeper:problem:not-found"


def test_a_stream_outlives_its_socket_and_another_one_goes_on_with_it(served: Served) -> None:
    stream, walk = served.open(), frames_of(poses(1, 90))
    with served.socket(stream) as socket:
        socket.send(json.dumps({"frames": walk[:40]}))
        heard(socket, "track_started")
    with served.socket(stream) as socket:
        socket.send(json.dumps({"frames": walk[40:]}))
        assert heard(socket, "decision")[-1][1]["decision"]["subject"] == "ada"


def test_a_stopping_service_says_the_last_word_and_goes_away(calibrated: Library, encoder: FakeEncoder) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    codes: list[int | None] = []
    with ExitStack() as open_socket, serving(calibrated, encoder) as served:
        stream = served.open()
        socket = open_socket.enter_context(served.socket(stream))
        socket.send(json.dumps({"frames": frames_of(poses(1, 90))}))
        told += heard(socket, "decision")

        def listen() -> None:
            told.extend(heard(socket, "ended"))
            codes.append(code_of(socket))

        listening = threading.Thread(target=listen)
        listening.start()
    listening.join(30)
    assert [name for name, _ in told if name != "stats"][-3:] == ["decision", "track_ended", "ended"]
    assert told[-1][1]["reason"] == "shutdown"
    assert codes == [1001]


def test_who_sends_faster_than_may_be_is_slowed_down_and_loses_nothing(
    calibrated: Library, encoder: FakeEncoder
) -> None:
    with serving(calibrated, encoder, stream_fps=1000) as served:
        stream = served.open()
        with served.socket(stream) as socket:
            empty = json.dumps({"frames": [{"people": []}] * 500})
            for _ in range(4):
                socket.send(empty)
            socket.send(json.dumps({"frames": frames_of(poses(1, 70))}))
            started = heard(socket, "track_started")[-1][1]
            assert started["at"] == pytest.approx(2000 / FPS)
        assert served.http.get(f"/streams/{stream}").json()["frames"] >= 2005


def test_a_reader_who_takes_nothing_does_not_hold_up_the_stream(served: Served) -> None:
    """It asks for skeletons and never reads; the people are followed all the same."""
    stream = served.open()
    crowd = frames_of(*(poses(n, 240, x=300 * n) for n in range(1, 20)))
    with served.socket(stream, "?skeletons=true"), served.socket(stream) as camera:
        for start in range(0, 240, 20):
            camera.send(json.dumps({"frames": crowd[start : start + 20]}))
        camera.send(json.dumps({"frames": [{"people": []}] * 30}))
        heard(camera, "track_ended")
        assert served.http.get(f"/streams/{stream}").json()["frames"] >= 240
