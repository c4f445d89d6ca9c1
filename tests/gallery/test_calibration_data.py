from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from gallery.calibration_data import calibrate_gallery, embed_entries, held_by, measure, read_embeddings
from gallery.library import Library
from gallery.manifest import read_manifest
from gallery.template import Consent, NewTemplate
from model.clips import unit_length
from model.errors import EmptyGallery, InvalidDataSet, InvalidRequest, UnreadableFile
from model.sequence import Floats
from tests.fakes import FakeEncoder
from tests.gallery.command_line import manifest
from tests.gallery.conftest import BUNDLE

PEOPLE, EACH = 30, 4


@pytest.fixture
def people() -> Floats:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.standard_normal((PEOPLE, 8)), EACH, axis=0)
    return unit_length((centres + 0.3 * rng.standard_normal(centres.shape)).astype(np.float32))


@pytest.fixture
def filled(library: Library, people: Floats) -> Library:
    """30 subjects with two templates from each of two walks, one of them with a coat."""
    new = [
        NewTemplate(f"s{i // EACH:02d}", row, {"walk": str(i % EACH // 2), "coat": "yes" if i % EACH > 1 else "no"})
        for i, row in enumerate(people)
    ]
    library.enroll("staff", new, fingerprint=BUNDLE)
    return library


def test_a_gallery_is_calibrated_on_itself(filled: Library) -> None:
    calibration = calibrate_gallery(filled, "staff", target_fpir=0.2)
    assert (calibration.subjects, calibration.searches) == (PEOPLE, PEOPLE * EACH)
    assert calibration.templates_per_subject == EACH
    assert calibration.sizes[-1] == PEOPLE - 1
    filled.set_calibration("staff", calibration)
    probe = unit_length(np.random.default_rng(5).standard_normal((1, 8)).astype(np.float32))
    (decision,) = filled.identify("staff", probe, fingerprint=BUNDLE)
    assert (decision.basis, decision.calibration, decision.fpir) == ("gallery", calibration.id, 0.2)
    assert decision.reasons == ()  # 30 enrolled, 29 measured: near enough
    assert decision.likelihood is not None


def test_the_rate_holds_for_strangers_who_come_to_the_gallery(filled: Library, people: Floats) -> None:
    calibration = calibrate_gallery(filled, "staff", target_fpir=0.2)
    strangers = unit_length(np.random.default_rng(6).standard_normal((4000, 8)).astype(np.float32))
    through = ((strangers @ people.T).max(axis=1) >= calibration.threshold(PEOPLE).value).mean()
    low, high = calibration.row(PEOPLE - 1, 0.2).fpir_between  # type: ignore[union-attr, misc]
    assert low <= through <= high


def test_templates_of_one_session_never_face_each_other(filled: Library) -> None:
    apart = calibrate_gallery(filled, "staff", session="walk", target_fpir=0.2)
    assert apart.searches == PEOPLE * 2
    assert calibrate_gallery(filled, "staff", target_fpir=0.2).searches == PEOPLE * EACH


def test_a_label_called_session_is_taken_at_its_word(library: Library, people: Floats) -> None:
    new = [NewTemplate(f"s{i // EACH:02d}", row, {"session": str(i % 2)}) for i, row in enumerate(people)]
    library.enroll("staff", new, fingerprint=BUNDLE)
    assert calibrate_gallery(library, "staff", target_fpir=0.3).searches == PEOPLE * 2


def test_conditions_are_labels_of_the_templates(filled: Library) -> None:
    found = calibrate_gallery(filled, "staff", by=("coat",), target_fpir=0.2)
    assert [(one.value, one.searches) for one in found.conditions] == [("no", PEOPLE * 2), ("yes", PEOPLE * 2)]
    with pytest.raises(InvalidDataSet, match="nothing has a label 'day'"):
        calibrate_gallery(filled, "staff", session="day")


def test_who_has_expired_is_not_measured_on(library: Library, people: Floats) -> None:
    over = Consent(expires=datetime.now(UTC) - timedelta(days=1))
    library.enroll("staff", [NewTemplate("gone", people[0])], fingerprint=BUNDLE, consent=over)
    with pytest.raises(EmptyGallery):
        held_by(library, "staff")
    library.enroll("staff", [NewTemplate(f"s{i}", row) for i, row in enumerate(people[1:5])], fingerprint=BUNDLE)
    assert len(held_by(library, "staff").embeddings) == 4


def test_a_gallery_that_is_too_small_is_told_how_many_are_missing(
    library: Library, enroll: Callable[..., list[int]], vectors: Callable[..., Floats]
) -> None:
    for i, row in enumerate(vectors(10)):
        enroll(f"s{i}", row)
    with pytest.raises(InvalidRequest, match="more people are needed"):
        calibrate_gallery(library, "staff")


def test_embeddings_of_a_file_are_labelled_by_its_other_arrays(tmp_path: Path, people: Floats) -> None:
    path = tmp_path / "visitors.npz"
    subjects, views = np.repeat(np.arange(PEOPLE), EACH).astype(str), np.tile(["000", "090"], PEOPLE * EACH // 2)
    np.savez(path, embeddings=people, subject=subjects, view=views, fingerprint="f" * 64)
    material = read_embeddings(path)
    assert (material.fingerprint, material.made_on) == ("f" * 64, "visitors.npz")
    found = measure(material, by=("view",), templates_per_subject=2, target_fpir=0.3)
    assert [one.value for one in found.conditions] == ["000", "090"]
    with pytest.raises(InvalidDataSet, match="no label 'coat'; its labels are view"):
        measure(material, by=("coat",))


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"embeddings": np.eye(3, dtype=np.float32)}, "must hold embeddings and subject"),
        ({"embeddings": np.eye(3, dtype=np.float32), "subject": np.array(["a"])}, r"subject \(n,\)"),
        ({"embeddings": 2 * np.eye(3, dtype=np.float32), "subject": np.array(list("abc"))}, "unit length"),
        ({"embeddings": np.full((3, 3), np.nan), "subject": np.array(list("abc"))}, "finite"),
        ({"embeddings": np.eye(3, dtype=np.int64), "subject": np.array(list("abc"))}, "must be floats"),
    ],
)
def test_a_file_that_holds_no_embeddings_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray], reason: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(InvalidDataSet, match=reason):
        read_embeddings(tmp_path / "x.npz")


def test_pickled_objects_and_other_files_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", embeddings=np.eye(3, dtype=np.float32), subject=np.array([{}, {}, {}], dtype=object))
    (tmp_path / "y.npz").write_text("no zip")
    for name, reason in (("x.npz", "without pickled objects"), ("y.npz", "npz"), ("z.npz", "No such file")):
        with pytest.raises(UnreadableFile, match=reason):
            read_embeddings(tmp_path / name)


def test_a_manifest_is_embedded_and_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = manifest(tmp_path, people=4, takes=2, more="absent.json,s9,000\n")
    seen: list[int] = []
    material = embed_entries(FakeEncoder(), read_manifest(path), "people.csv", each=seen.append)
    assert (len(material.embeddings), sum(seen)) == (8, 9)
    assert material.labels["view"].tolist()[:2] == ["000", "010"]
    assert "line 10, absent.json" in material.left_out[0]
    with pytest.raises(InvalidDataSet, match="no file of it can be used"):
        embed_entries(FakeEncoder(), read_manifest(path)[-1:], "people.csv")
