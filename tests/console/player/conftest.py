"""One page for all tests of a module: each puts a player of its own into it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.console.conftest import WIDE, Faults
from tests.console.player.playing import ALONE
from tests.console.stand import Stand


@pytest.fixture(scope="module")
def lasting(browser: Browser, stand: Stand) -> Iterator[tuple[Page, Faults]]:
    with browser.new_context(base_url=stand.address, viewport=WIDE) as context:
        context.set_default_timeout(10_000)
        page, faults = context.new_page(), Faults()
        faults.watch(page)
        page.goto("/console/#/identify")
        page.locator(".page-identify").wait_for()
        yield page, faults


@pytest.fixture
def page(lasting: tuple[Page, Faults]) -> Iterator[Page]:
    found, faults = lasting
    found.emulate_media(reduced_motion="reduce", color_scheme="light")
    found.evaluate("localStorage.clear()")
    yield found
    seen, faults.seen = faults.seen, []
    assert not seen, "\n".join(seen)


@pytest.fixture
def play(page: Page) -> Callable[..., None]:
    """Puts a player with these sequences, by name, in place of the page."""

    def _play(**sequences: Any) -> None:
        page.evaluate(ALONE, [{"name": name, "sequence": each} for name, each in sequences.items()])

    return _play
