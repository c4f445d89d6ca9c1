"""A real browser before a real service: what goes wrong in the console's log fails the test.

Playwright keeps an event loop running in its thread for as long as it is open, so it is open for one module at a time:
tests elsewhere run loops of their own.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.console.stand import Stand, standing

SCREENS = Path(__file__).parent.parent.parent / "build" / "screens"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking")


@dataclass
class Faults:
    """What the browser complained of. A test that provokes a refusal says which status it expects.

    Chromium complains of every request that failed or was refused, too. To be told of each that went well would take
    longer than the tests themselves.
    """

    seen: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)

    def expect(self, *statuses: int) -> None:
        self.expected |= set(statuses)

    def watch(self, page: Page) -> None:
        page.on("console", lambda said: self._said(said.type, said.text, said.location["url"]))
        page.on("pageerror", lambda error: self.seen.append(f"uncaught: {error}"))

    def _said(self, kind: str, text: str, where: str) -> None:
        refused = re.search(r"status of (\d+)", text)
        if kind in ("error", "warning") and not (refused and int(refused[1]) in self.expected):
            self.seen.append(f"{kind}: {text} ({where})")


@pytest.fixture(scope="session")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("console")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture(scope="module")
def context(browser: Browser, stand: Stand) -> Iterator[BrowserContext]:
    """One for a module, so that the console's files are fetched once."""
    with browser.new_context(
        base_url=stand.address, viewport=WIDE, reduced_motion="reduce", color_scheme="light"
    ) as found:
        found.set_default_timeout(10_000)
        yield found


@pytest.fixture
def page(context: BrowserContext, faults: Faults) -> Iterator[Page]:
    """A page of the service's own origin, with nothing kept from before; what it complained of fails the test."""
    found = context.new_page()
    faults.watch(found)
    yield found
    found.evaluate("() => { try { localStorage.clear(); } catch { /* no page of ours was open */ } }")
    found.close()
    assert not faults.seen, "\n".join(faults.seen)


Visit = Callable[[str], None]


@pytest.fixture
def visit(page: Page) -> Visit:
    """Open a page of the console by its hash, such as `#/gallery`, and wait until it is there."""

    def _visit(where: str) -> None:
        page.goto("about:blank")
        page.goto(f"/console/{where}")
        page.wait_for_selector("main .page > [class^='page-']")

    return _visit


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Fails for whatever axe finds that is serious or critical; in the dark, colours are another matter.

    Rows of a long table are alike: looking at the first dozen takes a third of the time.
    """
    context = {"exclude": [["tbody tr:nth-child(n+13)"]]}

    def _axe(page: Page) -> None:
        for scheme, more in (("dark", {"runOnly": ["color-contrast"]}), ("light", {})):
            page.emulate_media(color_scheme=scheme)
            found = (
                Axe().run(page, context=context, options={"resultTypes": ["violations"], **more}).response["violations"]
            )
            serious = [each for each in found if each["impact"] in ("serious", "critical")]
            told = [
                f"{scheme}: {each['id']}: {each['help']}: {[node['target'] for node in each['nodes']][:3]}"
                for each in serious
            ]
            assert not told, "\n".join(told)

    return _axe


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Fails where the page is wider than the screen, on a large one and on a small one. With SCREENS=some or all in the
    environment it writes build/screens/NAME-{1280,390}-{light,dark}.png, to be looked at."""
    wanted = {"some": (("light",), ("dark",)), "all": (("light", "dark"),) * 2}.get(
        os.environ.get("SCREENS", ""), ((), ())
    )

    def _shot(page: Page, name: str) -> None:
        for size, schemes in zip((WIDE, NARROW), wanted, strict=True):
            page.set_viewport_size(size)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= size["width"], f"{name}: {wide} pixels wide at {size['width']}"
            for scheme in schemes:
                SCREENS.mkdir(parents=True, exist_ok=True)
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=SCREENS / f"{name}-{size['width']}-{scheme}.png", full_page=True)
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")

    return _shot
