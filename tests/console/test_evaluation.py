"""Evaluation: the tables, heat maps, curves and confusion matrices of stored reports."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.evaluations import TABLES, VIEWS, share, write_reports
from tests.console.stand import Stand

Visit = Callable[[str], None]
Axe = Callable[[Page], None]
Shot = Callable[[Page, str], None]


@pytest.fixture(scope="module", autouse=True)
def reports(stand: Stand) -> None:
    write_reports(Path(stand.library.store.directory) / "reports")


def test_all_reports_are_listed_and_lead_to_their_own_page(page: Page, visit: Visit) -> None:
    visit("#/evaluation")
    table = page.get_by_role("table", name="Stored reports")
    expect(table.locator("tbody tr")).to_have_count(5)
    expect(table.get_by_role("row", name="casia-b identification")).to_contain_text("simulated")
    table.get_by_role("link", name="casia-b", exact=True).click()
    expect(page.get_by_role("heading", name="gait, casia-b")).to_be_visible()
    page.get_by_label("Report").select_option("openset")
    expect(page.get_by_role("heading", name="openset, all")).to_be_visible()


def test_every_pair_of_views_is_in_three_heat_maps(page: Page, visit: Visit) -> None:
    visit("#/evaluation/casia-b")
    maps = page.locator(".heat-maps table")
    expect(maps).to_have_count(3)
    for place, name in enumerate(TABLES):
        cells = (
            maps.nth(place)
            .locator("tbody tr")
            .evaluate_all("rows => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))")
        )
        wanted = [["–" if g == p else f"{100 * share(name, g, p):.0f}" for p in VIEWS] for g in VIEWS]
        assert cells == wanted


def test_a_deeper_shade_is_a_higher_share(page: Page, visit: Visit) -> None:
    visit("#/evaluation/casia-b")
    expect(page.locator(".heat-maps table")).to_have_count(3)
    cells = page.locator(".heat-maps td[data-step]").evaluate_all(
        "cells => cells.map((cell) => [Number(cell.textContent), Number(cell.dataset.step)])"
    )
    ordered = sorted(cells)
    assert all(a[1] <= b[1] for a, b in pairwise(ordered))
    assert len({step for _, step in cells}) > 4


def test_the_tables_by_view_and_the_open_set_are_there(page: Page, visit: Visit, axe: Axe, shot: Shot) -> None:
    visit("#/evaluation/casia-b")
    expect(page.get_by_role("table", name="Rank-1, %")).to_be_visible()
    expect(page.get_by_role("table", name="Open set").get_by_role("row", name="CL")).to_contain_text("80.1 %")
    axe(page)
    shot(page, "evaluation-gait")


def test_an_open_set_report_has_its_curves_and_says_what_it_cannot(
    page: Page, visit: Visit, axe: Axe, shot: Shot
) -> None:
    visit("#/evaluation/openset")
    for name in (
        "Trade-off (DET)",
        "Found among the first candidates (CMC)",
        "Mates missed by number of people enrolled",
    ):
        figure = page.locator("figure.chart", has_text=name)
        expect(figure.locator("polyline.line").first).to_be_attached()
        assert figure.locator("details tbody tr").count() > 3
    expect(page.get_by_text("too few").first).to_be_visible()
    expect(page.get_by_text("The requirement is not shown to be met.")).to_be_visible()
    axe(page)
    shot(page, "evaluation-openset")


def test_a_confusion_matrix_is_read_by_rows(page: Page, visit: Visit, axe: Axe, shot: Shot) -> None:
    visit("#/evaluation/actions")
    row = page.get_by_role("table", name="Share of each action").get_by_role("row", name="sit_down 2")
    expect(row.locator("td")).to_have_text(["·", "95", "5", "·"])
    expect(row.locator("td").nth(2)).to_have_attribute("title", "sit_down taken for squat: 1 of 19")
    axe(page)
    shot(page, "evaluation-actions")


def test_windows_and_the_papers_tables_are_shown(page: Page, visit: Visit, shot: Shot) -> None:
    visit("#/evaluation/reid")
    expect(page.locator("polyline.line")).to_have_count(3)
    shot(page, "evaluation-reid")
    visit("#/evaluation/kard.table-8")
    expect(page.get_by_role("row", name="full")).to_contain_text("90.2 ± 1.2")
    expect(page.get_by_text("no difference is shown")).to_be_visible()
    shot(page, "evaluation-paper")


def test_a_report_that_is_gone_is_said(page: Page, visit: Visit, faults) -> None:
    faults.expect(404)
    page.goto("/console/#/evaluation/nothing")
    expect(page.get_by_role("alert")).to_contain_text("No such report")
