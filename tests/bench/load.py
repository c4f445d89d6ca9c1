"""A lean load generator: requests made beforehand, over a few kept connections on loopback, answers counted."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

import uvloop


def request_bytes(where: str, path: str, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """A whole POST request; its body is JSON unless `headers` say otherwise."""
    named = {"Host": urlsplit(where).netloc, "Content-Type": "application/json", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One kept connection, one request at a time, with nothing between us and the socket."""

    def __init__(self, where: str) -> None:
        parts = urlsplit(where)
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> bytes:
        """The body of a 200 answer; anything else is an error."""
        self._socket.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        assert received.startswith(b"HTTP/1.1 200"), received
        wanted = end + 4 + _content_length(received[:end])
        while len(received) < wanted:
            received += self._more()
        return received[end + 4 :]

    def _more(self) -> bytes:
        found = self._socket.recv(65536)
        if not found:
            raise ConnectionError("the service hung up")
        return found

    def close(self) -> None:
        self._socket.close()


def _content_length(head: bytes) -> int:
    line = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(line.partition(b":")[2])


@dataclass(frozen=True, slots=True)
class Load:
    """What a run at one concurrency came to. cpu: seconds of processor time that the generator itself took. waits:
    seconds of each request, in the order of the answers. statuses: how many answers of each."""

    requests: int
    seconds: float
    cpu: float
    waits: tuple[float, ...] = ()
    statuses: Mapping[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def drive(where: str, requests: Sequence[bytes], concurrency: int) -> Load:
    """Send all requests, each of `concurrency` connections taking the next one as soon as it is answered."""
    return uvloop.run(_drive(where, requests, concurrency))


async def _drive(where: str, requests: Sequence[bytes], concurrency: int) -> Load:
    parts = urlsplit(where)
    waiting = iter(requests)
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(concurrency)]

    waits: list[float] = []
    statuses: Counter[int] = Counter()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_content_length(head))
            waits.append(time.perf_counter() - sent)
            statuses[int(head[9:12])] += 1

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(*connection) for connection in connections))
    seconds = time.perf_counter() - began
    load = Load(len(requests), seconds, time.process_time() - cpu, tuple(waits), dict(statuses))
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()
    return load
