"""Without keys, only programs of this machine are answered, and no web page of another."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gallery.library import Library
from gallery.store import open_store
from model.errors import InvalidRequest
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import make_app

HERE = "127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory = tmp_path_factory.mktemp("loopback") / "data"
    shutil.copytree(made, directory)
    with started(make_app(Library(open_store(directory)), FakeEncoder())) as found:
        yield found


@pytest.mark.parametrize("host", [HERE, "localhost", "LOCALHOST:8000", "127.8.9.10:1", "[::1]:8000", "[::1]"])
def test_this_machine_by_its_own_address_is_answered(client: Client, host: str) -> None:
    answer = client.get("/whoami", headers={"Host": host})
    assert answer.json()["access"] == "loopback"
    assert answer.json()["id"] == "loopback"


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil"),
        *(
            "evil@127.0.0.1",
            "192.168.1.5",
            "0.0.0.0",
            "[::]",
            "[::1",
            "",
            "127.0.0.1:8000/x",
            "127.0.0.1, evil.example",
        ),
    ],
)
def test_a_name_that_only_points_here_is_not(client: Client, host: str) -> None:
    for path in ("/whoami", "/galleries", "/metrics", "/docs", "/console"):
        refused = client.get(path, headers={"Host": host})
        assert refused.status_code == 403, path
        assert refused.json()["type"] == "urn:gaitkeeper:problem:not-allowed"
    assert client.get("/healthz", headers={"Host": host}).status_code == 200, "whoever watches knows addresses only"


def test_two_hosts_are_none(client: Client) -> None:
    assert client.get("/whoami", headers=[("Host", HERE), ("Host", "evil.example")]).status_code == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8000", "http://127.0.0.1"]
)
def test_a_page_from_elsewhere_may_not_ask_through_a_browser_of_this_machine(client: Client, origin: str) -> None:
    headers = {"Host": HERE, "Origin": origin}
    assert client.post("/galleries", json={"name": "planted"}, headers=headers).status_code == 403
    assert client.get("/galleries/planted").status_code == 404


def test_the_console_that_was_served_from_here_may(client: Client) -> None:
    headers = {"Host": HERE, "Origin": f"http://{HERE}"}
    assert client.post("/galleries", json={"name": "asked for from here"}, headers=headers).status_code == 201


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_nothing_else_is_listened_at(host: str) -> None:
    with pytest.raises(InvalidRequest, match="loopback"):
        Settings.read({}, access="loopback", host=host)
    assert Settings.read({}, host=host).access == "keys"


def test_no_proxy_may_make_the_world_look_like_this_machine() -> None:
    with pytest.raises(InvalidRequest, match="proxy"):
        Settings.read({}, access="loopback", trusted_proxies="127.0.0.1")


@pytest.mark.parametrize("wrong", ["*", "proxy.example", "10.0.0.1/8", "10.0.0.0/33"])
def test_a_proxy_is_trusted_by_its_address_only(wrong: str) -> None:
    with pytest.raises(InvalidRequest, match="TRUSTED_PROXIES"):
        Settings.read({}, trusted_proxies=wrong)
    assert Settings.read({}, trusted_proxies="10.0.0.1, 10.1.0.0/16,::1").trusted_proxies


def test_half_a_certificate_is_none() -> None:
    with pytest.raises(InvalidRequest, match="together"):
        Settings.read({}, tls_certificate="a.pem")
