import threading
from collections.abc import Callable

import numpy as np
import pytest

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.store import Store
from gallery.template import NewTemplate, Outcome
from model.clips import unit_length
from model.errors import BundleMismatch, EmptyGallery, InvalidRequest, UnknownGallery, UnknownSubject
from model.sequence import Floats

Vectors = Callable[..., Floats]
Enroll = Callable[..., list[int]]
BUNDLE = "b" * 64
OTHER = "c" * 64


def calibration(threshold: float, **more: object) -> Calibration:
    table = [{"subjects": n, "fpir": f, "threshold": threshold} for n in (1, 1000) for f in (0.01, 0.05)]
    return Calibration.from_json({"id": "made-up", "made_on": "nothing", "subjects": 10, "table": table, **more})


def who(library: Library, probe: Floats, **more: object) -> list[str]:
    (decision,) = library.identify("staff", probe[None], fingerprint=BUNDLE, **more)  # type: ignore[arg-type]
    return [candidate.subject for candidate in decision.candidates]


def test_a_probe_is_answered_with_the_subjects_nearest_to_it(library: Library, vectors: Vectors) -> None:
    rows = vectors(20)
    library.enroll("staff", [NewTemplate(f"s{i:02}", row) for i, row in enumerate(rows)], fingerprint=BUNDLE)
    probe = unit_length((rows[3] + 0.1 * rows[4])[None])[0]
    (decision,) = library.identify("staff", probe[None], fingerprint=BUNDLE, top_k=4, threshold=0.5)
    exact = {f"s{i:02}": float(row.astype(float) @ probe.astype(float)) for i, row in enumerate(rows)}
    expected = sorted(exact, key=lambda subject: -exact[subject])[:4]
    assert [candidate.subject for candidate in decision.candidates] == expected
    assert [candidate.score for candidate in decision.candidates] == pytest.approx([exact[s] for s in expected])
    assert (decision.outcome, decision.subject, decision.searched) == (Outcome.MATCH, "s03", 20)
    assert decision.margin == pytest.approx(exact[expected[0]] - exact[expected[1]])


def test_an_answer_is_the_same_to_the_last_bit_alone_and_in_a_batch(library: Library, vectors: Vectors) -> None:
    library.enroll("staff", [NewTemplate(f"s{i}", row) for i, row in enumerate(vectors(300))], fingerprint=BUNDLE)
    probes = vectors(40, seed=9)
    together = library.identify("staff", probes, fingerprint=BUNDLE)
    alone = [library.identify("staff", probe[None], fingerprint=BUNDLE)[0] for probe in probes]
    assert together == alone


def test_subjects_with_equal_scores_come_by_their_ids(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    for name in ("dora", "bob", "eve", "ann", "carl"):
        enroll(name, vectors(1)[0])
    assert who(library, vectors(1)[0], top_k=3) == ["ann", "bob", "carl"]


def test_one_candidate_is_asked_for_and_the_margin_is_there_all_the_same(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(2)[0])
    enroll("bob", vectors(2)[1])
    (decision,) = library.identify("staff", vectors(2)[:1], fingerprint=BUNDLE, top_k=1)
    assert len(decision.candidates) == 1
    assert decision.margin is not None


def test_a_subject_is_scored_by_the_mean_of_its_best_templates_if_wanted(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    probe = np.eye(8, dtype=np.float32)[0]
    rows = {"once": [0.95, 0.1, 0.1], "steady": [0.8, 0.8, 0.0]}
    for name, scores in rows.items():
        enroll(name, *(np.array([s, np.sqrt(1 - s * s), 0, 0, 0, 0, 0, 0], np.float32) for s in scores))
    assert who(library, probe) == ["once", "steady"]
    by_two = Library(library.store, best=2)
    (decision,) = by_two.identify("staff", probe[None], fingerprint=BUNDLE)
    assert [candidate.subject for candidate in decision.candidates] == ["steady", "once"]
    assert [candidate.score for candidate in decision.candidates] == pytest.approx([0.8, 0.525], abs=1e-6)


def test_without_a_calibration_the_answer_abstains_and_says_so(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    (decision,) = library.identify("staff", vectors(1), fingerprint=BUNDLE)
    assert (decision.outcome, decision.reasons, decision.basis) == (
        Outcome.ABSTAIN,
        ("uncalibrated",),
        "uncalibrated",
    )
    assert decision.candidates[0].subject == "ann"
    assert library.verify("staff", "ann", vectors(1)[0], fingerprint=BUNDLE).outcome is Outcome.ABSTAIN


def test_the_bundle_s_calibration_decides_until_the_gallery_has_its_own(
    store: Store, library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    calibrated = Library(store, priors={BUNDLE: calibration(0.9)})
    (decision,) = calibrated.identify("staff", vectors(1), fingerprint=BUNDLE)
    assert (decision.basis, decision.threshold, decision.fpir) == ("prior", 0.9, 0.05)
    assert decision.calibration == "made-up"
    calibrated.set_calibration("staff", calibration(0.7, target_fpir=0.01))
    (decision,) = calibrated.identify("staff", vectors(1), fingerprint=BUNDLE)
    assert (decision.basis, decision.threshold, decision.fpir) == ("gallery", 0.7, 0.01)
    calibrated.set_calibration("staff", None)
    assert calibrated.identify("staff", vectors(1), fingerprint=BUNDLE)[0].basis == "prior"


def test_a_prior_of_another_bundle_is_not_used(store: Store, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    calibrated = Library(store, priors={OTHER: calibration(0.9)})
    assert calibrated.identify("staff", vectors(1), fingerprint=BUNDLE)[0].basis == "uncalibrated"


def test_a_calibration_of_another_way_to_score_is_refused(store: Store, library: Library) -> None:
    with pytest.raises(InvalidRequest, match="best"):
        Library(store, priors={BUNDLE: calibration(0.9)}, best=3)
    with pytest.raises(InvalidRequest, match="best"):
        library.set_calibration("staff", calibration(0.9, best=2))


def test_a_rate_that_was_not_measured_is_refused(store: Store, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    calibrated = Library(store, priors={BUNDLE: calibration(0.9)})
    with pytest.raises(InvalidRequest, match="fpir"):
        calibrated.identify("staff", vectors(1), fingerprint=BUNDLE, fpir=0.001)


def test_verification_compares_with_one_subject_only(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    rows = vectors(4)
    enroll("ann", rows[0], rows[1])
    enroll("bob", rows[2])
    same = library.verify("staff", "ann", rows[1], fingerprint=BUNDLE, threshold=0.99)
    assert (same.outcome, same.subject, same.searched, same.margin) == (Outcome.MATCH, "ann", 1, None)
    assert library.verify("staff", "ann", rows[2], fingerprint=BUNDLE, threshold=0.99).outcome is Outcome.NO_MATCH
    with pytest.raises(UnknownSubject):
        library.verify("staff", "eve", rows[0], fingerprint=BUNDLE)


def test_what_another_store_on_the_same_files_does_is_seen_by_the_next_request(
    library: Library, enroll: Enroll, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    rows = vectors(3)
    enroll("ann", rows[0])
    assert who(library, rows[0]) == ["ann"]
    other = Library(open_again())
    other.enroll("staff", [NewTemplate("bob", rows[1])], fingerprint=BUNDLE)
    assert set(who(library, rows[0])) == {"ann", "bob"}
    other.erase_subject("staff", "ann")
    assert who(library, rows[0]) == ["bob"]
    other.delete("staff")
    with pytest.raises(UnknownGallery):
        who(library, rows[0])
    other.create("staff", fingerprint=BUNDLE, dim=8)
    other.enroll("staff", [NewTemplate("eve", rows[2])], fingerprint=BUNDLE)
    assert who(library, rows[0]) == ["eve"]


def test_galleries_do_not_see_each_other(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    library.create("guests", fingerprint=BUNDLE, dim=8)
    library.enroll("guests", [NewTemplate("eve", vectors(1)[0])], fingerprint=BUNDLE)
    (decision,) = library.identify("guests", vectors(1), fingerprint=BUNDLE)
    assert [candidate.subject for candidate in decision.candidates] == ["eve"]
    assert who(library, vectors(1)[0]) == ["ann"]


def test_embeddings_of_another_bundle_are_never_compared(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    with pytest.raises(BundleMismatch):
        library.identify("staff", vectors(1), fingerprint=OTHER)
    with pytest.raises(BundleMismatch):
        library.verify("staff", "ann", vectors(1)[0], fingerprint=OTHER)
    with pytest.raises(BundleMismatch):
        library.enroll("staff", [NewTemplate("bob", vectors(1)[0])], fingerprint=OTHER)
    with pytest.raises(BundleMismatch):
        library.ensure("staff", fingerprint=OTHER, dim=8)


def test_an_empty_gallery_and_one_that_is_not_there_say_so(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    with pytest.raises(EmptyGallery):
        library.identify("staff", vectors(1), fingerprint=BUNDLE)
    with pytest.raises(UnknownGallery):
        library.identify("nobody", vectors(1), fingerprint=BUNDLE)
    enroll("ann", vectors(1)[0])
    library.erase_subject("staff", "ann")
    with pytest.raises(EmptyGallery):
        library.identify("staff", vectors(1), fingerprint=BUNDLE)


@pytest.mark.parametrize(
    ("probes", "more", "field"),
    [
        (np.ones((1, 7), np.float32), {}, "embeddings"),
        (np.ones(8, np.float32), {}, "embeddings"),
        (np.zeros((1, 8), np.float32), {}, "embeddings"),
        (np.full((1, 8), np.nan, np.float32), {}, "embeddings"),
        (np.ones((1, 8), np.float32), {"top_k": 0}, "top_k"),
        (np.ones((1, 8), np.float32), {"top_k": 1001}, "top_k"),
        (np.ones((1, 8), np.float32), {"threshold": float("nan")}, "threshold"),
        (np.ones((1, 8), np.float32), {"threshold": 2.0}, "threshold"),
    ],
)
def test_a_probe_that_makes_no_sense_is_refused(
    library: Library, enroll: Enroll, vectors: Vectors, probes: Floats, more: dict[str, float], field: str
) -> None:
    enroll("ann", vectors(1)[0])
    with pytest.raises(InvalidRequest, match=field):
        library.identify("staff", probes, fingerprint=BUNDLE, **more)  # type: ignore[arg-type]


def test_a_probe_need_not_have_unit_length(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    (decision,) = library.identify("staff", vectors(1) * 7, fingerprint=BUNDLE)
    assert decision.score == pytest.approx(1.0, abs=1e-6)


def test_ensuring_a_gallery_makes_it_once(library: Library) -> None:
    assert library.ensure("new", fingerprint=BUNDLE, dim=8)
    assert not library.ensure("new", fingerprint=BUNDLE, dim=8)


def test_an_erased_subject_is_never_answered_again_while_others_search_and_enroll(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    rows = vectors(200, seed=4)
    library.enroll("staff", [NewTemplate(f"s{i}", row) for i, row in enumerate(rows)], fingerprint=BUNDLE)
    erased: set[str] = set()
    stop, wrong = threading.Event(), []

    def search(seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not stop.is_set():
            gone = set(erased)
            count = 1 if seed else 6
            for decision in library.identify("staff", rows[rng.integers(0, 200, count)], fingerprint=BUNDLE):
                named = {candidate.subject for candidate in decision.candidates}
                if named & gone or len(named) != 5:
                    wrong.append((named, gone))

    threads = [threading.Thread(target=search, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for i in range(30):
        library.erase_subject("staff", f"s{i}")
        erased.add(f"s{i}")
        enroll(f"new{i}", rows[i])
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong
