"""The service as it asks for keys, on the named fakes, and keys for its callers."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from gallery.api_keys import NewKey, Scope
from gallery.library import Library
from gallery.store import Store
from gallery.store.api_keys import make_key
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeClassifier
from tests.service.client import Client, started

EVERYTHING = tuple(Scope)


def keyed_app(library: Library, model: Any, **more: Any) -> FastAPI:
    settings = Settings.read({}, access="keys", **more)
    return create_app(settings, Engine(model, FakeClassifier(), library, settings.limits, Metrics()))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def key_for(store: Store, scopes: Iterable[Scope] = EVERYTHING, *galleries: str, **more: Any) -> str:
    """A key that may `scopes`, in `galleries` or everywhere, made as by another process: the service is not told."""
    return make_key(store, NewKey("test", frozenset(scopes), frozenset(galleries) or None, **more))[1]


class Keyed:
    """A client of a service that asks for keys, and its store."""

    def __init__(self, client: Client, library: Library) -> None:
        self.http, self.library, self.store = client, library, library.store

    def ask(self, key: str | None, method: str = "GET", path: str = "/whoami", **more: Any) -> httpx.Response:
        headers = {**(bearer(key) if key else {}), **more.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **more)


@contextmanager
def keyed_service(library: Library, model: Any, **more: Any) -> Iterator[Keyed]:
    with started(keyed_app(library, model, **more)) as client:
        yield Keyed(client, library)
