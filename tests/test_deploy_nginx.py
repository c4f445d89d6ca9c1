"""deploy/nginx/gaitkeeper.conf in a real nginx, before a real service: TLS, bodies, events and WebSockets."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from gallery.library import Library
from gallery.store.api_keys import make_first_key
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.conftest import open_library, person

CONFIG = Path(__file__).parent.parent / "deploy" / "nginx" / "gaitkeeper.conf"
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/gaitkeeper.conf;
}}
"""


@dataclass(frozen=True)
class Front:
    """A service behind nginx, as a caller with a key meets it. plain: where HTTP without TLS is answered."""

    http: httpx.Client
    plain: str
    secure: str
    key: str
    trust: ssl.SSLContext
    service: Any

    def socket(self, stream: str) -> Any:
        where = self.secure.replace("https", "wss", 1)
        headers = {"Authorization": f"Bearer {self.key}"}
        return connect(f"{where}/streams/{stream}", ssl=self.trust, additional_headers=headers, open_timeout=20)

    def stream(self) -> str:
        opened = self.http.post("/streams", json={"layout": "coco-17", "fps": 25})
        assert opened.status_code == 201, opened.text
        found: str = opened.json()["id"]
        return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def certificate(folder: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    subprocess.run([*made, *subject, *files], check=True, capture_output=True)


def configured(folder: Path, service: str, plain: int, secure: int) -> Path:
    """The example with this machine's ports and files in it, and nothing else of it changed."""
    text = CONFIG.read_text()
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "127.0.0.1:8000;": f"{httpx.URL(service).host}:{httpx.URL(service).port};",
        "/etc/ssl/gaitkeeper/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "gaitkeeper.conf").write_text(text)
    main = folder / "nginx.conf"
    # Its workers give up root's rights, and could not write into our folder then.
    main.write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return main


@contextlib.contextmanager
def fronted(folder: Path, service: str) -> Iterator[tuple[int, int]]:
    """nginx before a service; gives its ports."""
    certificate(folder)
    plain, secure = free_port(), free_port()
    # Debian has it where only root's shells look.
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "these tests need nginx: apt install nginx-light"
    line = [program, "-c", str(configured(folder, service, plain, secure)), "-p", str(folder)]
    checked = subprocess.run([*line, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    nginx = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", secure), 1):
                break
            assert nginx.poll() is None
        yield plain, secure
    finally:
        nginx.terminate()
        nginx.wait(20)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder, encoder = tmp_path_factory.mktemp("nginx"), FakeEncoder()
    library: Library = open_library(tmp_path_factory.mktemp("data"), encoder)
    made = make_first_key(library.store)
    assert made is not None
    settings = Settings.read({}, port=0, trusted_proxies="127.0.0.1", shutdown_seconds=10)
    engine = Engine(encoder, FakeClassifier(), library, settings.limits, Metrics())
    behind = contextlib.ExitStack()
    where = behind.enter_context(running(create_app(settings, engine), settings))
    with behind, fronted(folder, where) as (plain, secure):
        trust = ssl.create_default_context(cafile=folder / "fullchain.pem")
        address, headers = f"https://localhost:{secure}", {"Authorization": f"Bearer {made[1]}"}
        with httpx.Client(base_url=address, headers=headers, verify=trust, timeout=30) as http:
            yield Front(http, f"http://127.0.0.1:{plain}", address, made[1], trust, behind)


def test_plain_http_is_sent_to_tls_and_loses_no_body_on_the_way(front: Front) -> None:
    answer = httpx.post(f"{front.plain}/identify", content=b"{}")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://127.0.0.1/identify")


def test_a_request_is_answered_and_its_id_is_nginx_s(front: Front) -> None:
    enrolled = front.http.post("/galleries/default/subjects/ada%20l/templates", json={"sequence": person(1)})
    assert enrolled.status_code == 201
    answer = front.http.post("/v1/identify", json={"sequence": person(1, seed=3)})
    assert answer.json()["subject"] == "ada l"
    assert answer.headers["strict-transport-security"]
    assert len(answer.headers["x-request-id"]) == 32


def test_without_a_key_nobody_gets_through(front: Front) -> None:
    assert httpx.get(f"{front.secure}/galleries", verify=front.trust).status_code == 401


def test_the_audit_log_has_the_address_that_nginx_saw_and_not_what_the_caller_claims(front: Front) -> None:
    front.http.post("/galleries", json={"name": "claimed"}, headers={"X-Forwarded-For": "6.6.6.6"})
    entries = front.http.get("/audit", params={"limit": 1000}).json()["entries"]
    actors = [each["actor"] for each in entries if each["action"] == "create"]
    assert actors[-1].endswith("@127.0.0.1")


@pytest.mark.parametrize("path", ["/identify", "/v1/identify"])
def test_a_body_that_is_too_large_is_refused_as_the_service_would(front: Front, path: str) -> None:
    answer = front.http.post(path, content=b" " * 5_000_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:gaitkeeper:problem:limit-exceeded"
    assert answer.json()["limit"] == Settings().limits.body_bytes


def test_events_come_as_they_happen(front: Front) -> None:
    stream = front.stream()
    with front.http.stream("GET", f"/streams/{stream}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = events.iter_lines()
        assert next(lines).startswith("retry:")
        front.http.delete(f"/streams/{stream}")
        assert "event: ended" in list(lines)


def test_a_web_socket_goes_through(front: Front) -> None:
    stream = front.stream()
    with front.socket(stream) as camera:
        joints = person(1)["joints"]
        for number in range(3):
            frame = {"frame": number, "people": [{"joints": joints[number]}]}
            camera.send(json.dumps(frame))
        front.http.delete(f"/streams/{stream}")
        told = []
        with contextlib.suppress(Exception):
            while True:
                told.append(json.loads(camera.recv(20))["event"])
    assert told[-1] == "ended"


def test_metrics_are_not_for_the_outside(front: Front) -> None:
    assert front.http.get("/metrics").status_code == 403


def test_a_service_that_is_away_is_said_with_a_time_to_come_back(tmp_path: Path) -> None:
    with fronted(tmp_path, f"http://127.0.0.1:{free_port()}") as (_, secure):
        trust = ssl.create_default_context(cafile=tmp_path / "fullchain.pem")
        answer = httpx.get(f"https://localhost:{secure}/readyz", verify=trust)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["type"] == "urn:gaitkeeper:problem:service-unavailable"
