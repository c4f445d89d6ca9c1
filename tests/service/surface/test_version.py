"""An address with a version is the address without one."""

from typing import Any

import httpx
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from service.surface.version import Version
from tests.service.client import Client
from tests.service.conftest import person


def test_every_address_is_there_under_its_version_too(client: Client) -> None:
    assert client.get("/v1/galleries").json() == client.get("/galleries").json()
    assert client.get("/v1/galleries/default").status_code == 200
    assert client.post("/v1/identify", json={"sequence": person(frames=5)}).json()["outcome"] == "abstain"


def test_no_other_version_is_there_and_none_twice(client: Client) -> None:
    for path in ("/v2/galleries", "/v1/v1/galleries", "/v1galleries", "/v1"):
        assert client.get(path).status_code == 404, path


def test_a_name_that_is_encoded_stays_so(client: Client) -> None:
    client.post("/v1/galleries", json={"name": "v1 café"})
    assert client.get("/v1/galleries/v1%20caf%C3%A9").json()["name"] == "v1 café"


async def answered(path: str, response: Response) -> httpx.Response:
    """What a caller of `path` gets of an application that always answers with this response."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    transport: Any = httpx.ASGITransport(Version(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.get(path)


async def _addresses(path: str) -> tuple[str, str]:
    headers = {"Link": '</jobs?after=3>; rel="next"'}
    found = await answered(path, RedirectResponse("/jobs/1", headers=headers))
    return found.headers["location"], found.headers["link"]


def test_whoever_named_a_version_is_kept_in_it(client: Client) -> None:
    portal = client._portal
    assert portal.call(_addresses, "/v1/jobs") == ("/v1/jobs/1", '</v1/jobs?after=3>; rel="next"')
    assert portal.call(_addresses, "/jobs") == ("/jobs/1", '</jobs?after=3>; rel="next"')
