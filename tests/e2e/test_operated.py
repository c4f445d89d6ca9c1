"""A service as an operator meets it: its bundles are opened again by a signal, its traces arrive, its logs name nobody,
and it ends in order."""

import json
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from httpx import TransportError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from model.bundle import DEFAULT_ENCODER, shipped
from tests.e2e.command import serving, stranger, walk

PATIENCE_S = 60.0
SECRET = "ann-of-the-secret-name"


class Collector(ThreadingHTTPServer):
    """Takes traces by OTLP over HTTP. spans: names of those that came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.spans: list[str] = []
        self.content = b""


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.content += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.server.spans += [each.name for each in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.05)


def test_a_service_is_operated(tmp_path: Path) -> None:
    bundle = tmp_path / "encoder"
    shutil.copytree(shipped(DEFAULT_ENCODER), bundle)
    log = tmp_path / "data.log"
    with collecting() as collector:
        more = {
            "GAITKEEPER_ENCODER": str(bundle),
            "GAITKEEPER_ACCESS_LOG": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with serving(tmp_path / "data", **more) as service:
            assert service.enroll(SECRET, walk(1)).status_code == 201
            found = service.identify(walk(1, 3)).json()
            assert found["subject"] == SECRET
            service.identify(stranger())
            for path in (f"/galleries/default/subjects/{SECRET}", f"/nowhere/{SECRET}", f"/erasures/{SECRET}"):
                service.http.get(path, headers={"X-Request-Id": "mine-1"})
            service.http.post("/identify", json={"sequence": {"layout": SECRET}})
            service.http.post("/verify", json={"subject": f"{SECRET}-2", "sequence": walk(2)})

            before = service.http.get("/models").json()["models"][0]
            service.process.send_signal(signal.SIGHUP)
            until(lambda: "models were opened again" in log.read_text())
            after = service.http.get("/models").json()["models"][0]
            assert (after["fingerprint"], after["name"]) == (before["fingerprint"], before["name"])
            assert service.identify(walk(1, 3)).json()["score"] == found["score"]

            (bundle / "encoder.onnx").write_bytes(b"nothing")
            service.process.send_signal(signal.SIGHUP)
            until(lambda: "the models are as they were" in log.read_text())
            assert service.identify(walk(1, 3)).json()["score"] == found["score"]
            until(lambda: "POST /identify" in collector.spans)

            answered: list[int] = []

            def ask() -> None:
                # Who comes when nobody listens any more is not answered; who was let in is (test_shutdown.py).
                with httpx.Client(base_url=service.http.base_url, timeout=PATIENCE_S) as http, suppress(TransportError):
                    answered.append(http.post("/identify", json={"sequence": walk(1, 3)}).status_code)

            asking = [threading.Thread(target=ask) for _ in range(8)]
            for each in asking:
                each.start()
            until(lambda: answered)
            service.process.send_signal(signal.SIGTERM)
            for each in asking:
                each.join()
            assert service.process.wait(30) == 0
            assert set(answered) <= {200, 503}
    assert {"encode", "search"} <= set(collector.spans), "the last ones were sent at the end"
    assert SECRET.encode() not in collector.content
    said = [json.loads(line) for line in log.read_text().splitlines()]
    asked = [line for line in said if line["event"] == "answered"]
    assert {"mine-1"} < {line["request_id"] for line in asked}
    assert {line["caller"] for line in asked if line["status"] != 503} == {"loopback"}
    assert "/galleries/{gallery}/subjects/{subject}" in {line["route"] for line in asked}
    assert re.fullmatch("[0-9a-f]{32}", asked[0]["trace_id"])
    text = log.read_text()
    assert SECRET not in text
    assert f"{found['score']:.6f}"[:6] not in text, "a score"
