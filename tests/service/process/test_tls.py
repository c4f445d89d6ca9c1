"""HTTPS by the service itself, over a real socket, with a certificate that signs itself."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fastapi import FastAPI, WebSocket
from starlette.requests import Request

from model.errors import InvalidRequest
from service.operation.life import Life
from service.process.server import running
from service.process.tls import Certificate, context_of
from service.settings import Settings
from service.sse import Listeners


def certificate(folder: Path, name: str = "one", passphrase: bytes | None = None) -> Certificate:
    """A new key and a certificate that it signs itself, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    sealed = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)
    chain, private = folder / "chain.pem", folder / "key.pem"
    # Replaced as a whole, as a program that renews certificates does it.
    for path, content in ((chain, made.public_bytes(serialization.Encoding.PEM)), (private, key.private_bytes(*form))):
        fresh = path.with_suffix(".new")
        fresh.write_bytes(content)
        fresh.replace(path)
    return Certificate(chain, private)


@contextmanager
def serving(given: Certificate) -> Iterator[str]:
    app = FastAPI()
    app.state.life, app.state.listeners = Life(), Listeners()

    @app.get("/scheme")
    async def scheme(request: Request) -> str:
        return request.url.scheme

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(socket.url.scheme)

    settings = Settings.read({}, port=0, tls_certificate=given.chain, tls_key=given.key)
    with running(app, settings) as where:
        yield where


def seen(where: str) -> x509.Certificate:
    """The certificate that is shown to whoever connects."""
    url = httpx.URL(where)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((url.host, url.port)) as plain, context.wrap_socket(plain) as caller:
        shown = caller.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_https_and_wss_are_answered_and_plain_http_is_not(tmp_path: Path) -> None:
    given = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=given.chain)
    with serving(given) as where:
        assert where.startswith("https://127.0.0.1:")
        assert httpx.get(f"{where}/scheme", verify=trusting).json() == "https"

        async def talk() -> str:
            async with websockets.connect(f"{where.replace('https', 'wss')}/echo", ssl=trusting) as caller:
                return str(await caller.recv())

        assert asyncio.run(talk()) == "wss"
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{where}/scheme")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{where}/scheme".replace("https", "http"))


def test_what_is_older_than_tls_1_2_is_refused(tmp_path: Path) -> None:
    with serving(certificate(tmp_path)) as where:
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{where}/scheme", verify=old)


def test_a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_is_not(tmp_path: Path) -> None:
    given = certificate(tmp_path, "one")
    with serving(given) as where:
        first = seen(where)
        certificate(tmp_path, "two")
        seen(where)  # whoever connects first finds it
        second = seen(where)
        assert second.subject != first.subject
        given.key.write_bytes(b"half of it")
        for _ in range(3):
            assert seen(where) == second
        assert httpx.get(f"{where}/scheme", verify=ssl.create_default_context(cafile=given.chain)).json() == "https"


@pytest.mark.parametrize("wrong", ["missing", "nonsense", "another key", "passphrase"])
def test_a_certificate_that_cannot_be_used_is_said_before_anything_is_served(tmp_path: Path, wrong: str) -> None:
    given = certificate(tmp_path, passphrase=b"secret" if wrong == "passphrase" else None)
    if wrong == "missing":
        given.chain.unlink()
    elif wrong == "nonsense":
        given.key.write_text("nonsense")
    elif wrong == "another key":
        kept = given.chain.read_bytes()
        certificate(tmp_path)
        given.chain.write_bytes(kept)
    with pytest.raises(InvalidRequest, match="tls_"):
        context_of(given)
