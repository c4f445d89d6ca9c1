"""A new subject who looks like another: refused or noted, alone and in a batch, within it and against the gallery."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gallery.calibration import Calibration
from gallery.duplicates import Duplicates, Likeness, Screen
from gallery.enroll import Status, Submission
from gallery.enroll import enroll as enroll_all
from gallery.library import Library
from gallery.store import Store, open_store
from gallery.template import NewTemplate
from model.errors import DuplicateSubject, InvalidRequest, UnknownGallery
from model.sequence import Floats
from tests.fakes import FakeEncoder, walking
from tests.gallery.command_line import CALIBRATION

BUNDLE = "b" * 64
EYE = np.eye(8, dtype=np.float32)
# A threshold of 0.9: neighbours are two people, what is nearer than that is one.
NEAR = np.array([[0.99, np.sqrt(1 - 0.99**2), 0, 0, 0, 0, 0, 0]], np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """On one kind of database: what is looked at here is the same on both."""
    opened = open_store(tmp_path / "data")
    yield opened
    opened.close()


def screen(library: Library, mode: Duplicates | None = None, fpir: float | None = None) -> Screen:
    return Screen(library, "staff", fingerprint=BUNDLE, mode=mode, fpir=fpir)


def brief(found: list[Likeness | None]) -> list[tuple[str, str] | None]:
    return [None if each is None else (each.subject, each.candidate) for each in found]


@pytest.fixture
def calibrated(library: Library) -> Library:
    library.set_calibration("staff", CALIBRATION)
    return library


def test_it_looks_where_the_gallery_has_a_calibration_of_its_own_and_says_where_it_does_not(library: Library) -> None:
    assert screen(library).mode is Duplicates.OFF
    assert "no calibration of its own" in (screen(library).note or "")
    library.set_calibration("staff", CALIBRATION)
    assert screen(library).mode is Duplicates.CHECK
    assert screen(library).note is None
    assert screen(library, Duplicates.OFF).note is None
    with pytest.raises(UnknownGallery):
        Screen(library, "nobody", fingerprint=BUNDLE)


def test_who_looks_like_somebody_enrolled_is_told_with_score_threshold_and_rate(
    calibrated: Library, enroll: Callable[..., list[int]]
) -> None:
    enroll("ann", EYE[0])
    enroll("bob", EYE[1])
    (found,) = screen(calibrated).likenesses([NewTemplate("eve", NEAR[0])])
    assert found is not None
    assert (found.subject, found.candidate, found.threshold, found.fpir) == ("eve", "ann", 0.9, 0.05)
    assert found.score == pytest.approx(0.99)
    assert str(found) == "looks like 'ann' (score 0.990, threshold 0.900 for a false-positive rate of 0.05)"
    assert isinstance(found.error, DuplicateSubject)
    assert brief(screen(calibrated, fpir=0.01).likenesses([NewTemplate("eve", EYE[2])])) == [None]


def test_whose_subject_is_there_already_is_not_held_up(calibrated: Library, enroll: Callable[..., list[int]]) -> None:
    enroll("ann", EYE[0])
    enroll("bob", EYE[1])
    assert brief(screen(calibrated).likenesses([NewTemplate("bob", NEAR[0])])) == [None]


def test_within_a_batch_the_later_is_the_duplicate_of_the_earlier(calibrated: Library) -> None:
    batch = [
        NewTemplate("ann", EYE[0]),
        NewTemplate("bob", EYE[1]),
        NewTemplate("eve", NEAR[0]),
        NewTemplate("ann", NEAR[0]),
        NewTemplate("zoe", EYE[1]),
    ]
    assert brief(screen(calibrated).likenesses(batch)) == [None, None, ("eve", "ann"), None, ("zoe", "bob")]


def test_one_likeness_refuses_all_that_the_run_brings_of_that_subject(calibrated: Library) -> None:
    looking = screen(calibrated)
    found = looking.likenesses([NewTemplate("ann", EYE[0]), NewTemplate("eve", EYE[3]), NewTemplate("eve", NEAR[0])])
    assert brief(found) == [None, ("eve", "ann"), ("eve", "ann")]
    assert brief(looking.likenesses([NewTemplate("eve", EYE[4])])) == [("eve", "ann")]
    # Nobody is a duplicate of who was refused.
    again = [NewTemplate("eve", EYE[4]), NewTemplate("kim", EYE[4]), NewTemplate("lee", EYE[3])]
    assert brief(looking.likenesses(again)) == [("eve", "ann"), None, None]


def test_a_chain_of_likenesses_ends_with_the_first_who_is_refused(calibrated: Library) -> None:
    rows = np.zeros((3, 8), np.float32)
    for i, angle in enumerate((0.0, 0.4, 0.8)):  # cos 0.4 = 0.92, cos 0.8 = 0.70
        rows[i, :2] = np.cos(angle), np.sin(angle)
    batch = [NewTemplate(name, row) for name, row in zip(("a", "b", "c"), rows, strict=True)]
    assert brief(screen(calibrated).likenesses(batch)) == [None, ("b", "a"), None]
    assert brief(screen(calibrated, Duplicates.NOTE).likenesses(batch)) == [None, ("b", "a"), ("c", "b")]


def test_asked_for_without_any_calibration_it_is_an_error_and_with_a_prior_it_is_done(
    library: Library, enroll: Callable[..., list[int]]
) -> None:
    new = [NewTemplate("eve", NEAR[0])]
    assert brief(screen(library, Duplicates.CHECK).likenesses(new)) == [None], "nobody is there yet"
    enroll("ann", EYE[0])
    with pytest.raises(InvalidRequest, match="calibrate"):
        screen(library, Duplicates.CHECK).likenesses(new)
    with_prior = Library(library.store, priors={BUNDLE: CALIBRATION})
    assert screen(with_prior).mode is Duplicates.OFF
    assert brief(screen(with_prior, Duplicates.CHECK).likenesses(new)) == [("eve", "ann")]


def test_a_rate_that_the_calibration_cannot_support_is_refused(
    calibrated: Library, enroll: Callable[..., list[int]]
) -> None:
    enroll("ann", EYE[0])
    with pytest.raises(InvalidRequest, match="fpir"):
        screen(calibrated, fpir=1e-9).likenesses([NewTemplate("eve", EYE[2])])


def test_a_batch_is_one_search(calibrated: Library, vectors: Callable[..., Floats]) -> None:
    class Counted(Library):
        searches = 0

        def identify(self, *arguments: object, **named: object) -> list:  # type: ignore[type-arg]
            Counted.searches += 1
            return super().identify(*arguments, **named)  # type: ignore[arg-type]

    counted = Counted(calibrated.store)
    counted.enroll("staff", [NewTemplate("ann", EYE[0])], fingerprint=BUNDLE)
    looking = Screen(counted, "staff", fingerprint=BUNDLE)
    looking.likenesses([NewTemplate(f"p{i}", row) for i, row in enumerate(vectors(500))])
    looking.likenesses([NewTemplate("ann", EYE[2])])
    assert Counted.searches == 1


def test_enrollment_refuses_or_notes_what_the_screen_finds(library: Library) -> None:
    encoder = FakeEncoder(8)
    library.create("people", fingerprint=encoder.fingerprint, dim=8)
    table = [{"subjects": n, "fpir": f, "threshold": 0.99999} for n in (1, 100) for f in (0.01, 0.05)]
    strict = {"id": "strict", "made_on": "x", "subjects": 100, "table": table}
    library.set_calibration("people", Calibration.from_json(strict))
    walks = [Submission("a.json", "ann", walking(1)), Submission("b.json", "bob", walking(2))]

    def statuses(mode: Duplicates | None, *more: Submission) -> list[Status]:
        looking = Screen(library, "people", fingerprint=encoder.fingerprint, mode=mode)
        found = list(enroll_all(library, encoder, "people", [*walks, *more], screen=looking))
        assert all("possible duplicate" in note for each in found for note in each.notes)
        return [each.status for each in found]

    again = Submission("e.json", "eve", walking(1))
    assert statuses(None, again) == [Status.ENROLLED, Status.ENROLLED, Status.REFUSED]
    assert statuses(None, again) == [Status.REPEATED, Status.REPEATED, Status.REFUSED]
    assert statuses(Duplicates.NOTE, again) == [Status.REPEATED, Status.REPEATED, Status.ENROLLED]
    (found,) = enroll_all(
        library,
        encoder,
        "people",
        [Submission("z.json", "zoe", walking(2))],
        screen=Screen(library, "people", fingerprint=encoder.fingerprint),
    )
    assert found.reasons == ("DuplicateSubject",)
    assert "looks like 'bob'" in found.detail
