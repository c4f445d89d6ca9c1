"""Deliveries over real sockets: signed, tried again, in order, and bounded."""

import datetime
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import update

from gallery.library import Library
from gallery.store import Store
from gallery.store.deliveries import News, add_deliveries
from gallery.store.schema import deliveries
from gallery.store.webhooks import Webhook, add_webhook, webhook
from service.client.signature import verify_signature
from service.webhooks.address import Target, target_of
from service.webhooks.post import NoAnswer, post
from service.webhooks.sender import LONGEST_S, Message, Sender, wait_s
from service.webhooks.signing import new_secret, signature
from tests.service.webhooks.receiver import Receiver, receiving

SECRET = "whsec_for-a-test"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@contextmanager
def sending(store: Store, **more: object) -> Iterator[Sender]:
    sender = Sender(store, private=True, every_s=0.02, **more)  # type: ignore[arg-type]
    sender.start()
    try:
        yield sender
    finally:
        sender.stop()


def told(store: Store, url: str, *bodies: str) -> Webhook:
    found = add_webhook(store, url, ["match"], "default", "loopback", SECRET.encode())
    add_deliveries(store, [News(found.id, "default", None, body) for body in bodies])
    return found


def until(holds: Callable[[], bool], within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def due_now(store: Store) -> None:
    """Time passes, as far as deliveries are concerned."""
    with store.write() as connection:
        connection.execute(update(deliveries).values(due=0))


def test_a_delivery_is_signed_and_says_which_it_is(library: Library, receiver: Receiver) -> None:
    with sending(library.store):
        found = told(library.store, receiver.url, '{"type":"decision.match"}')
        (got,) = receiver.wait(1)
        until(lambda: webhook(library.store, found.id).waiting == 0)
    assert (got.path, got.body) == ("/hook?a=b", b'{"type":"decision.match"}')
    assert got.headers["x-gaitkeeper-event"] == "decision.match"
    assert got.headers["x-gaitkeeper-delivery"].isdigit()
    assert got.headers["content-type"] == "application/json"
    header = got.headers["x-gaitkeeper-signature"]
    assert verify_signature(SECRET, header, got.body)
    assert not verify_signature(SECRET, header, got.body + b" ")
    assert not verify_signature("whsec_other", header, got.body)
    assert not verify_signature(SECRET, header, got.body, clock=lambda: time.time() + 301)


def test_secrets_are_of_256_bits_and_never_alike() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(first) == len("whsec_") + 43
    assert verify_signature(first, signature(first.encode(), int(time.time()), b"{}"), b"{}")


def test_what_is_not_received_is_tried_again_and_keeps_its_place(library: Library, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    store = library.store
    with sending(store):
        found = told(store, receiver.url, '{"n":1}', '{"n":2}')
        for tries in (1, 2):
            receiver.wait(tries)
            until(lambda: (webhook(store, found.id).error or "").startswith("refused"))
            due_now(store)
        got = receiver.wait(4)
    assert [each.body for each in got] == [b'{"n":1}', b'{"n":1}', b'{"n":1}', b'{"n":2}']
    assert len({each.headers["x-gaitkeeper-delivery"] for each in got[:3]}) == 1


def test_what_waits_outlives_the_process(library: Library, receiver: Receiver) -> None:
    found = told(library.store, receiver.url, '{"n":1}')
    with sending(library.store):
        receiver.wait(1)
        until(lambda: webhook(library.store, found.id).waiting == 0)


def test_redirects_are_not_followed(library: Library, receiver: Receiver) -> None:
    receiver.statuses = [302]
    found = Sender(library.store, private=True).tried(receiver.url, b"x", Message("1", "test", b"{}"))
    assert (found.received, found.status, found.error) == (False, 302, "redirect")
    assert len(receiver.got) == 1


def test_a_receiver_that_says_it_is_gone_is_told_no_more(library: Library, receiver: Receiver) -> None:
    receiver.statuses = [410]
    with sending(library.store):
        found = told(library.store, receiver.url, "{}", "{}")
        until(lambda: not webhook(library.store, found.id).active)
    assert webhook(library.store, found.id).waiting == 0


def test_after_a_day_it_is_given_up(library: Library, receiver: Receiver) -> None:
    receiver.statuses = [500]
    found = told(library.store, receiver.url, "{}")
    with library.store.write() as connection:
        connection.execute(update(deliveries).values(created=0))
    with sending(library.store):
        until(lambda: webhook(library.store, found.id).waiting == 0)
    assert len(receiver.got) == 1


def test_nothing_leads_to_this_machine_unless_it_may(library: Library, receiver: Receiver) -> None:
    sender = Sender(library.store, private=False)
    for url in (receiver.url, receiver.url.replace("http:", "https:"), "https://127.1/"):
        assert sender.tried(url, b"x", Message("1", "test", b"{}")).error == "address_not_allowed"
    assert receiver.got == []


def test_the_wait_grows_to_an_hour_and_no_two_are_alike() -> None:
    chance = random.Random(3)
    waits = [wait_s(attempt, chance) for attempt in range(1, 40)]
    assert waits[0] < 10
    assert all(LONGEST_S / 2 <= each <= LONGEST_S * 1.5 for each in waits[12:])
    assert len(set(waits)) == len(waits)


@contextmanager
def answering(content: bytes, *, keep: bool = False) -> Iterator[Target]:
    """A server that answers anybody with these bytes, and then hangs up unless it is to `keep` the line."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            if keep:
                held.append(connection)
            with suppress(OSError):  # whoever has heard enough hangs up
                connection.sendall(content)
                if not keep:
                    with connection:
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(4096)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield target_of(f"http://127.0.0.1:{server.getsockname()[1]}/", private=True)
        finally:
            for each in held:
                each.close()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.0 200\r\n", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\n", 201),
    ],
)
def test_the_status_is_read_from_any_answer(content: bytes, status: int) -> None:
    with answering(content) as target:
        assert post(target, "127.0.0.1", {}, b"{}", 5.0) == status


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"HTTP/1.1 abc\r\n", b"HTTP/2 200\r\n", b"x" * 100_000, b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_what_is_no_answer_is_said_to_be_none(content: bytes) -> None:
    with answering(content) as target, pytest.raises(NoAnswer) as none:
        post(target, "127.0.0.1", {}, b"{}", 5.0)
    assert none.value.reason in ("not_http", "connection")


def test_a_receiver_that_says_nothing_costs_no_more_than_its_time() -> None:
    with answering(b"", keep=True) as target, pytest.raises(NoAnswer) as none:
        post(target, "127.0.0.1", {}, b"{}", 0.2)
    assert none.value.reason == "timeout"


def test_nobody_is_there() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with pytest.raises(NoAnswer, match="connection"):
        post(target_of(f"http://127.0.0.1:{port}/", private=True), "127.0.0.1", {}, b"{}", 2.0)


def certified(folder: Path, name: str) -> Callable[[ssl.SSLContext], None]:
    """Gives a context a certificate for this name, signed by itself; it is in `cert.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1, now, now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return lambda context: context.load_cert_chain(folder / "cert.pem", folder / "key.pem")


@pytest.mark.parametrize(
    ("name", "trusted", "error"), [("localhost", True, None), ("localhost", False, "tls"), ("other", True, "tls")]
)
def test_a_certificate_must_be_trusted_and_of_the_name(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, error: str | None
) -> None:
    """The address is the one that was looked up; the name is what the certificate is held against."""
    wrap = certified(tmp_path, name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with receiving(wrap) as receiver:
        found = Sender(library.store, private=True).tried(receiver.url, b"x", Message("1", "test", b"{}"))
    assert (found.received, found.error) == (error is None, error)
