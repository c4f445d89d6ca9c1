"""A service that asks for keys: the console asks for one, keeps it for its tab, and says what it may not do."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from gallery.api_keys import NewKey, Scope
from gallery.library import Library
from gallery.store import open_store
from gallery.store.api_keys import make_key, revoke_key
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings
from tests.console.conftest import WIDE, Faults
from tests.fakes import FakeClassifier, FakeEncoder


class Guarded:
    """A service that wants a key, and its library."""

    def __init__(self, address: str, library: Library) -> None:
        self.address, self.library = address, library

    def key(self, *scopes: Scope, galleries: tuple[str, ...] = ()) -> tuple[str, str]:
        """Id and secret."""
        made, secret = make_key(
            self.library.store, NewKey("front desk", frozenset(scopes), frozenset(galleries) or None)
        )
        return made.id, secret


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    encoder, library = FakeEncoder(), Library(open_store(tmp_path))
    for name in ("default", "cellar"):
        library.ensure(name, fingerprint=encoder.fingerprint, dim=encoder.dim)
    settings = Settings.read({}, data=tmp_path, port=0, access="keys")
    engine = Engine(encoder, FakeClassifier(), library, settings.limits, Metrics())
    with running(create_app(settings, engine), settings) as address:
        yield Guarded(address, library)


@pytest.fixture
def door(browser: Browser, guarded: Guarded, faults: Faults) -> Iterator[Page]:
    """A page before the guarded service; being asked for a key is no fault."""
    faults.expect(401, 403)
    with browser.new_context(base_url=guarded.address, viewport=WIDE, reduced_motion="reduce") as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        faults.watch(page)
        yield page
    assert not faults.seen, "\n".join(faults.seen)


def sign_in(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="Sign in with a key")
    dialog.get_by_label("Key").fill(key)
    dialog.get_by_role("button", name="Sign in").click()


def test_a_key_is_asked_for_tried_and_kept_for_the_tab(door: Page, guarded: Guarded, axe, shot) -> None:
    _, secret = guarded.key(Scope.IDENTIFY, galleries=("cellar",))
    door.goto("/console/")
    dialog = door.get_by_role("dialog", name="Sign in with a key")
    expect(dialog.get_by_label("Key")).to_be_focused()
    axe(door)
    shot(door, "sign-in")
    sign_in(door, "gk_not_one")
    expect(dialog.get_by_role("alert")).to_have_text("The service does not know this key.")
    sign_in(door, secret)
    expect(dialog).to_be_hidden()
    expect(door.get_by_label("Gallery")).to_have_value("cellar")
    expect(door.get_by_text("front desk")).to_be_visible()
    expect(door.get_by_text("identify in cellar")).to_be_visible()
    door.reload()
    expect(door.get_by_text("front desk")).to_be_visible()
    assert secret not in door.url
    assert door.evaluate("Object.keys(localStorage).some((name) => localStorage[name].includes('gk_'))") is False
    door.get_by_role("button", name="Sign out").click()
    expect(dialog).to_be_visible()
    assert door.evaluate("sessionStorage.length") == 0


def test_who_does_not_sign_in_is_told_and_may_later(door: Page, guarded: Guarded) -> None:
    _, secret = guarded.key(Scope.IDENTIFY)
    door.goto("/console/")
    door.get_by_role("dialog").get_by_role("button", name="Not now").click()
    expect(door.get_by_role("alert")).to_be_visible()
    door.get_by_role("button", name="Sign in").click()
    sign_in(door, secret)
    expect(door.get_by_text("Drop keypoint files here")).to_be_visible()


def test_a_key_that_is_revoked_is_asked_for_again(door: Page, guarded: Guarded) -> None:
    key, secret = guarded.key(Scope.IDENTIFY)
    door.goto("/console/")
    sign_in(door, secret)
    expect(door.get_by_text("front desk")).to_be_visible()
    revoke_key(guarded.library.store, key)
    while httpx.get(f"{guarded.address}/whoami", headers={"Authorization": f"Bearer {secret}"}).status_code == 200:
        pass  # the service hears of it within a second
    door.get_by_role("link", name="Live").click()
    expect(door.get_by_role("dialog", name="Sign in with a key")).to_be_visible()


def test_who_declines_is_not_asked_whenever_a_page_looks_again(door: Page, guarded: Guarded) -> None:
    key, secret = guarded.key(Scope.AUDIT)
    door.goto("/console/#/operations")
    sign_in(door, secret)
    expect(door.get_by_role("region", name="This process")).to_be_visible()
    revoke_key(guarded.library.store, key)
    dialog = door.get_by_role("dialog", name="Sign in with a key")
    expect(dialog).to_be_visible()
    door.keyboard.press("Escape")
    with door.expect_response("**/operations"):
        pass
    expect(door.get_by_text("The service wants a key that is good.")).to_be_visible()
    expect(dialog).to_have_count(0)
    door.get_by_role("button", name="Sign in").click()
    expect(dialog).to_be_visible()


def test_the_key_opens_the_socket_of_a_stream(door: Page, guarded: Guarded) -> None:
    _, secret = guarded.key(Scope.IDENTIFY)
    door.goto("/console/")
    sign_in(door, secret)
    expect(door.get_by_text("front desk")).to_be_visible()
    chosen = door.evaluate(
        """async () => {
          const { api } = await import("/console/js/api.js");
          const stream = await api.post("/streams", {layout: "coco-17", fps: 25});
          const socket = api.socket(api.path`/streams/${stream.id}`);
          await new Promise((open, refused) => { socket.onopen = open; socket.onerror = refused; });
          socket.close();
          await api.del(api.path`/streams/${stream.id}`);
          return socket.protocol;
        }"""
    )
    assert chosen == "gaitkeeper"
