"""A camera of the tests: it opens a stream, sends frames of people, and has what was told of them."""

import json
import time
from concurrent.futures import Future
from typing import Any

import httpx
import numpy as np

from gallery.library import Library
from gallery.template import NewTemplate
from model.inference import embed
from model.sequence import Floats
from tests.fakes import FakeEncoder, walking
from tests.service.client import Client

FPS = 25.0


def poses(subject: int, frames: int, *, x: float = 0.0, seed: int = 5, speed: float = 0.0) -> Floats:
    """(frames, 17, 3) of somebody at x, who moves on by `speed` pixels a second."""
    sequence = walking(subject, frames, seed=seed)
    found = np.concatenate([sequence.joints, sequence.confidence[..., None]], axis=-1)
    found[..., 0] += x + speed * np.arange(frames)[:, None] / FPS
    return found.astype(np.float32)


def frames_of(*people: Floats) -> list[dict[str, Any]]:
    """Frames as they are sent, with everybody in each; None of `people` need be as long as the longest."""
    longest = max(map(len, people))
    return [{"people": [person(each[t]) for each in people if t < len(each)]} for t in range(longest)]


def person(pose: Floats, **more: Any) -> dict[str, Any]:
    return {"joints": pose[:, :-1].tolist(), "confidence": pose[:, -1].tolist(), **more}


def enroll(library: Library, encoder: FakeEncoder, **subjects: int) -> None:
    """Enroll fake walkers under these ids."""
    new = [
        NewTemplate(name, embed(encoder, [walking(number, 90, seed=1)])[0], source=name)
        for name, number in subjects.items()
    ]
    library.enroll("default", new, fingerprint=encoder.fingerprint)


class Camera:
    """POSTs frames to a stream, and listens to its server-sent events."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def open(self, **more: Any) -> str:
        response = self.client.post("/streams", json={"layout": "coco-17", "fps": FPS, **more})
        assert response.status_code == 201, response.text
        found: str = response.json()["id"]
        assert response.headers["location"].endswith(f"/streams/{found}")
        return found

    def state(self, stream: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/streams/{stream}").json()
        return found

    def listen(self, stream: str, query: str = "") -> "Future[httpx.Response]":
        """Listen from now on: returns when the service does."""
        before = self.state(stream)["listeners"]
        answer = self.client.soon("GET", f"/streams/{stream}/events{query}")
        self.until(lambda: self.state(stream)["listeners"] > before)
        return answer

    def send(self, stream: str, frames: list[dict[str, Any]]) -> None:
        """Send frames, waiting while there is no room."""
        for start in range(0, len(frames), 100):
            body = {"frames": frames[start : start + 100]}
            self.until(lambda body=body: self._sent(stream, body))

    def _sent(self, stream: str, body: Any) -> bool:
        response = self.client.post(f"/streams/{stream}/frames", json=body)
        assert response.status_code in (202, 429), response.text
        return response.status_code == 202

    def played(self, frames: list[dict[str, Any]], query: str = "", **more: Any) -> list[tuple[str, dict[str, Any]]]:
        """All that is told of these frames, to the end of their stream."""
        stream = self.open(**more)
        answer = self.listen(stream, query)
        self.send(stream, frames)
        assert self.client.delete(f"/streams/{stream}").status_code == 204
        return events_in(answer.result(60).text)

    def until(self, true: Any) -> None:
        for _ in range(2000):
            if true():
                return
            time.sleep(0.01)
        raise AssertionError("it never came true")


def events_in(text: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, body) of each server-sent event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "event" in lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


def only(name: str, events: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [body for each, body in events if each == name]
