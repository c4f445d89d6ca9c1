"""The socket of a stream: frames in, events out, on one connection.

A message that cannot be taken is answered with an event `problem`, and the next one is another chance.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from model.errors import Conflict, GaitkeeperError
from service.access.caller import Caller
from service.errors import malformed, problem_of, refused_body
from service.problem import Problem
from service.sse import Listeners
from service.streams.asked import StreamMessage
from service.streams.frames import Arrived, arrived, decoder, raw_frames
from service.streams.rendered import rendered
from service.streams.stream import Stream

Form = Literal["msgpack", "float32"]

MESSAGE_BYTES = 1024 * 1024
INLINE_BYTES = 128 * 1024
# A reader that takes nothing for so long is gone.
STALLED_S = 30.0
PROBLEMS = 100
SUBPROTOCOL = "gaitkeeper"
# RFC 6455, 7.4.1
DONE, GOING_AWAY, POLICY, TOO_BIG = 1000, 1001, 1008, 1009


class Socket:
    """One connection. binary: what messages that are not text hold. skeletons: tell of every frame, too."""

    def __init__(
        self, socket: WebSocket, stream: Stream, caller: Caller, people: int, *, binary: Form, skeletons: bool
    ) -> None:
        self._socket, self._stream, self._caller = socket, stream, caller
        self._people, self._binary, self._skeletons = people, binary, skeletons
        self._refused = 0
        self._sending = asyncio.Lock()

    async def converse(self, listeners: Listeners) -> None:
        """Until the stream ends, the caller hangs up or the service stops."""
        offered = self._socket.scope.get("subprotocols", [])
        with listeners.entered(self._caller.id):
            async with self._stream.listen(skeletons=self._skeletons) as events:
                await self._socket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)

                async def tell() -> int:
                    async for event in events:
                        name, body = rendered(event, self._stream, self._caller)
                        await self._send(name, body)
                    ending = self._stream.ending
                    return GOING_AWAY if ending is not None and ending.reason == "shutdown" else DONE

                async def leave() -> int:
                    await listeners.left()
                    await self._stream.end("shutdown")
                    return await asyncio.Future()  # the last event is on its way

                code = await _first(tell, self._read, leave)
        if code is not None and self._socket.client_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close(code)

    async def _send(self, name: str, body: msgspec.Struct) -> None:
        message = b'{"event":%b,"data":%b}' % (msgspec.json.encode(name), msgspec.json.encode(body))
        async with self._sending:
            async with asyncio.timeout(STALLED_S):
                await self._socket.send_text(message.decode())

    async def _read(self) -> int | None:
        """Takes frames in; the code to close with, None where the caller hung up."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text, binary = message.get("text"), message.get("bytes")
            body = text.encode() if text is not None else binary or b""
            if len(body) > MESSAGE_BYTES:
                return TOO_BIG
            problem = await self._taken(body, is_text=text is not None)
            if problem is not None:
                self._refused += 1
                await self._send("problem", problem)
                if self._refused >= PROBLEMS:
                    return POLICY

    async def _taken(self, body: bytes, *, is_text: bool) -> Problem | None:
        """Hand the frames of a message to the stream; why not, if it cannot be."""
        try:
            read = self._text if is_text else self._other
            frames, end = read(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(read, body)
            await self._stream.inlet.put(frames)
            if end:
                await self._stream.end("deleted")
        except Conflict:
            return None  # the stream has ended; its last event says why
        except GaitkeeperError as error:
            return problem_of(error)
        except msgspec.ValidationError as error:
            return problem_of(refused_body(error))
        except msgspec.DecodeError as error:
            return malformed(str(error))
        return None

    def _text(self, body: bytes) -> tuple[list[Arrived], bool]:
        return self._structured("application/json", body)

    def _other(self, body: bytes) -> tuple[list[Arrived], bool]:
        if self._binary == "float32":
            return raw_frames(body, self._stream.opening.form, self._people), False
        return self._structured("application/msgpack", body)

    def _structured(self, kind: str, body: bytes) -> tuple[list[Arrived], bool]:
        """The frames of a message, and whether they are the last."""
        message: StreamMessage = decoder(kind)(StreamMessage, body)
        return arrived(message.each(), self._stream.opening.form, self._people), message.end


async def _first(*works: Callable[[], Coroutine[Any, Any, int | None]]) -> int | None:
    """What the first of them to end gives; the others are cancelled. A stalled reader breaks the policy."""
    tasks = [asyncio.ensure_future(work()) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(iter(done)).result()
    except TimeoutError:
        return POLICY
    except WebSocketDisconnect:
        return None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
