"""Stored evaluations: what the commands wrote is shown, and nothing else in the folder is."""

import json
from pathlib import Path
from typing import Any

import pytest

from model.errors import UnknownResource
from service.reports import Reports
from tests.service.client import Client

GAIT = {
    "kind": "gait",
    "bundle": {"name": "casia-b", "fingerprint": "8" * 64},
    "data": {"name": "casia-b", "simulated": True},
    "protocol": "casia-b",
    "date": "2026-11-22T19:46:28+00:00",
    "tables": [],
}
TABLES = {"name": "table-8", "title": "Table VIII", "tables": [], "runs": []}


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    put(folder / "casia-b" / "results.json", GAIT)
    put(folder / "casia-b" / "cells.csv", "table,gallery_view,probe_view,rank1,probes\nNM,000,018,0.910000,100\n")
    put(folder / "casia-b" / "left_out.csv", "name,reasons,detail\n")
    put(folder / "kard" / "table-8.json", TABLES)
    put(folder / "single.json", GAIT)
    return folder


def names(reports: Reports, **more: Any) -> list[str]:
    return [each.name for each in reports.page(**{"after": "", "limit": 100, **more})[0]]


def test_reports_are_named_by_their_folder_or_file(folder: Path) -> None:
    assert names(Reports(folder)) == ["casia-b", "kard.table-8", "single"]


def test_pages_follow_one_another(folder: Path) -> None:
    reports = Reports(folder)
    first, following = reports.page("", 2)
    assert ([each.name for each in first], following) == (["casia-b", "kard.table-8"], "kard.table-8")
    assert (names(reports, after=following), reports.page("kard.table-8", 2)[1]) == (["single"], None)


def test_a_report_comes_with_the_curves_beside_it(folder: Path) -> None:
    found = Reports(folder).report("casia-b")
    assert (found.kind, found.content) == ("gait", GAIT)
    assert list(found.curves) == ["cells"]
    assert found.curves["cells"].rows == [["NM", "000", "018", "0.910000", "100"]]


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '{"kind": 1}', '{"a": NaN}', '"gait"', "x" * (5 << 20), "\ufeff{}"]
)
def test_a_file_that_is_no_report_is_passed_over(folder: Path, content: str) -> None:
    put(folder / "odd.json", content)
    assert names(Reports(folder)) == ["casia-b", "kard.table-8", "single"]
    with pytest.raises(UnknownResource):
        Reports(folder).report("odd")


def test_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "results.json", GAIT)
    (folder / "file.json").symlink_to(tmp_path / "elsewhere" / "results.json")
    (folder / "away").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "casia-b" / "cmc.csv").symlink_to(tmp_path / "elsewhere" / "results.json")
    assert names(Reports(folder)) == ["casia-b", "kard.table-8", "single"]
    assert list(Reports(folder).report("casia-b").curves) == ["cells"]


def test_no_folder_is_no_reports(tmp_path: Path) -> None:
    assert Reports(tmp_path / "nowhere").page("", 10) == ([], None)


@pytest.mark.parametrize("name", ["nothing", "../casia-b", "casia-b/results.json", "casia-b/left_out", "", "."])
def test_a_name_is_never_a_path(folder: Path, name: str) -> None:
    with pytest.raises(UnknownResource):
        Reports(folder).report(name)


def test_reports_over_http(client: Client, folder: Path) -> None:
    client.app.state.settings = client.app.state.settings.model_copy(update={"reports": folder})
    page = client.get("/reports", params={"limit": 1}).json()
    assert page["next"] == "casia-b"
    assert page["reports"] == [
        {
            "name": "casia-b",
            "kind": "gait",
            "title": "gait, casia-b",
            "date": GAIT["date"],
            "bundle": "casia-b",
            "data": "casia-b",
            "simulated": True,
        }
    ]
    shown = client.get("/reports/casia-b").json()
    assert (shown["report"], shown["curves"]["cells"]["columns"][0]) == (GAIT, "table")
    missing = client.get("/reports/..%2Fcasia-b")
    assert missing.status_code == 404


def test_without_the_setting_they_are_looked_for_with_the_data(client: Client, folder: Path) -> None:
    client.app.state.settings = client.app.state.settings.model_copy(update={"data": folder.parent})
    assert len(client.get("/reports").json()["reports"]) == 3
