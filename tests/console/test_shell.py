"""The console's frame: pages by their address, a key where one is wanted, light and dark, nothing from elsewhere."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.stand import Stand


def test_the_console_opens_on_identify(page: Page, axe, shot) -> None:
    page.goto("/console")
    expect(page).to_have_title("Identify · gaitkeeper")
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Identify")).to_have_attribute(
        "aria-current", "page"
    )


def test_a_page_that_is_not_there_says_so(page: Page, visit, axe) -> None:
    page.goto("/console/#/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    axe(page)


def test_pages_are_reached_with_the_keyboard(page: Page) -> None:
    page.goto("/console/")
    page.get_by_role("heading", name="Identify", level=1).wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Skip to the page")).to_be_focused()
    page.get_by_role("link", name="Classify").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Classify", level=1)).to_be_focused()


def test_a_small_screen_has_the_pages_behind_a_button(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/console/")
    expect(page.get_by_role("link", name="Live")).to_be_hidden()
    page.get_by_role("button", name="Pages").click()
    page.get_by_role("link", name="Live").click()
    expect(page.get_by_role("heading", name="Live", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="Classify")).to_be_hidden()


def test_a_chosen_theme_stays(page: Page) -> None:
    page.goto("/console/")
    page.get_by_role("group", name="Theme").get_by_role("button", name="Dark").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_role("group", name="Theme").get_by_role("button", name="Light").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != dark


def test_nothing_but_our_own_files_may_run(page: Page, stand: Stand) -> None:
    answer = page.request.get("/console/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in re.sub(r"'self'", "", policy)
    assert answer.headers["cache-control"] == "no-cache"
    assert page.request.get("/console/js/main.js", headers={"If-None-Match": "x"}).status == 200
    etag = page.request.get("/console/js/main.js").headers["etag"]
    assert page.request.get("/console/js/main.js", headers={"If-None-Match": etag}).status == 304


@pytest.mark.parametrize("path", ["../settings.py", "..%2fsettings.py", "css/..%2f..%2fapp.py"])
def test_only_the_consoles_files_are_served(page: Page, path: str) -> None:
    assert page.request.get(f"/console/{path}").status == 404


def test_whoever_leaves_a_page_leaves_nothing_running(page: Page) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.add_init_script(
        """window.drawn = 0;
        window.frame = window.requestAnimationFrame.bind(window);
        window.requestAnimationFrame = (draw) => { window.drawn++; return frame(draw); };"""
    )
    page.goto("/console/#/identify?sample=walker-01-nm-06-054")
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("link", name="Live").click()
    page.get_by_role("heading", name="No stream is running").wait_for()
    passed = """new Promise((done) => {
      let left = 12;
      const next = () => (left-- ? frame(next) : done(window.drawn));
      next();
    })"""
    page.evaluate(passed)
    assert page.evaluate(passed) == page.evaluate(passed)


def test_a_service_that_is_gone_is_said_under_the_name_of_the_page(page: Page, visit, faults) -> None:
    visit("#/identify")
    page.route("**/pages/calibration.js", lambda route: route.abort())
    page.get_by_role("link", name="Calibration").click()
    expect(page.get_by_role("alert")).to_contain_text("The service did not answer.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Calibration")
    page.unroute("**/pages/calibration.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Calibrate").first).to_be_visible()
    faults.seen.clear()  # the browser complains of the file that did not come


def test_the_way_back_leads_to_the_gallery_that_was_looked_at(page: Page, visit) -> None:
    visit("#/gallery")
    choice = page.get_by_label("Gallery", exact=True)
    first = choice.input_value()
    choice.select_option("entrance" if first != "entrance" else "vault")
    expect(choice).not_to_have_value(first)
    page.go_back()
    expect(choice).to_have_value(first)
