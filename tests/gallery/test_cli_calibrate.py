import json
from pathlib import Path

import numpy as np
import pytest

import gaitkeeper
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.bundle import open_bundle
from model.clips import unit_length
from tests.gallery.command_line import manifest

PEOPLE, EACH, DIM = 40, 4, 32


@pytest.fixture
def staff(tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory whose gallery `staff` holds 40 people before two cameras."""
    monkeypatch.setenv("GAITKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.standard_normal((PEOPLE, DIM)), EACH, axis=0)
    rows = unit_length((centres + 0.5 * rng.standard_normal(centres.shape)).astype(np.float32))
    fingerprint = open_bundle(bundle).fingerprint
    library = Library(open_store(tmp_path / "data"))
    library.create("staff", fingerprint=fingerprint, dim=DIM)
    new = [NewTemplate(f"s{i // EACH:02d}", row, {"view": str(i % 2)}) for i, row in enumerate(rows)]
    library.enroll("staff", new, fingerprint=fingerprint)
    library.close()
    np.savez(
        tmp_path / "others.npz", embeddings=rows, subject=np.repeat(np.arange(PEOPLE), EACH), fingerprint=fingerprint
    )
    np.savez(tmp_path / "foreign.npz", embeddings=rows, subject=np.repeat(np.arange(PEOPLE), EACH), fingerprint="0")
    return tmp_path


def calibrate(bundle: Path, *arguments: object) -> int:
    line = ["calibrate", "--gallery", "staff", "--bundle", str(bundle), *map(str, arguments)]
    with pytest.raises(SystemExit) as stopped:
        gaitkeeper.main(line)
    return int(stopped.value.code or 0)


def own(staff: Path) -> str | None:
    store = open_store(staff / "data")
    found = store.calibration("staff")
    store.close()
    return None if found is None else str(found["id"])


def test_it_measures_shows_and_keeps_the_gallery_s_own_thresholds(
    staff: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = staff / "staff.png"
    assert calibrate(bundle, "--target-fpir", "0.1", "--by", "view", "--plot", picture) == 0
    said = capsys.readouterr().out
    assert "40 people, 160 searches by strangers" in said
    assert "by condition, at the threshold that lets 10 % of all strangers through" in said
    assert "the bundle's own threshold for 10 % among 39 (0.900) would let" in said
    assert picture.read_bytes()[:4] == b"\x89PNG"
    kept = own(staff)
    assert kept is not None
    assert calibrate(bundle, "--show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["calibration"]["id"] == kept
    assert shown["calibration"]["format"] == 2
    assert calibrate(bundle, "--forget") == 0
    assert f"forgot calibration {kept}" in capsys.readouterr().out
    assert own(staff) is None
    assert calibrate(bundle, "--show") == 2
    assert "has none of its own" in capsys.readouterr().err


def test_a_dry_run_keeps_nothing(staff: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert calibrate(bundle, "--db", "10", "--dry-run") == 0
    assert "nothing was kept" in capsys.readouterr().out
    assert own(staff) is None


def test_a_rate_that_too_few_people_support_is_refused_in_one_line(
    staff: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(bundle, "--target-fpir", "0.001") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "more people are needed" in said
    assert own(staff) is None


def test_labelled_embeddings_of_the_same_bundle_are_measured_on(
    staff: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(bundle, "--labelled", staff / "others.npz", "--target-fpir", "0.1", "--json") == 0
    found = json.loads(capsys.readouterr().out)["calibration"]
    assert (found["made_on"], found["templates_per_subject"]) == ("others.npz", EACH)
    assert calibrate(bundle, "--labelled", staff / "foreign.npz", "--target-fpir", "0.1") == 2
    assert "never compared" in capsys.readouterr().err
    assert own(staff) == found["id"]


def test_a_manifest_of_other_people_is_measured_on(
    staff: Path, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(staff, people=12, takes=3, more="absent.json,s9,000\n")
    assert calibrate(bundle, "--labelled", path, "--target-fpir", "0.5", "--templates", "1", "--dry-run") == 0
    said = capsys.readouterr()
    assert "12 people, 36 searches" in said.out
    assert "absent.json" in said.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("--show", "--forget"),
        ("--target-fpir", "0.1", "--db", "10"),
        ("--target-fpir", "0"),
        ("--db", "0"),
        ("--by", "coat"),
        ("--labelled", "absent.csv"),
        ("--gallery", "absent"),
    ],
)
def test_what_cannot_be_meant_is_refused(staff: Path, bundle: Path, wrong: tuple[str, ...]) -> None:
    assert calibrate(bundle, *wrong) == 2
    assert own(staff) is None
