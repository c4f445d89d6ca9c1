"""Whose address the audit log has: that of whoever connected, or of whom a trusted proxy says it forwards."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from gallery.api_keys import Scope
from gallery.library import Library
from gallery.store.audit import audit_page
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.access.keyed import bearer, key_for, keyed_app


@contextmanager
def behind(library: Library, encoder: FakeEncoder, proxies: str) -> Iterator[str]:
    """The address of a service on a real socket, which believes these proxies."""
    settings = Settings.read({}, port=0, trusted_proxies=proxies)
    with running(keyed_app(library, encoder, trusted_proxies=proxies), settings) as where:
        yield where


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ("", "203.0.113.9", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.0/8, 10.0.0.1", "203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "nobody; DROP TABLE", "unknown"),
    ],
)
def test_the_audit_log_has_whom_a_trusted_proxy_forwards_and_believes_nobody_else(
    library: Library, encoder: FakeEncoder, proxies: str, forwarded: str, address: str
) -> None:
    key = key_for(library.store, [Scope.MANAGE])
    with behind(library, encoder, proxies) as where:
        headers = {**bearer(key), "X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
        assert httpx.post(f"{where}/galleries", json={"name": "made"}, headers=headers).status_code == 201
        made = [each for each in audit_page(library.store) if each.action == "create"][-1]
        assert made.actor.partition("@")[2] == address


def test_who_has_no_key_leaves_no_trace_in_the_store(library: Library, encoder: FakeEncoder) -> None:
    async def knock(where: str) -> list[Any]:
        async with httpx.AsyncClient(base_url=where) as caller:
            asked = (caller.get("/galleries", headers=bearer(f"gk_{n}")) for n in range(100))
            return [answer.status_code for answer in await asyncio.gather(*asked)]

    before = audit_page(library.store)
    with behind(library, encoder, "") as where:
        assert set(asyncio.run(knock(where))) == {401}
        assert audit_page(library.store) == before
