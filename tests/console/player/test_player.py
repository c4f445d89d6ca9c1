"""The skeleton player: time, keys and options."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from model.sequence import SkeletonSequence
from tests.console.player.playing import PASSED, as_json, picture
from tests.fakes import walking


def time_of(page: Page) -> float:
    return float(page.evaluate("player.clock.time"))


def test_it_plays_pauses_and_steps_by_keys(page: Page, play) -> None:
    play(one=as_json(walking(frames=50)))
    expect(page.get_by_text("frame 1 of 50")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("frame 2 of 50")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("frame 12 of 50")).to_be_visible()
    page.keyboard.press("End")
    expect(page.get_by_text("frame 50 of 50")).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.evaluate(PASSED, 0.2)
    page.keyboard.press("k")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    at = time_of(page)
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert time_of(page) == at


def test_nothing_plays_by_itself_for_whoever_wants_less_movement(page: Page, play) -> None:
    play(one=as_json(walking()))
    assert page.evaluate("player.clock.playing") is False
    page.emulate_media(reduced_motion="no-preference")
    play(one=as_json(walking()))
    assert page.evaluate("player.clock.playing") is True


def test_keys_leave_alone_whoever_types_and_can_be_turned_off(page: Page, play) -> None:
    play(one=as_json(walking()))
    page.evaluate(
        "document.querySelector('main').append(Object.assign(document.createElement('input'), {id: 'typed'}))"
    )
    page.locator("#typed").press_sequentially("mc ")
    assert page.evaluate("player.view.mirror || player.view.heat || player.clock.playing") is False
    page.locator("#typed").blur()
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="Keys work anywhere").uncheck()
    page.keyboard.press("Escape")
    page.locator("h1, #typed").first.focus()
    page.keyboard.press("m")
    assert page.evaluate("player.view.mirror") is False
    page.get_by_role("button", name="Mirror").focus()
    page.keyboard.press("c")
    assert page.evaluate("player.view.heat") is True


def test_the_slider_is_the_time_axis(page: Page, play) -> None:
    play(one=as_json(walking(frames=51)))
    slider = page.get_by_role("slider", name="Time")
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    assert time_of(page) == pytest.approx(51 / 25 / 2, abs=0.05)
    assert "frame 2" in (slider.get_attribute("aria-valuetext") or "")


def test_speed_is_chosen_and_changed_by_keys(page: Page, play) -> None:
    play(one=as_json(walking()))
    page.get_by_label("Speed").select_option("0.5")
    assert page.evaluate("player.clock.speed") == 0.5
    page.locator(".stage canvas").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("+")
    assert page.evaluate("player.clock.speed") == 1


@pytest.mark.parametrize(("key", "option"), [("m", "Mirror"), ("c", "Heat"), ("t", "Trails"), ("f", "Follow")])
def test_each_option_changes_the_picture_and_back(page: Page, play, key: str, option: str) -> None:
    sequence = walking(frames=50)
    moving = np.array(sequence.joints)
    moving[..., 0] += 4 * np.arange(50)[:, None]
    confidence = np.linspace(0.2, 1, 50 * 17).reshape(50, 17).astype(np.float32)
    play(one=as_json(SkeletonSequence(moving, confidence, sequence.layout, 25.0)))
    page.keyboard.press("Shift+ArrowRight")
    before = picture(page)
    page.keyboard.press(key)
    changed = picture(page)
    assert changed != before
    page.get_by_role("button", name=option).click()
    assert picture(page) == before


def test_a_frame_in_which_nobody_is_seen_is_no_error(page: Page, play) -> None:
    whole = walking(frames=30)
    confidence = np.array(whole.confidence)
    confidence[0] = 0
    play(one=as_json(SkeletonSequence(whole.joints, confidence, whole.layout, 25.0)))
    empty = picture(page)
    page.keyboard.press("ArrowRight")
    assert picture(page) != empty


def test_a_single_frame_is_shown(page: Page, play) -> None:
    play(one=as_json(walking(frames=1)))
    expect(page.get_by_text("frame 1 of 1")).to_be_visible()
    page.keyboard.press("Space")


def test_a_sharp_screen_gets_a_sharp_picture(browser, stand) -> None:
    with browser.new_context(base_url=stand.address, device_scale_factor=2, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto("/console/#/identify?sample=walker-01-nm-06-054")
        page.locator(".candidate").first.wait_for()
        wide, real = page.evaluate(
            "(() => { const c = document.querySelector('.stage canvas'); return [c.clientWidth, c.width]; })()"
        )
        assert real == 2 * wide
