"""Operations: how the process is doing, long work, webhooks, keys, and who did what."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.console.stand import Stand
from tests.service.conftest import person

Visit = Callable[[str], None]
Axe = Callable[[Page], None]
Shot = Callable[[Page, str], None]

A_LOOK = 2100  # milliseconds: the page asks every two seconds


def ask(page: Page, times: int = 1) -> None:
    for seed in range(times):
        assert page.request.post("/identify", data={"sequence": person(seed)}).status == 200


def test_what_was_asked_is_counted_and_drawn(page: Page, visit: Visit, axe: Axe, shot: Shot) -> None:
    ask(page, 5)
    page.clock.install()
    visit("#/operations")
    row = page.get_by_role("row", name="POST /identify")
    before = int(row.locator("td").first.inner_text())
    assert before >= 5
    expect(page.locator(".history canvas")).to_have_count(4)
    ask(page, 3)
    page.clock.fast_forward(A_LOOK)
    expect(row.locator("td").first).to_have_text(str(before + 3))
    panel = page.locator("figure", has_text="Requests a second")
    expect(panel.locator("p.only-read")).to_contain_text("failed: 0")
    expect(page.get_by_role("region", name="This process")).to_contain_text("Ready")
    axe(page)
    shot(page, "operations")


def test_when_the_service_does_not_answer_it_says_so(page: Page, visit: Visit, faults) -> None:
    faults.expect(503)
    page.clock.install()
    visit("#/operations")
    page.route("**/operations", lambda route: route.fulfill(status=503, body="{}"))
    page.clock.fast_forward(A_LOOK)
    expect(page.get_by_text("No news for a while")).to_be_visible()
    page.unroute("**/operations")
    page.clock.fast_forward(A_LOOK)
    expect(page.get_by_text("No news for a while")).to_be_hidden()


def test_the_audit_log_is_read_from_its_end(page: Page, visit: Visit, stand: Stand, axe: Axe, shot: Shot) -> None:
    ask(page)
    page.request.get("/galleries/entrance/subjects/s001/copy")
    visit("#/operations/audit")
    table = page.get_by_role("table", name="Audit log")
    expect(table.locator("tbody th").first).to_be_visible()
    numbers = [int(text) for text in table.locator("tbody th").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    page.get_by_label("Show").select_option("access")
    expect(table.locator("tbody tr").first).to_contain_text("access")
    expect(table.locator("tbody td:nth-child(4)").filter(has_not_text="access")).to_have_count(0)
    axe(page)
    page.get_by_label("Show").select_option("")
    expect(table.locator("tbody tr")).not_to_have_count(0)
    shot(page, "operations-audit")


def test_a_key_is_made_shown_once_and_revoked(page: Page, visit: Visit, axe: Axe, shot: Shot) -> None:
    visit("#/operations/keys")
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("door camera")
    dialog.get_by_role("checkbox", name="enroll").check()
    dialog.get_by_label("Only in these galleries").fill("entrance")
    axe(page)
    dialog.get_by_role("button", name="Make the key").click()
    key = page.get_by_role("dialog", name="The key door camera").get_by_label("Key", exact=True).input_value()
    assert key.startswith("gk_")
    page.get_by_role("button", name="I have it").click()
    row = page.get_by_role("row", name="door camera")
    expect(row).to_contain_text("enroll, identify")
    expect(row).to_contain_text("entrance")
    assert key not in page.content()
    shot(page, "operations-keys")
    row.get_by_role("button", name="Revoke door camera").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")


def test_jobs_are_listed_with_what_came_of_them(page: Page, visit: Visit, stand: Stand, axe: Axe, shot: Shot) -> None:
    made = page.request.post("/galleries/entrance/calibration", data={"target_fpir": 0.1})
    assert made.status == 202
    visit("#/operations/jobs")
    row = page.get_by_role("table", name="Jobs").locator("tbody tr").first
    expect(row).to_contain_text("calibrate")
    expect(row.locator(".tag")).to_have_text("done", timeout=20_000)
    axe(page)
    shot(page, "operations-jobs")


def test_a_part_that_is_not_there_is_the_first_one(page: Page, visit: Visit) -> None:
    visit("#/operations/nonsense")
    expect(page.get_by_role("link", name="Now")).to_have_attribute("aria-current", "page")


def test_a_webhook_is_made_with_a_secret_and_deleted(page: Page, visit: Visit, faults, axe: Axe, shot: Shot) -> None:
    faults.expect(422)
    visit("#/operations/webhooks")
    expect(page.get_by_text("Nobody is told of decisions.")).to_be_visible()
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Address").fill("https://127.0.0.1/inside")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_role("alert")).to_contain_text("url")
    dialog.get_by_label("Address").fill("https://receiver.example/decisions")
    dialog.get_by_label("Of this gallery only").fill("entrance")
    dialog.get_by_role("checkbox", name="no match").check()
    axe(page)
    dialog.get_by_role("button", name="Make it").click()
    secret = page.get_by_role("dialog", name="The secret of this webhook").get_by_label("Secret").input_value()
    assert len(secret) > 30
    page.get_by_role("button", name="I have it").click()
    row = page.get_by_role("row", name="https://receiver.example/decisions")
    expect(row).to_contain_text("match, no match")
    expect(row).to_contain_text("entrance")
    shot(page, "operations-webhooks")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nobody is told of decisions.")).to_be_visible()
