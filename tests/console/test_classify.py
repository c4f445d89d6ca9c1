"""Classify: what is done, how sure that is, and when."""

import json
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from service import samples


def sequence(name: str) -> dict:
    return json.loads(next(path for path, _ in samples.shipped().all if path.stem == name).read_text())


def standing_at_0(part: dict) -> np.ndarray:
    joints, confidence = np.array(part["joints"]), np.array(part["confidence"])
    seen = confidence[:, 11:13].all(axis=1)
    return joints - joints[seen][0, 11:13].mean(axis=0)


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Somebody who waves, then sits down."""
    parts = [sequence(name) for name in ("wave", "sit_down")]
    joints = np.concatenate([standing_at_0(part) for part in parts])
    confidence = np.concatenate([np.array(part["confidence"]) for part in parts])
    where = tmp_path / "long.json"
    where.write_text(json.dumps({**parts[0], "joints": joints.tolist(), "confidence": confidence.tolist()}))
    return where


def test_before_anything_is_chosen_it_says_what_can_be_dropped(page: Page, visit) -> None:
    visit("#/classify")
    expect(page.get_by_text("Drop keypoint files here")).to_be_visible()


@pytest.mark.parametrize("name", ["sit_down", "wave"])
def test_an_action_is_named_with_its_probability(page: Page, visit, name: str) -> None:
    visit(f"#/classify?sample={name}")
    action = page.get_by_role("region", name="Action")
    expect(action.locator(".subject")).to_have_text(name.replace("_", " "))
    expect(action.get_by_role("list", name="Actions, most probable first").get_by_role("listitem")).to_have_count(6)
    expect(page.get_by_role("img", name=f"Skeleton of {name}")).to_be_visible()


def test_over_time_the_actions_run_along_the_players_axis(page: Page, visit, long_file: Path, axe, shot) -> None:
    visit("#/classify")
    page.locator("input[type=file]").set_input_files(long_file)
    rows = page.get_by_role("img", name="Probability of actions over time")
    expect(rows).to_be_visible()
    now = page.locator(".now")
    page.keyboard.press("Home")
    expect(now).to_contain_text("wave")
    page.keyboard.press("End")
    expect(now).to_contain_text("sit down")
    page.keyboard.press("Shift+ArrowLeft")
    axe(page)
    shot(page, "classify")


def test_probabilities_at_a_time_are_the_mean_of_the_clips_that_hold_it(page: Page, visit) -> None:
    visit("#/classify")
    found = page.evaluate(
        """async () => {
          const { sharesAt, rowsOf } = await import("/console/pages/classify.js");
          const timeline = {seconds: [[0, 2], [1, 3]], actions: ["walk", "run"], probabilities: [[1, 0], [0.5, 0.5]]};
          return [sharesAt(timeline, 0.5), sharesAt(timeline, 1.5), sharesAt(timeline, 2.5), sharesAt(timeline, 9),
                  rowsOf(timeline, 3)[0].cells.map(([start, end, , share]) => [start, end, share])];
        }"""
    )
    assert found == [[1, 0], [0.75, 0.25], [0.5, 0.5], [0.5, 0.5], [[0, 1, 1], [1, 2, 0.75], [2, 3, 0.5]]]


def test_a_sequence_that_is_too_short_is_refused_in_words(page: Page, visit, tmp_path: Path, faults) -> None:
    faults.expect(422)
    whole = sequence("wave")
    short = {**whole, "joints": whole["joints"][:8], "confidence": whole["confidence"][:8]}
    (tmp_path / "short.json").write_text(json.dumps(short))
    visit("#/classify")
    page.locator("input[type=file]").set_input_files(tmp_path / "short.json")
    expect(page.get_by_role("alert")).to_contain_text("too few frames")
