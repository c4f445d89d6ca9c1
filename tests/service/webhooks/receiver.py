"""A receiver of webhooks on this machine, which answers what it is told to."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Got:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Receiver:
    """statuses: of the answers to come, 200 when there is none left. got: what came."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait(self, count: int, within_s: float = 15.0) -> list[Got]:
        """What came, when so many came."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, within_s), f"{len(self.got)} of {count} came"
            return list(self.got)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with receiver.arrived:
                receiver.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                receiver.arrived.notify_all()
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(b"x" * 100_000)

        def log_message(self, *_: object) -> None:
            """Not to the terminal."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # nobody reads the body of the answer
                return

    return Handler


@contextmanager
def receiving(wrap: Callable[[ssl.SSLContext], None] | None = None) -> Iterator[Receiver]:
    """A receiver, with TLS if `wrap` gives a context its certificate."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    scheme = "http"
    if wrap is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        wrap(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    receiver.url = f"{scheme}://localhost:{server.server_address[1]}/hook?a=b"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
