"""A service with two tenants: everything there can be in the gallery `theirs`, and somebody of `ours` who looks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from gallery.api_keys import id_of
from gallery.library import Library
from tests.service.access.keyed import EVERYTHING, Keyed, bearer, key_for, keyed_service
from tests.service.conftest import person

# What could be a number, a name or an id of something, and is of nothing.
NOTHING = {
    "subject": "nobody",
    "template": "999999",
    "erasure": "00000000-0000-4000-8000-000000000000",
    "job": "00000000-0000-4000-8000-000000000000",
    "stream": "s00000000000000000000",
    "webhook": "00000000-0000-4000-8000-000000000000",
    "key": "aaaaaaaaaaaa",
}
OPEN_STREAM = {"layout": "coco-17", "fps": 25}


@dataclass
class World:
    """owner: a key that may everything everywhere. intruder: one that may everything, in `ours` only. theirs: what
    there is in the gallery `theirs`, as paths name it."""

    service: Keyed
    owner: str
    intruder: str
    theirs: dict[str, str] = field(default_factory=dict)

    def told(self, response: httpx.Response, *names: str) -> tuple[int, str]:
        """What a caller is told, with these names taken out, and the id that every request has."""
        body = response.text
        for name in sorted(filter(None, (*names, response.headers.get("x-request-id", ""))), key=len, reverse=True):
            body = body.replace(name, "…")
        return response.status_code, body

    def knock(self, key: str | None, path: str) -> tuple[int, str]:
        """How a WebSocket is refused: status and problem, without the request's id."""
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        headers = [(name.lower().encode(), value.encode()) for name, value in bearer(key or "").items()]
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "scheme": "ws"}
        scope |= {"headers": [(b"host", b"localhost"), *headers], "subprotocols": [], "client": ("127.0.0.1", 1)}
        scope |= {"extensions": {"websocket.http.response": {}}, "asgi": {"version": "3.0"}}
        self.service.http._portal.call(self.service.http.app, scope, receive, send)
        assert sent[0]["type"] == "websocket.http.response.start", sent
        problem = json.loads(b"".join(message.get("body", b"") for message in sent[1:]))
        problem.pop("instance", None)
        return sent[0]["status"], json.dumps(problem)

    def ask(self, key: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        return self.service.ask(key, method, path, **more)


@contextmanager
def two_tenants(library: Library, model: Any) -> Iterator[World]:
    with keyed_service(library, model) as service:
        world = World(service, key_for(library.store), key_for(library.store, EVERYTHING, "ours"))
        _settle(world)
        yield world


def _settle(world: World) -> None:
    def done(method: str, path: str, expect: int, **body: Any) -> dict[str, Any]:
        answer = world.ask(world.owner, method, path, json=body or None)
        assert answer.status_code == expect, (path, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    for gallery, subject in (("ours", "olga"), ("theirs", "thea"), ("theirs", "theo")):
        done("POST", f"/galleries/{gallery}/subjects/{subject}/templates", 201, sequence=person(len(world.theirs)))
        shown = done("GET", f"/galleries/{gallery}/subjects/{subject}", 200)
        world.theirs |= {"subject": subject, "template": str(shown["templates"][0]["template"])}
    erased = done("DELETE", "/galleries/theirs/subjects/theo", 200)
    job = done("POST", "/galleries/theirs/enrollments", 202, items=[{"subject": "thea", "sequence": person(5)}])
    stream = done("POST", "/streams", 201, **OPEN_STREAM, gallery="theirs")
    webhook = done("POST", "/webhooks", 201, url="https://93.184.216.34/told", gallery="theirs")
    key = id_of(key_for(world.service.store, EVERYTHING, "theirs")) or ""
    world.theirs = {
        **{"gallery": "theirs", "subject": "thea"},
        "template": str(done("GET", "/galleries/theirs/subjects/thea", 200)["templates"][0]["template"]),
        **{
            "erasure": erased["erasure"],
            "job": job["id"],
            "stream": stream["id"],
            "webhook": webhook["id"],
            "key": key,
        },
    }
