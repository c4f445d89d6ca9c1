"""A recording played into a stream, as a camera would send it: at its own pace, or faster."""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from model.errors import InvalidRequest
from model.readers import Recording, Track
from model.sequence import Floats

TIMEOUT_S = 30.0
SUBPROTOCOL = "gaitkeeper"
# After the last frame, this long without anybody in view has everybody leave.
EMPTY_S = 1.5

Event: TypeAlias = tuple[str, dict[str, Any]]
Seen: TypeAlias = tuple[str, Floats]


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service is, and the key that it asks for, if it does."""

    url: str
    key: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def open(self, wanted: dict[str, Any]) -> str:
        """The id of a new stream. Raises `InvalidRequest` where the service cannot be reached, or refuses."""
        return str(self._asked("POST", "/streams", json=wanted)["id"])

    def end(self, stream: str) -> None:
        self._asked("DELETE", f"/streams/{quote(stream)}")

    @contextmanager
    def socket(self, stream: str) -> Iterator[ClientConnection]:
        """The stream's socket. Raises `InvalidRequest`, also where the connection breaks."""
        protocols = [Subprotocol(each) for each in (SUBPROTOCOL, *([f"bearer.{self.key}"] if self.key else []))]
        address = self.url.rstrip("/").replace("http", "ws", 1) + f"/streams/{quote(stream)}"
        with ExitStack() as open_socket:
            try:
                socket = open_socket.enter_context(
                    connect(address, subprotocols=protocols, open_timeout=TIMEOUT_S, max_queue=None)
                )
            except (OSError, WebSocketException) as error:
                raise InvalidRequest("--to", f"{self.url}: {error}") from error
            try:
                yield socket
            except ConnectionClosed as error:
                raise InvalidRequest("--to", f"{self.url}: the connection broke: {error}") from error

    def _asked(self, method: str, path: str, **more: Any) -> Any:
        try:
            response = httpx.request(
                method, self.url.rstrip("/") + path, headers=self.headers, timeout=TIMEOUT_S, **more
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise InvalidRequest("--to", f"{self.url} cannot be asked: {error}") from error
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            raise InvalidRequest("GAITKEEPER_API_KEY", f"{self.url} asks for a key that is good, and this is none")
        if response.is_error:
            raise InvalidRequest("--to", f"{self.url} answers {response.status_code}: {_detail(response)}")
        return response.json() if response.content else None


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return response.reason_phrase


def play(
    service: Service, recording: Recording, wanted: dict[str, Any], speed: float, tell: Callable[[Event], object]
) -> None:
    """Send the frames of everybody in a recording, `speed` times as fast as they were recorded (0: as fast as the
    service takes them), and `tell` each event. Returns after the last word on everybody.

    wanted: what of `OpenStream` is not the recording's to say. Raises `InvalidRequest` where the service cannot be
    reached, or refuses; whatever it raises, the stream is ended.
    """
    first = recording.tracks[0].sequence
    form = {"layout": first.layout.name, "fps": first.fps, "units": first.units.value, "dims": first.dims}
    stream = service.open({**form, **({"aspect": first.aspect} if first.aspect else {}), **wanted})
    messages = _messages(recording.tracks, first.fps, with_ids=bool(wanted.get("trust_ids")))
    refused: list[str] = []
    try:
        with service.socket(stream) as socket:
            threading.Thread(target=_send, args=(socket, messages, first.fps * speed), daemon=True).start()
            for message in socket:
                body = json.loads(message)
                if body["event"] == "problem":
                    refused.append(body["data"].get("detail", body["data"]["title"]))
                tell((body["event"], body["data"]))
    except BaseException:
        with suppress(InvalidRequest):
            service.end(stream)
        raise
    if refused:
        raise InvalidRequest("--to", f"{service.url} refuses: {refused[0]}")


def _send(socket: ClientConnection, messages: Iterator[str], rate: float) -> None:
    """Frames at so many a second (0: at once), until they or the connection end."""
    began = time.monotonic()
    with suppress(ConnectionClosed):
        for number, message in enumerate(messages):
            if rate and (early := began + number / rate - time.monotonic()) > 0:
                time.sleep(early)
            socket.send(message)


def _messages(tracks: Sequence[Track], fps: float, *, with_ids: bool) -> Iterator[str]:
    for people in frames_of(tracks):
        yield _message(people, with_ids=with_ids)
    for _ in range(math.ceil(EMPTY_S * fps)):
        yield _message([], with_ids=with_ids)
    yield json.dumps({"end": True})


def _message(people: list[Seen], *, with_ids: bool) -> str:
    found: list[dict[str, Any]] = [
        {"joints": pose[:, :-1].tolist(), "confidence": pose[:, -1].tolist(), **({"id": name} if with_ids else {})}
        for name, pose in people
    ]
    return msgspec.json.encode({"people": found}).decode()


def frames_of(tracks: Sequence[Track]) -> Iterator[list[Seen]]:
    """Everybody in each frame, from the first frame of the first track to the last one of the last."""
    starts = [track.first_frame for track in tracks]
    ends = [track.first_frame + track.sequence.frames for track in tracks]
    for number in range(min(starts), max(ends)):
        yield [
            (track.name, pose)
            for track, start, end in zip(tracks, starts, ends, strict=True)
            if start <= number < end and (pose := _pose(track, number - start))[:, -1].any()
        ]


def _pose(track: Track, frame: int) -> Floats:
    sequence = track.sequence
    return np.concatenate([sequence.joints[frame], sequence.confidence[frame, :, None]], axis=-1)
