"""The skeleton player: what is drawn of which layout, time, keys, two walks in step, depth where there is some."""

from typing import Any

import msgspec
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from model.named_layouts import LAYOUTS, NTU_25
from model.sequence import SkeletonSequence, Units
from model.writing import sequence_json
from tests.fakes import walking

_WALK = "walker-01-nm-06-054"
# A page of its own with nothing but a player; what is loaded is handed in.
_ALONE = """async (sequences) => {
  const { createPlayer } = await import('/console/js/player/player.js');
  window.player?.close();
  document.querySelector('main').replaceChildren();
  window.player = createPlayer();
  document.querySelector('main').append(player.element);
  await player.load(sequences);
}"""


# The policy forbids what `wait_for_function` does.
_PASSED = """(time) => new Promise((passed) => {
  const look = () => (player.clock.time > time ? passed() : requestAnimationFrame(look));
  look();
})"""


def as_json(sequence: SkeletonSequence) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(sequence_json(sequence))
    return found


@pytest.fixture
def play(page: Page):
    """Puts a player with these sequences, by name, in place of the page."""

    def _play(**sequences: Any) -> None:
        if "/console/" not in page.url:
            page.goto("/console/#/identify")
            page.locator(".page-identify").wait_for()
        page.evaluate(_ALONE, [{"name": name, "sequence": each} for name, each in sequences.items()])

    return _play


def time_of(page: Page) -> float:
    return float(page.evaluate("player.clock.time"))


def picture(page: Page, place: int = 0) -> bytes:
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    return page.locator(".stage canvas").nth(place).screenshot()


def test_every_layout_is_drawn_as_one_body(page: Page, play) -> None:
    for name, layout in LAYOUTS.items():
        play(one=as_json(walking(layout=layout)))
        bones, head = page.evaluate("(({drawing}) => [drawing.bones, drawing.head])(player.figures[0])")
        shoulder = next(i for i, joint in enumerate(layout.joints) if "shoulder" in joint)
        joined = {joint: {joint} for joint in range(layout.count)}
        for a, b in [*((a, b) for a, b, _ in bones), *((joint, shoulder) for joint in head)]:
            together = joined[a] | joined[b]
            for joint in together:
                joined[joint] = together
        assert len(joined[shoulder]) == layout.count, f"{name}: a limb hangs in the air"


def test_sides_are_told_apart_by_the_names_of_joints(page: Page, play) -> None:
    play(one=as_json(walking()))
    sides = page.evaluate("Object.fromEntries(player.figures[0].drawing.bones.map(([a, b, side]) => [[a, b], side]))")
    assert sides["13,11"] == "left"
    assert sides["14,12"] == "right"
    assert sides["11,12"] == "middle"


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
    page.evaluate(_PASSED, 0.2)
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


def test_a_mirrored_body_keeps_its_sides(page: Page, play) -> None:
    play(one=as_json(walking()))
    where = """(mirror) => {
        player.view.mirror = mirror;
        const [figure] = player.figures, pose = figure.at(0);
        const project = player.all[0].camera.through(400, 400, [figure], pose.course, player.view);
        return [5, 6].map((v) => project(pose.points[3 * v], pose.points[3 * v + 1], 0)[0] - 200);
    }"""
    plain, mirrored = page.evaluate(where, False), page.evaluate(where, True)
    assert mirrored == pytest.approx([-x for x in plain])


def test_without_depth_there_is_nothing_to_turn(page: Page, play) -> None:
    play(one=as_json(walking()))
    expect(page.get_by_role("button", name="3-D")).to_be_disabled()
    page.keyboard.press("d")
    assert page.evaluate("player.view.solid") is False


def solid_walk(frames: int = 60) -> SkeletonSequence:
    """In metres, y up, walking towards the viewer."""
    flat = walking(frames=frames, layout=NTU_25)
    height = float(flat.joints[..., 1].max() - flat.joints[..., 1].min())
    joints = np.zeros((frames, NTU_25.count, 3), np.float32)
    joints[..., 2] = 1.7 * (flat.joints[..., 0] - flat.joints[..., 0].mean()) / height
    joints[..., 1] = 1.7 * (flat.joints[..., 1].max() - flat.joints[..., 1]) / height
    side = np.array([0.15 if "left" in name else -0.15 if "right" in name else 0.0 for name in NTU_25.joints])
    joints[..., 0] = side
    joints[..., 2] += 1.2 * np.arange(frames)[:, None] / 30
    return SkeletonSequence(joints, np.ones(joints.shape[:2], np.float32), NTU_25, 30.0, Units.METRES)


def test_a_body_with_depth_is_turned_by_dragging_and_by_keys(page: Page, play) -> None:
    play(one=as_json(solid_walk()))
    page.keyboard.press("d")
    before = picture(page)
    page.keyboard.press("s")
    by_key = picture(page)
    assert by_key != before
    box = page.locator(".stage canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 150)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 180, steps=4)
    page.mouse.up()
    assert picture(page) != by_key
    page.keyboard.press("r")
    assert picture(page) == before


def stepping(
    seconds: float, stride_s: float, late_s: float = 0.0, *, fps: float = 25.0, facing: int = 1
) -> SkeletonSequence:
    """A walk with lifted feet. late_s: how far into its first stride it begins. facing: -1 walks to the left."""
    body = walking(frames=1)
    stride = 2 * np.pi * (np.arange(round(seconds * fps)) / fps + late_s) / stride_s
    joints = np.repeat(body.joints, len(stride), axis=0)
    for sign, (hip, knee, ankle) in ((1, (11, 13, 15)), (-1, (12, 14, 16))):
        lifted = np.maximum(0, sign * np.cos(stride))
        joints[:, ankle, 0] = joints[:, hip, 0] + facing * sign * 30 * np.sin(stride)
        joints[:, knee, 0] = joints[:, hip, 0] + facing * (sign * 15 * np.sin(stride) + 14 * lifted)
        joints[:, ankle, 1] -= 14 * lifted
    confidence = np.ones(joints.shape[:2], np.float32)
    return SkeletonSequence(joints, confidence, body.layout, fps)


def test_two_walks_go_in_step_whatever_their_tempo_phase_and_direction(page: Page, play) -> None:
    play(one=as_json(stepping(3, 1.0)), other=as_json(stepping(4, 1.2, 0.5, fps=30.0, facing=-1)))
    found = page.evaluate("""() => ({period: player.map.period, other: player.map.otherPeriod,
        apart: Array.from({length: 30}, (_, i) => 0.05 * i).map((time) => {
          const y = (figure, t, v) => figure.points[3 * (t * figure.count + v) + 1];
          const lift = (figure, at) => y(figure, figure.frameAt(at), 15) - y(figure, figure.frameAt(at), 16);
          return [lift(player.figures[0], time), lift(player.figures[1], player.map(time))];
        })})""")
    assert found["period"] == pytest.approx(1.0, abs=0.04)
    assert found["other"] == pytest.approx(1.2, abs=0.04)
    ours, theirs = np.array(found["apart"]).T
    assert np.corrcoef(ours, theirs)[0, 1] > 0.9
    page.keyboard.press("i")
    expect(page.get_by_role("button", name="In step")).to_have_attribute("aria-pressed", "false")


def test_where_nobody_walks_nothing_is_in_step(page: Page, play) -> None:
    still = walking(frames=60)
    frozen = SkeletonSequence(np.repeat(still.joints[:1], 60, axis=0), still.confidence, still.layout, 25.0)
    play(one=as_json(walking()), other=as_json(frozen))
    expect(page.get_by_role("button", name="In step")).to_be_disabled()


def test_one_is_laid_over_the_other(page: Page, play) -> None:
    play(one=as_json(walking()), other=as_json(walking(3)))
    assert page.locator(".stage canvas").count() == 2
    page.keyboard.press("o")
    assert page.locator(".stage canvas").count() == 1
    expect(page.get_by_role("img", name="Skeleton of one over other")).to_be_visible()


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


def test_coordinates_of_every_unit_stand_on_the_ground_one_height_tall(page: Page, play) -> None:
    flat = walking()
    normal = np.array(flat.joints) / [400.0, 300.0]
    for sequence in (
        flat,
        SkeletonSequence(normal, flat.confidence, flat.layout, 25.0, Units.NORMALISED, 4 / 3),
        solid_walk(),
    ):
        play(one=as_json(sequence))
        low, high = page.evaluate("""() => { const y = [...player.figures[0].points].filter((_, i) => i % 3 === 1);
            return [Math.min(...y), Math.max(...y)]; }""")
        assert low == pytest.approx(0, abs=0.06)
        assert high == pytest.approx(1, abs=0.06)


def test_a_sharp_screen_gets_a_sharp_picture(browser, stand) -> None:
    with browser.new_context(base_url=stand.address, device_scale_factor=2, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(f"/console/#/identify?sample={_WALK}")
        page.locator(".candidate").first.wait_for()
        wide, real = page.evaluate(
            "(() => { const c = document.querySelector('.stage canvas'); return [c.clientWidth, c.width]; })()"
        )
        assert real == 2 * wide
