"""A stream to or from a caller ends when the key does, however long it was to go on."""

from starlette.types import Message, Receive, Send

from service.access.caller import Caller
from service.access.ring import KeyRing

# RFC 6455, 7.4.1: against the policy.
_POLICY = 1008


class Ending:
    """`receive` and `send` of one connection: after the key was revoked or has expired, nothing more comes in or goes
    out of a WebSocket or a stream of server-sent events. A plain answer is finished: it was asked for in time."""

    def __init__(self, ring: KeyRing, caller: Caller, kind: str, receive: Receive, send: Send) -> None:
        self._ring, self._caller = ring, caller
        self._receive, self._send = receive, send
        self._socket, self._stream, self._ended = kind == "websocket", False, False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "websocket.receive" and not self._ring.holds(self._caller):
            await self._end()
            return {"type": "websocket.disconnect", "code": _POLICY}
        return message

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._stream = _is_events(message)
        if self._ended:
            return
        lasting = kind == "websocket.send" or (self._stream and kind == "http.response.body")
        if lasting and not self._ring.holds(self._caller):
            await self._end()
        else:
            await self._send(message)

    async def _end(self) -> None:
        self._ended = True
        if self._socket:
            await self._send({"type": "websocket.close", "code": _POLICY, "reason": "the key is no longer good"})
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _is_events(start: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in start["headers"])
