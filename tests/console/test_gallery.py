"""Gallery: who is enrolled, what is missing, and how somebody comes in and goes again."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from service import samples
from tests.console.stand import VIEWS, Stand

Visit = Callable[[str], None]
Axe = Callable[[Page], None]
Shot = Callable[[Page, str], None]

WALKS = sorted((Path(samples.__file__).parent / "samples" / "walkers").glob("stranger-*.json"))
_numbers = count()


@pytest.fixture
def gallery(stand: Stand) -> str:
    """An empty gallery of the test's own, with a vault."""
    name = f"kept-{next(_numbers)}"
    stand.library.create(name, fingerprint=stand.fingerprint, dim=stand.library.gallery("vault").dim, vault_days=30)
    return name


def enrolled(page: Page, gallery: str, subject: str, *walks: Path) -> None:
    for walk in walks:
        body = {"sequence": json.loads(walk.read_text()), "labels": {"view": "090"}, "force": True}
        answer = page.request.post(f"/galleries/{gallery}/subjects/{subject}/templates", data=body)
        assert answer.status == 201, answer.text()


def typed_name(page: Page, name: str, button: str) -> None:
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill(name)
    dialog.get_by_role("button", name=button).click()


def test_coverage_counts_subjects_by_view_and_condition(
    page: Page, visit: Visit, axe: Axe, shot: Shot, stand: Stand
) -> None:
    visit("#/gallery?gallery=entrance")
    matrix = page.get_by_role("table", name="Subjects with a template")
    expect(matrix.locator("thead th:not(:first-child)")).to_have_text(sorted(VIEWS))
    people = stand.library.gallery("entrance").subjects
    subjects = stand.library.subjects("entrance")
    views = [{each.labels["view"] for each in stand.library.templates_of("entrance", one.id)} for one in subjects]
    wanted = [f"{100 * sum(view in own for own in views) / people:.0f}" for view in sorted(VIEWS)]
    page.get_by_label("Down").select_option("")
    expect(matrix.locator("tbody td")).to_have_text(wanted)
    axe(page)
    page.get_by_label("Down").select_option("condition")
    shot(page, "gallery")


def test_who_lacks_a_view_is_one_click_away(page: Page, visit: Visit, stand: Stand) -> None:
    visit("#/gallery?gallery=entrance")
    page.get_by_label("Down").select_option("")
    gap = page.locator(".page-gallery button.link").first
    lacking = int(gap.inner_text().rpartition("(")[2].rstrip(")"))
    gap.click()
    rows = page.get_by_role("table", name="Subjects", exact=True).locator("tbody tr")
    expect(rows).to_have_count(lacking)
    expect(rows.first).to_contain_text(f"of {len(VIEWS)}")
    page.get_by_role("button", name="Show all").click()
    expect(rows.nth(lacking)).to_be_visible()


def test_consents_that_end_soon_are_found(page: Page, visit: Visit) -> None:
    visit("#/gallery?gallery=entrance")
    page.get_by_role("button", name="Consent ends soon").click()
    rows = page.get_by_role("table", name="Subjects", exact=True).locator("tbody tr")
    expect(rows.first).to_contain_text("days left")
    page.get_by_label("Find").fill("s02")
    expect(rows.locator("th").filter(has_not_text="s02")).to_have_count(0)


def test_files_are_read_judged_and_enrolled_or_refused_with_the_reason(
    page: Page, visit: Visit, gallery: str, stand: Stand, tmp_path: Path, faults, axe: Axe, shot: Shot
) -> None:
    faults.expect(400, 422)
    short = json.loads(WALKS[1].read_text())
    short |= {"joints": short["joints"][:8], "confidence": short["confidence"][:8]}
    (tmp_path / "short.json").write_text(json.dumps(short))
    (tmp_path / "letter.json").write_text('{"dear": "sir"}')
    visit(f"#/gallery?gallery={gallery}")
    page.get_by_role("button", name="Enroll files").first.click()
    page.get_by_label("Subject", exact=True).fill("ann")
    page.get_by_label("Labels").fill("view=144, condition=nm")
    page.locator("input[type=file]").set_input_files([WALKS[0], tmp_path / "short.json", tmp_path / "letter.json"])
    table = page.get_by_role("table", name="Sequences to enroll")
    expect(table.locator("tbody tr")).to_have_count(3)
    expect(table.locator(".tag")).to_have_text(["ready", "refused", "refused"])
    axe(page)
    shot(page, "gallery-enroll")
    page.get_by_role("button", name="Enroll 1 sequence").click()
    expect(table.locator(".tag").first).to_have_text("enrolled")
    (template,) = stand.library.templates_of(gallery, "ann")
    assert dict(template.labels) == {"view": "144", "condition": "nm"}
    expect(page.get_by_role("link", name="ann")).to_be_visible()


def test_the_same_file_again_adds_nothing(page: Page, visit: Visit, gallery: str, stand: Stand) -> None:
    visit(f"#/gallery?gallery={gallery}")
    page.get_by_role("button", name="Enroll files").first.click()
    page.get_by_label("Subject", exact=True).fill("bob")
    for wanted in ("enrolled", "was there already"):
        page.locator("input[type=file]").set_input_files(WALKS[2])
        page.get_by_role("button", name="Enroll 1 sequence").click()
        expect(page.get_by_role("table", name="Sequences to enroll").locator(".tag").last).to_have_text(wanted)
    assert len(stand.library.templates_of(gallery, "bob")) == 1


def test_a_template_of_the_vault_plays_and_two_play_side_by_side(
    page: Page, visit: Visit, gallery: str, axe: Axe, shot: Shot
) -> None:
    enrolled(page, gallery, "eve", WALKS[0], WALKS[1])
    visit(f"#/gallery/eve?gallery={gallery}")
    buttons = page.get_by_role("button", name="Show template")
    buttons.first.click()
    expect(page.get_by_role("heading", name="Quality of template")).to_be_visible()
    assert page.locator(".player canvas").count() >= 1
    buttons.last.click()
    expect(page.locator(".stages")).to_have_attribute("data-count", "2")
    log = page.request.get("/audit", params={"action": "show_skeleton", "limit": 1000}).json()["entries"]
    assert len(log) >= 2
    axe(page)
    shot(page, "gallery-subject")


def test_consent_and_holds_are_changed(page: Page, visit: Visit, gallery: str, stand: Stand, faults) -> None:
    enrolled(page, gallery, "eve", WALKS[0])
    visit(f"#/gallery/eve?gallery={gallery}")
    page.get_by_role("button", name="Consent…").click()
    page.get_by_label("Reference of the consent").fill("form 9")
    page.get_by_label("Ends with this day").fill("2099-12-31")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Subject")).to_contain_text("2099-12-31")
    page.get_by_role("button", name="Hold…").click()
    page.get_by_label("Why").fill("case 12")
    page.get_by_role("dialog").get_by_role("button", name="Hold").click()
    expect(page.get_by_text("on hold: case 12")).to_be_visible()
    found = stand.library.subject(gallery, "eve")
    assert (found.consent.reference, found.hold) == ("form 9", "case 12")
    faults.expect(409)
    page.get_by_role("button", name="Erase…").click()
    typed_name(page, "eve", "Erase for good")
    expect(page.get_by_role("alert")).to_contain_text("hold")


def test_erasing_asks_for_the_name_and_gives_a_receipt(
    page: Page, visit: Visit, gallery: str, stand: Stand, tmp_path: Path, axe: Axe, shot: Shot
) -> None:
    enrolled(page, gallery, "eve", WALKS[0])
    visit(f"#/gallery/eve?gallery={gallery}")
    page.get_by_role("button", name="Erase…").click()
    typed_name(page, "somebody else", "Erase for good")
    expect(page.get_by_role("alert")).to_contain_text("another name")
    typed_name(page, "eve", "Erase for good")
    dialog = page.get_by_role("dialog", name="eve is erased")
    expect(dialog).to_contain_text("1 template")
    axe(page)
    shot(page, "gallery-receipt")
    with page.expect_download() as download:
        dialog.get_by_role("button", name="Download the receipt").click()
    receipt = json.loads(Path(download.value.path()).read_text())
    assert receipt["signature"]
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Nobody is enrolled")).to_be_visible()
    assert not stand.library.subjects(gallery)


def test_a_gallery_that_is_not_there_is_not_taken_for_another(page: Page, visit: Visit) -> None:
    for where in ("gallery", "calibration"):
        visit(f"#/{where}?gallery=attic")
        expect(page.get_by_text("There is no gallery attic")).to_be_visible()
        page.get_by_label("Gallery").select_option("vault")
        expect(page.get_by_text("There is no gallery attic")).to_be_hidden()


def test_what_is_pressed_twice_is_done_once(page: Page, visit: Visit) -> None:
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    visit("#/gallery")
    page.get_by_role("button", name="New gallery").click()
    page.get_by_label("Name").fill("pressed twice")
    page.get_by_role("button", name="Make it").dblclick()
    expect(page.get_by_label("Gallery", exact=True)).to_have_value("pressed twice")
    assert len(asked) == 1


def test_a_gallery_is_made_and_deleted(page: Page, visit: Visit, stand: Stand) -> None:
    visit("#/gallery?gallery=entrance")
    page.get_by_role("button", name="New gallery").click()
    page.get_by_label("Name").fill("visitors")
    page.get_by_label("Keep skeletons").fill("7")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_label("Gallery", exact=True)).to_have_value("visitors")
    assert stand.library.gallery("visitors").vault_days == 7
    page.get_by_role("button", name="Delete this gallery…").click()
    typed_name(page, "visitors", "Delete the gallery")
    expect(page.get_by_label("Gallery", exact=True)).not_to_have_value("visitors")
    assert "visitors" not in {each.name for each in stand.library.galleries()}


def test_a_key_that_may_not_see_who_is_there_is_told_so(page: Page, visit: Visit, faults) -> None:
    faults.expect(403)
    refusal = {"title": "Not allowed", "status": 403}
    page.route("**/galleries/*/templates?*", lambda route: route.fulfill(status=403, json=refusal))
    visit("#/gallery?gallery=entrance")
    expect(page.get_by_text("Your key may not see who is enrolled")).to_be_visible()


def test_however_long_a_gallerys_name_is_the_pages_fit(
    page: Page, visit: Visit, stand: Stand, faults, shot: Shot
) -> None:
    faults.expect(409)  # nobody is enrolled in it
    name = "g" * 100
    stand.library.create(name, fingerprint=stand.fingerprint, dim=256)
    for where in ("gallery", "calibration", "identify"):
        visit(f"#/{where}?gallery={name}&sample=walker-01-nm-06-054")
        expect(page.get_by_label("Gallery", exact=True)).to_have_value(name)
        if where == "identify":
            expect(page.get_by_text("Nobody is enrolled")).to_be_visible()
        shot(page, f"long-{where}")
    page.request.delete(f"/galleries/{name}")
