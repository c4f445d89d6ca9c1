"""What the player draws: bodies of every layout and unit, their sides, and depth where there is some."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from model.named_layouts import LAYOUTS
from model.sequence import SkeletonSequence, Units
from tests.console.player.playing import as_json, picture, solid_walk
from tests.fakes import walking


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
