from collections.abc import Iterator

import numpy as np
import pytest

from gallery.enroll import BATCH_SEQUENCES, Result, Status, Submission, enroll, refused, source_of
from gallery.library import Library
from gallery.store import Store
from model.errors import BundleMismatch, UnknownGallery, UnreadableFile
from model.named_layouts import BODY_25, COCO_17
from model.sequence import SkeletonSequence
from tests.fakes import FakeEncoder, walking

ENCODER = FakeEncoder()


@pytest.fixture
def staff(store: Store) -> Library:
    library = Library(store)
    library.create("staff", fingerprint=ENCODER.fingerprint, dim=ENCODER.dim)
    return library


def submissions(count: int, frames: int = 60) -> list[Submission]:
    return [Submission(f"{i}.json", f"s{i % 7}", walking(i % 7, frames, seed=i), {"view": "090"}) for i in range(count)]


def run(library: Library, *given: Submission | Result, encoder: FakeEncoder = ENCODER) -> list[Result]:
    return list(enroll(library, encoder, "staff", given))


def test_a_sequence_becomes_a_template_of_its_subject(staff: Library) -> None:
    (result,) = run(staff, Submission("a.json", "ann", walking(1), {"view": "090"}, ("fps_unknown: assumed 25",)))
    (held,) = staff.templates_of("staff", "ann")
    assert (result.status, result.template) == (Status.ENROLLED, held.id)
    assert result.notes[0] == "fps_unknown: assumed 25"
    assert (dict(held.labels), held.frames, held.fingerprint) == ({"view": "090"}, 60, ENCODER.fingerprint)


def test_sequences_are_encoded_in_batches(staff: Library) -> None:
    encoder = FakeEncoder()
    results = run(staff, *submissions(2 * BATCH_SEQUENCES + 3), encoder=encoder)
    assert encoder.calls == [BATCH_SEQUENCES, BATCH_SEQUENCES, 3]
    assert [result.name for result in results] == [f"{i}.json" for i in range(2 * BATCH_SEQUENCES + 3)]
    assert {result.status for result in results} == {Status.ENROLLED}


def test_a_second_run_enrolls_nothing_twice_and_encodes_nothing(staff: Library) -> None:
    run(staff, *submissions(10))
    encoder = FakeEncoder()
    results = run(staff, *submissions(12), encoder=encoder)
    assert [result.status for result in results] == [Status.REPEATED] * 10 + [Status.ENROLLED] * 2
    assert encoder.calls == [2]
    assert staff.gallery("staff").templates == 12


def test_the_same_recording_twice_in_one_run_is_enrolled_once(staff: Library) -> None:
    same = Submission("a.json", "ann", walking(1))
    assert [result.status for result in run(staff, same, same)] == [Status.ENROLLED, Status.REPEATED]


def test_what_cannot_be_used_is_refused_with_its_reasons_and_the_rest_is_enrolled(staff: Library) -> None:
    frozen = walking(3).slice(0, 1)
    still = SkeletonSequence(np.repeat(frozen.joints, 60, 0), np.repeat(frozen.confidence, 60, 0), COCO_17, 25.0)
    unreadable = refused("c.json", "eve", UnreadableFile("c.json", "truncated"))
    results = run(
        staff,
        Submission("a.json", "ann", walking(1)),
        Submission("short.json", "bob", walking(2, frames=10)),
        Submission("still.json", "bob", still),
        unreadable,
        Submission("name.json", "bad\nname", walking(4)),
        Submission("labels.json", "kim", walking(4), {"k": "x" * 1000}),
        Submission("z.json", "zoe", walking(5)),
    )
    assert [result.status for result in results] == [
        Status.ENROLLED,
        *[Status.REFUSED] * 5,
        Status.ENROLLED,
    ]
    assert [result.reasons for result in results[1:6]] == [
        ("too_short",),
        ("frozen",),
        ("UnreadableFile",),
        ("InvalidRequest",),
        ("InvalidRequest",),
    ]
    assert "too few frames" in results[1].detail
    assert [subject.id for subject in staff.subjects("staff")] == ["ann", "zoe"]


def test_another_layout_is_converted_and_the_change_is_noted(staff: Library) -> None:
    (result,) = run(staff, Submission("a.json", "ann", walking(1, layout=BODY_25)))
    assert result.status is Status.ENROLLED
    assert any("body-25" in note for note in result.notes)


def test_an_interruption_keeps_every_batch_that_was_given(staff: Library) -> None:
    def interrupted() -> Iterator[Submission]:
        yield from submissions(BATCH_SEQUENCES + 5)
        raise KeyboardInterrupt

    given: list[Result] = []
    with pytest.raises(KeyboardInterrupt):
        given.extend(enroll(staff, ENCODER, "staff", interrupted()))
    assert len(given) == BATCH_SEQUENCES
    assert staff.gallery("staff").templates == BATCH_SEQUENCES
    assert staff.store.check() == []


def test_a_gallery_that_is_not_there_or_of_another_bundle_is_an_error(staff: Library) -> None:
    with pytest.raises(UnknownGallery):
        list(enroll(staff, ENCODER, "nobody", submissions(1)))
    with pytest.raises(BundleMismatch):
        run(staff, *submissions(1), encoder=FakeEncoder(name="another"))


def test_the_source_names_the_content_and_nothing_else() -> None:
    assert source_of(walking(1)) == source_of(walking(1))
    different = [walking(1, seed=1), walking(2), walking(1, fps=30.0), walking(1, frames=61)]
    assert len({source_of(each) for each in [walking(1), *different]}) == 5
