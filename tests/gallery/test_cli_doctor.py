"""The command over a store: what it reads, its exit status, its page."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gallery.doctor_findings import Held
from gallery.library import Library
from gallery.store import Store, open_store
from gallery.store.audit import audit_page
from gallery.store.examining import examine
from gallery.template import Consent, NewTemplate
from model.clips import unit_length
from model.sequence import Floats
from tests.gallery.command_line import Run
from tests.gallery.planted_gallery import DIM, Planted

BUNDLE = "b" * 64


def enroll(library: Library, planted: Planted, name: str = "staff", *, protected: bool = False) -> None:
    library.create(name, fingerprint=BUNDLE, dim=DIM, protected=protected)
    vectors = unit_length(np.array(planted.vectors, np.float32))
    new = [
        NewTemplate(f"s{owner:03d}", vector, labels, frames)
        for owner, vector, labels, frames in zip(planted.owner, vectors, planted.labels, planted.frames, strict=True)
    ]
    library.enroll(name, new, fingerprint=BUNDLE)


@pytest.fixture
def staff(tmp_path: Path) -> Callable[[Planted], None]:
    """`staff(planted)`: that gallery, in the data directory of `run`."""

    def make(planted: Planted) -> None:
        library = Library(open_store(tmp_path / "data"))
        enroll(library, planted)
        library.close()

    return make


def test_what_the_store_holds_is_what_is_examined(store: Store) -> None:
    planted = Planted(5, 3)
    library = Library(store)
    enroll(library, planted)
    consent = Consent("C-1", "research", datetime(2030, 1, 1, tzinfo=UTC))
    store.update_subject("staff", "s002", consent=consent)
    read = Held.of(examine(store, "staff"))
    assert read.names == tuple(f"s{i:03d}" for i in range(5))
    assert read.consents[2] == consent
    assert read.owner.tolist() == planted.owner
    assert [dict(labels) for labels in read.labels] == planted.labels
    assert read.frames.tolist() == planted.frames
    assert np.allclose(read.embeddings, unit_length(np.array(planted.vectors, np.float32)), atol=1e-6)
    assert (read.created > 0).all()


def test_a_protected_gallery_has_the_same_scores_without_its_embeddings(store: Store) -> None:
    planted = Planted(5, 3)
    library = Library(store)
    enroll(library, planted, protected=True)
    read = Held.of(examine(store, "staff"))
    plain: Floats = unit_length(np.array(planted.vectors, np.float32))
    assert not np.allclose(read.embeddings, plain, atol=0.1)
    assert np.allclose(read.embeddings @ read.embeddings.T, plain @ plain.T, atol=1e-5)


def test_a_healthy_gallery_is_status_0_and_a_fault_is_status_1_with_its_names(
    run: Run, tmp_path: Path, staff: Callable[[Planted], None], capsys: pytest.CaptureFixture[str]
) -> None:
    planted = Planted()
    staff(planted)
    assert run("gallery", "doctor", "staff") == 0
    said = capsys.readouterr().out
    assert "nothing was found" in said
    assert "probable duplicates" in said
    library = Library(open_store(tmp_path / "data"))
    looked = [entry for entry in audit_page(library.store) if entry.action == "examine"]
    assert [json.loads(entry.detail) for entry in looked] == [{"subjects": 60, "templates": 480}]
    new = [NewTemplate("[b]impostor", unit_length(planted.of(7)[None].astype(np.float32))[0]) for _ in range(5)]
    library.enroll("staff", new, fingerprint=BUNDLE)
    library.close()
    page = tmp_path / "page.html"
    assert run("gallery", "doctor", "staff", "--out", page) == 1
    assert "finding: [b]impostor and s007 are probably one person" in capsys.readouterr().out
    text = page.read_text()
    assert "[b]impostor and s007" in text
    assert text.count("data:image/png;base64,") == 2
    assert page.stat().st_mode & 0o077 == 0
    assert run("gallery", "doctor", "staff", "--json") == 1
    said_json = json.loads(capsys.readouterr().out)
    assert not said_json["healthy"]
    assert said_json["findings"][0]["subjects"] == ["[b]impostor", "s007"]


def test_advice_counts_where_it_is_asked_to(
    run: Run, staff: Callable[[Planted], None], capsys: pytest.CaptureFixture[str]
) -> None:
    planted = Planted()
    planted.centres = np.vstack([planted.centres, planted.rng.standard_normal(DIM)])
    planted.add(60, planted.of(60))
    staff(planted)
    assert run("gallery", "doctor", "staff") == 0
    assert "advice: s060 has a single template" in capsys.readouterr().out
    assert run("gallery", "doctor", "staff", "--strict") == 1


def test_galleries_that_are_not_there_or_empty_cost_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("gallery", "doctor", "staff") == 2
    library = Library(open_store(tmp_path / "data"))
    library.create("staff", fingerprint=BUNDLE, dim=DIM)
    library.close()
    assert run("gallery", "doctor", "staff") == 2
    assert run("gallery", "doctor", "nobody") == 2
    assert capsys.readouterr().err.count("\n") == 3


def test_help_names_an_example(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gallery", "doctor", "--help") == 0
    assert "Example:" in capsys.readouterr().out
