"""A lean load generator: requests made beforehand, over a few kept connections on loopback, answers counted."""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvloop


def request_bytes(where: str, path: str, body: bytes) -> bytes:
    """A whole POST request."""
    head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(where).netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


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
    assert head.startswith(b"HTTP/1.1 200"), head
    line = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(line.partition(b":")[2])


@dataclass(frozen=True, slots=True)
class Load:
    """What a run at one concurrency came to. cpu: seconds of processor time that the generator itself took."""

    requests: int
    seconds: float
    cpu: float

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

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in waiting:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_content_length(head))

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(*connection) for connection in connections))
    load = Load(len(requests), time.perf_counter() - began, time.process_time() - cpu)
    for _, writer in connections:
        writer.close()
        await writer.wait_closed()
    return load
