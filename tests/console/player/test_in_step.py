"""Two walks beside each other: in step, or one over the other."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from model.sequence import SkeletonSequence
from tests.console.player.playing import as_json, stepping
from tests.fakes import walking


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
