"""One POST over a connection of its own: bounded in time and in what is read, and redirected nowhere.

Only the status is wanted of the answer, so only its head is read. The address is the one that was checked; the
certificate is held against the name.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from typing import Final

from service.webhooks.address import Target

HEAD_BYTES: Final = 16 * 1024
_READ: Final = 4096


class NoAnswer(Exception):
    """Nothing that is an HTTP answer came; `reason` is a machine-readable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def post(target: Target, address: str, headers: Mapping[str, str], body: bytes, within_s: float) -> int:
    """The status of the answer to a POST at this address of the target. Raises `NoAnswer`."""
    end = time.monotonic() + within_s
    try:
        with (
            socket.create_connection((address, target.port), timeout=within_s) as plain,
            _wrapped(target, plain, end) as sock,
        ):
            sock.settimeout(_left(end))
            sock.sendall(_request(target, headers, body))
            return _status(sock, end)
    except TimeoutError:
        raise NoAnswer("timeout") from None
    except ssl.SSLError:
        raise NoAnswer("tls") from None
    except OSError:
        raise NoAnswer("connection") from None


def _wrapped(target: Target, plain: socket.socket, end: float) -> socket.socket:
    if not target.secure:
        return plain.dup()
    plain.settimeout(_left(end))
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {target.authority}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("ascii") + body


def _status(sock: socket.socket, end: float) -> int:
    """The status of the first head that is not an interim one (1xx)."""
    head = b""
    while True:
        while b"\r\n\r\n" not in head:
            sock.settimeout(_left(end))
            read = sock.recv(_READ)
            head += read
            # The head of a last answer need not be whole: its first line says it.
            if not read or len(head) > HEAD_BYTES or (b"\r\n" in head and _code(head) >= 200):
                return _final(_code(head))
        if (code := _code(head)) >= 200:
            return _final(code)
        head = head.partition(b"\r\n\r\n")[2]


def _final(code: int) -> int:
    if code < 200:
        raise NoAnswer("not_http")
    return code


def _code(head: bytes) -> int:
    """The status of a status line (RFC 9112, section 4). Raises `NoAnswer` for anything else."""
    version, _, rest = head.partition(b"\r\n")[0].partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit() or len(rest[:3]) < 3:
        raise NoAnswer("not_http")
    return int(rest[:3])


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
