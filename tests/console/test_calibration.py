"""Calibration: what a threshold means for strangers, for mates and for a day, and what the figures rest on."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.console.stand import Stand

Axe = Callable[[Page], None]
Shot = Callable[[Page, str], None]


def figure(page: Page, name: str) -> str:
    return page.locator(".figure", has_text=name).locator("b").inner_text()


def share(text: str) -> float:
    found = re.match(r"([\d.]+) %", text)
    assert found, text
    return float(found[1]) / 100


def move(page: Page, place: int) -> None:
    page.get_by_role("slider", name="Threshold").evaluate(
        "(slider, place) => { slider.value = place; slider.dispatchEvent(new Event('input')); }", place
    )


@pytest.fixture
def entrance(page: Page, visit: Callable[[str], None]) -> Page:
    visit("#/calibration?gallery=entrance")
    page.get_by_role("slider", name="Threshold").wait_for()
    return page


def test_it_can_be_used_by_everybody(entrance: Page, axe: Axe, shot: Shot) -> None:
    axe(entrance)
    shot(entrance, "calibration")


def test_it_opens_at_the_rate_that_answers_are_held_to(entrance: Page, stand: Stand) -> None:
    held = stand.library.store.calibration("entrance")
    assert held is not None
    assert share(figure(entrance, "Strangers let through")) == pytest.approx(held["target_fpir"], rel=0.15)


@pytest.mark.parametrize("gallery", ["vault", "entrance"])
def test_it_says_what_the_gallerys_own_answers_are_held_to(
    page: Page, visit: Callable[[str], None], stand: Stand, gallery: str
) -> None:
    """`vault` has far fewer subjects than the bundle's calibration was measured among."""
    probe = np.ones((1, stand.library.gallery(gallery).dim), np.float32)
    (decision,) = stand.library.identify(gallery, probe / np.linalg.norm(probe), fingerprint=stand.fingerprint)
    visit(f"#/calibration?gallery={gallery}")
    held = page.locator(".held").inner_text()
    assert float(held) == pytest.approx(decision.threshold, abs=0.0006)


def test_a_higher_threshold_lets_fewer_strangers_through_and_misses_more_mates(entrance: Page) -> None:
    move(entrance, 0)
    low = [share(figure(entrance, name)) for name in ("Strangers let through", "Mates missed (FNIR)")]
    move(entrance, 1000)
    high = [share(figure(entrance, name)) for name in ("Strangers let through", "Mates missed (FNIR)")]
    assert high[0] < low[0]
    assert high[1] > low[1]


def test_the_slider_works_with_the_keyboard_and_says_what_it_means(entrance: Page) -> None:
    slider = entrance.get_by_role("slider", name="Threshold")
    before = slider.get_attribute("aria-valuetext")
    slider.focus()
    entrance.keyboard.press("ArrowRight")
    after = slider.get_attribute("aria-valuetext")
    assert after != before
    assert "strangers let through" in (after or "")


def test_alarms_a_day_are_probes_by_strangers_by_their_rate(entrance: Page) -> None:
    entrance.get_by_label("Probes a day").fill("20000")
    entrance.get_by_label("of them strangers, %").fill("50")
    entrance.get_by_role("button", name="(held now)").click()
    rate = share(figure(entrance, "Strangers let through"))
    alarms = float(figure(entrance, "False alarms a day").replace(",", ""))
    assert alarms == pytest.approx(10_000 * rate, rel=0.1)  # the rate is shown with two digits


def test_both_charts_follow_the_slider(entrance: Page) -> None:
    def places() -> tuple[str | None, str | None]:
        rule = entrance.locator(".chart .rule line").get_attribute("x1")
        return rule, entrance.locator(".chart .dot").get_attribute("cx")

    move(entrance, 0)
    before = places()
    move(entrance, 1000)
    after = places()
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_the_numbers_behind_a_chart_are_a_table(entrance: Page, stand: Stand) -> None:
    held = stand.library.store.calibration("entrance")
    assert held is not None
    chart = entrance.locator("figure.chart", has_text="Trade-off")
    chart.get_by_text("Numbers").click()
    rows = chart.locator("tbody tr")
    expect(rows).to_have_count(len([point for point in held["curve"] if point["fnir"] is not None]))


def test_every_size_and_rate_of_the_table_is_shown(entrance: Page, stand: Stand) -> None:
    held = stand.library.store.calibration("entrance")
    assert held is not None
    table = entrance.get_by_role("table", name="Thresholds by size of gallery")
    expect(table.locator("tbody tr")).to_have_count(len({row["subjects"] for row in held["table"]}))
    expect(table.locator(".threshold-cell")).to_have_count(len(held["table"]))


def test_a_gallery_without_a_calibration_shows_the_bundles_and_warns(
    page: Page, visit: Callable[[str], None], axe: Axe, shot: Shot
) -> None:
    visit("#/calibration?gallery=vault")
    expect(page.get_by_text("The bundle's calibration.")).to_be_visible()
    expect(page.locator(".chart .dot")).to_be_attached()
    expect(page.get_by_role("button", name="Forget it")).to_have_count(0)
    axe(page)
    shot(page, "calibration-prior")


def test_a_gallery_by_nobodys_calibration_says_that_it_abstains(page: Page, visit: Callable[[str], None]) -> None:
    none = {"gallery": "vault", "calibration": None, "prior": None}
    page.route("**/galleries/vault/calibration", lambda route: route.fulfill(json=none))
    visit("#/calibration?gallery=vault")
    expect(page.get_by_role("heading", name="Not calibrated")).to_be_visible()


def test_calibrating_again_is_followed_to_its_end(entrance: Page, stand: Stand) -> None:
    before = stand.library.store.calibration("entrance")
    entrance.get_by_role("button", name="Calibrate again").click()
    dialog = entrance.get_by_role("dialog")
    dialog.get_by_label("Hold strangers let through to").select_option("0.2")
    dialog.get_by_label("Measure each value of these labels").fill("view")
    dialog.get_by_role("button", name="Calibrate").click()
    expect(entrance.get_by_text("is calibrated on its own subjects")).to_be_visible()
    expect(entrance.get_by_role("button", name="20 % (held now)")).to_be_visible()
    after = stand.library.store.calibration("entrance")
    assert before is not None
    assert after is not None
    assert after["id"] != before["id"]
    assert {each["label"] for each in after["conditions"]} == {"view"}


def test_what_cannot_be_calibrated_is_refused_with_the_reason(entrance: Page) -> None:
    entrance.get_by_role("button", name="Calibrate again").click()
    dialog = entrance.get_by_role("dialog")
    dialog.get_by_label("Hold strangers let through to").select_option("0.001")
    dialog.get_by_role("button", name="Calibrate").click()
    expect(dialog.get_by_role("alert")).to_contain_text("rule of 3")
    dialog.get_by_role("button", name="Cancel").click()
