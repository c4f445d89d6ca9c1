"""Identify: a file or a sample is shown, judged and compared; what cannot be is said in words."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gallery.template import NewTemplate
from model.named_layouts import COCO_17, OPENPOSE_18
from service import samples
from tests.console.stand import Stand

PROBE = "walker-01-nm-06-054"
STRANGER = "stranger-03-nm-05-054"


def sample(name: str) -> Path:
    return next(path for path, _ in samples.shipped().all if path.stem == name)


@pytest.fixture
def shows(page: Page, visit):
    """Opens a sample and waits for its decision."""

    def _shows(name: str, gallery: str = "default") -> None:
        visit(f"#/identify?sample={name}&gallery={gallery}")
        page.locator(".verdict").wait_for()

    return _shows


def test_before_anything_is_chosen_it_says_what_can_be_dropped(page: Page, visit, axe, shot) -> None:
    visit("#/identify")
    expect(page.get_by_text("Drop keypoint files here")).to_be_visible()
    axe(page)
    shot(page, "identify-empty")


def test_who_is_known_is_named_with_score_threshold_margin_and_rate(page: Page, shows, axe, shot) -> None:
    shows(PROBE)
    decision = page.get_by_role("region", name="Decision")
    expect(decision.get_by_text("Match", exact=True)).to_be_visible()
    expect(decision.locator(".subject")).to_have_text("walker-01")
    expect(decision.get_by_text("the threshold is")).to_be_visible()
    expect(decision.get_by_role("button", name="1: walker-01")).to_contain_text("+0.")
    decision.get_by_text("Numbers").click()
    expect(decision.get_by_text("Margin to the runner-up")).to_be_visible()
    expect(decision.get_by_text("5 % (13.01 dB)")).to_be_visible()
    page.keyboard.press("Shift+ArrowRight")
    axe(page)
    shot(page, "identify-match")


def test_a_stranger_is_nobody_who_is_enrolled(page: Page, shows, shot) -> None:
    shows(STRANGER)
    expect(page.get_by_role("region", name="Decision").get_by_text("Nobody who is enrolled")).to_be_visible()
    expect(page.locator(".candidate .fill.reaches")).to_have_count(0)
    shot(page, "identify-stranger")


def test_a_sample_is_chosen_from_the_list(page: Page, visit) -> None:
    visit("#/identify")
    page.get_by_label("Sample").select_option(PROBE)
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")
    assert f"sample={PROBE}" in page.url, "what is seen can be sent to somebody"


def test_another_gallery_or_rate_is_asked_at_once(page: Page, shows) -> None:
    shows(PROBE)
    page.get_by_label("Gallery").select_option("vault")
    page.wait_for_url("**gallery=vault**")
    page.locator(".verdict").wait_for()
    page.get_by_label("FPIR").select_option("0.01")
    page.get_by_text("Of those who are not enrolled, 1 % would").wait_for()


def test_the_chosen_candidate_walks_beside_the_probe_in_step(page: Page, shows, axe, shot) -> None:
    shows(PROBE, "vault")
    page.get_by_role("button", name="1: walker-01").click()
    expect(page.locator(".stage canvas")).to_have_count(2)
    expect(page.get_by_role("img", name="Skeleton of walker-01, template")).to_be_visible()
    expect(page.get_by_role("button", name="In step")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+ArrowRight")
    axe(page)
    shot(page, "identify-beside")
    page.get_by_role("button", name="1: walker-01").click()
    expect(page.locator(".stage canvas")).to_have_count(1)


def test_candidates_and_samples_are_gone_through_by_keys(page: Page, shows) -> None:
    shows(PROBE, "vault")
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="2: walker")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".stage canvas")).to_have_count(2)
    page.keyboard.press("2")
    expect(page.locator(".stage canvas")).to_have_count(1)
    page.keyboard.press("]")
    expect(page.locator(".verdict .subject")).to_have_text("walker-02")
    page.keyboard.press("[")
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")


def test_where_no_skeleton_is_kept_that_is_said(page: Page, shows, faults) -> None:
    faults.expect(404)
    shows(PROBE)
    page.get_by_role("button", name="1: walker-01").click()
    expect(page.get_by_text("No skeleton is kept of walker-01's template")).to_be_visible()
    expect(page.locator(".stage canvas")).to_have_count(1)


def test_a_file_is_read_shown_and_identified(page: Page, visit) -> None:
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(sample(PROBE))
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")
    expect(page.get_by_role("img", name=f"Skeleton of {PROBE}.json")).to_be_visible()


def test_a_file_may_be_dropped_anywhere(page: Page, visit) -> None:
    visit("#/identify")
    page.evaluate(
        """(text) => {
          const files = new DataTransfer();
          files.items.add(new File([text], "walk.json", {type: "application/json"}));
          document.body.dispatchEvent(new DragEvent("dragover", {bubbles: true, dataTransfer: files}));
          document.body.dispatchEvent(new DragEvent("drop", {bubbles: true, cancelable: true, dataTransfer: files}));
        }""",
        sample(PROBE).read_text(),
    )
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")


def test_of_a_file_of_several_people_one_is_chosen(page: Page, visit, tmp_path: Path, axe, shot) -> None:
    tracks = [{"name": name, "sequence": json.loads(sample(name).read_text())} for name in (PROBE, STRANGER)]
    (tmp_path / "two.json").write_text(json.dumps({"tracks": tracks}))
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(tmp_path / "two.json")
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")
    chosen = page.get_by_role("group", name="Tracks")
    axe(page)
    shot(page, "identify-tracks")
    chosen.get_by_role("button", name=STRANGER).click()
    expect(page.locator(".verdict .subject")).to_have_text("Nobody who is enrolled")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(page: Page, visit, tmp_path: Path, faults) -> None:
    faults.expect(422)
    (tmp_path / "shopping.json").write_text('{"milk": 2}')
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(tmp_path / "shopping.json")
    expect(page.get_by_text("shopping.json").first).to_be_visible()
    expect(page.get_by_text("Drop keypoint files here")).to_be_visible()


def test_what_a_file_does_not_say_is_said_by_hand(page: Page, visit, tmp_path: Path, axe, shot) -> None:
    """A folder of OpenPose's: a file for each frame, and no frame rate in any."""
    whole = json.loads(sample(PROBE).read_text())
    order = COCO_17.joints.index
    for number, (joints, confidence) in enumerate(zip(whole["joints"], whole["confidence"], strict=True)):
        flat = [0.0] * (3 * OPENPOSE_18.count)
        for place, name in enumerate(OPENPOSE_18.joints):
            if name != "neck":
                flat[3 * place : 3 * place + 3] = [*joints[order(name)], confidence[order(name)]]
        frame = {"version": 1.3, "people": [{"pose_keypoints_2d": flat}]}
        (tmp_path / f"walk_{number:012}_keypoints.json").write_text(json.dumps(frame))
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(sorted(tmp_path.glob("*.json")))
    page.locator(".verdict").wait_for()
    expect(page.get_by_text("frame 1 of 75")).to_be_visible()
    expect(page.get_by_role("region", name="Quality of the sequence")).to_contain_text("does not say its frame rate")
    axe(page)
    shot(page, "identify-hints")
    page.get_by_label("Frames a second").fill("25")
    page.get_by_role("button", name="Read again").click()
    page.locator(".verdict").wait_for()
    expect(page.get_by_role("region", name="Quality of the sequence")).not_to_contain_text(
        "does not say its frame rate"
    )


def test_a_sequence_that_cannot_be_judged_says_why_in_words(page: Page, visit, tmp_path: Path, axe, shot) -> None:
    whole = json.loads(sample(PROBE).read_text())
    short = {**whole, "joints": whole["joints"][:12], "confidence": whole["confidence"][:12]}
    (tmp_path / "short.json").write_text(json.dumps(short))
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(tmp_path / "short.json")
    decision = page.get_by_role("region", name="Decision")
    expect(decision.get_by_text("Abstained")).to_be_visible()
    expect(decision.get_by_text("too few frames for one clip")).to_be_visible()
    quality = page.get_by_role("region", name="Quality of the sequence")
    expect(quality.get_by_text("Not usable")).to_be_visible()
    axe(page)
    shot(page, "identify-abstain")


def test_somebody_who_stands_is_advised_of_it(page: Page, visit) -> None:
    visit("#/identify?sample=stand")
    expect(
        page.get_by_role("region", name="Quality of the sequence").get_by_text("no steps were found")
    ).to_be_visible()


def test_of_a_long_sequence_the_scores_run_along_the_players_axis(page: Page, visit, tmp_path: Path, axe, shot) -> None:
    """Somebody who walks there and, for as long, back in time."""
    whole = json.loads(sample(PROBE).read_text())
    longer = {**whole, **{key: whole[key] + whole[key][::-1] for key in ("joints", "confidence")}}
    (tmp_path / "longer.json").write_text(json.dumps(longer))
    visit("#/identify")
    page.locator("input[type=file]").set_input_files(tmp_path / "longer.json")
    expect(page.get_by_role("img", name="Score of candidates over time. walker-01 from")).to_be_visible()
    axe(page)
    shot(page, "identify-long")


def test_a_name_is_text_whatever_is_in_it_and_however_long(page: Page, visit, stand: Stand, shot) -> None:
    name = "<img src=x onerror=alert(1)> & " + "Wolfeschlegelsteinhausenbergerdorff " * 2
    stand.library.create("odd", fingerprint=stand.fingerprint, dim=256)
    _, rows = stand.library.store.everything("default")
    new = [
        NewTemplate(name.strip() if subject == rows.subjects[0] else str(subject), row)
        for subject, row in zip(rows.subjects, rows.embeddings, strict=True)
    ]
    stand.library.enroll("odd", new, fingerprint=stand.fingerprint)
    visit(f"#/identify?sample={PROBE}&gallery=odd")
    expect(page.locator(".verdict .subject")).to_have_text(name.strip())
    assert page.locator(".page-identify img").count() == 0
    shot(page, "identify-long-name")


def test_an_empty_gallery_leads_to_where_somebody_is_enrolled(page: Page, visit, stand: Stand, faults) -> None:
    faults.expect(409)
    stand.library.create("nobody in it", fingerprint=stand.fingerprint, dim=256)
    visit(f"#/identify?sample={PROBE}&gallery=nobody%20in%20it")
    expect(page.get_by_text("nobody in it is empty")).to_be_visible()
    expect(page.get_by_role("link", name="To the gallery")).to_have_attribute("href", re.compile("nobody%20in%20it"))
    page.get_by_label("Gallery").select_option("default")
    expect(page.locator(".verdict .subject")).to_have_text("walker-01")
