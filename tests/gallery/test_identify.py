import pytest

from gallery.enroll import Submission, enroll
from gallery.identify import identify, verify
from gallery.library import Library
from gallery.store import Store
from gallery.template import Outcome
from model.errors import LayoutMismatch, UnknownGallery, UnknownSubject
from model.named_layouts import BODY_25
from tests.fakes import FakeEncoder, walking

ENCODER = FakeEncoder()


@pytest.fixture
def staff(store: Store) -> Library:
    library = Library(store)
    library.create("staff", fingerprint=ENCODER.fingerprint, dim=ENCODER.dim)
    people = [Submission(f"{i}", f"s{i}", walking(i, seed=take)) for i in range(8) for take in range(2)]
    assert len(list(enroll(library, ENCODER, "staff", people))) == 16
    return library


def test_an_enrolled_walker_is_found_by_another_walk(staff: Library) -> None:
    answers = identify(staff, ENCODER, "staff", [walking(i, seed=9) for i in range(8)], threshold=0.5)
    assert [answer.decision.subject for answer in answers] == [f"s{i}" for i in range(8)]
    assert {answer.decision.searched for answer in answers} == {8}


def test_a_probe_that_cannot_be_used_abstains_beside_others_that_can(staff: Library) -> None:
    probes = [walking(1, seed=9), walking(2, frames=5), walking(3, seed=9)]
    first, short, last = identify(staff, ENCODER, "staff", probes, threshold=0.5)
    assert (short.decision.outcome, short.decision.reasons) == (Outcome.ABSTAIN, ("too_short",))
    assert "too few frames" in short.notes[0]
    assert (first.decision.subject, last.decision.subject) == ("s1", "s3")


def test_an_unusable_probe_does_not_hide_that_the_gallery_is_not_there(staff: Library) -> None:
    with pytest.raises(UnknownGallery):
        identify(staff, ENCODER, "nobody", [walking(1, frames=5)])
    with pytest.raises(UnknownSubject):
        verify(staff, ENCODER, "staff", "nobody", walking(1, frames=5))


def test_another_layout_is_converted_and_noted_and_a_foreign_one_refused(staff: Library) -> None:
    (answer,) = identify(staff, ENCODER, "staff", [walking(1, layout=BODY_25)])
    assert any("body-25" in note for note in answer.notes)
    flat = FakeEncoder(clip=ENCODER.clip.model_copy(update={"dims": 3}), name="fake")
    with pytest.raises(LayoutMismatch):
        identify(staff, flat, "staff", [walking(1)])


def test_a_claim_is_verified_against_that_subject(staff: Library) -> None:
    right = verify(staff, ENCODER, "staff", "s1", walking(1, seed=9), threshold=0.9).decision
    wrong = verify(staff, ENCODER, "staff", "s2", walking(1, seed=9), threshold=0.999).decision
    assert (right.outcome, wrong.outcome) == (Outcome.MATCH, Outcome.NO_MATCH)
    assert verify(staff, ENCODER, "staff", "s1", walking(1, frames=5)).decision.reasons == ("too_short",)
