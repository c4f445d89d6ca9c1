"""What identify and verify can be asked besides, and what they say besides. The rest is in `test_library.py`."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest

from gallery.library import Library
from gallery.probes import WITHIN_LIMIT
from gallery.recorder import Recorder
from gallery.store import Store
from gallery.store.audit import audit_page
from gallery.store.transforming import rotate_transform
from gallery.template import Consent, NewTemplate, Outcome, now
from model.errors import EmptyGallery, InvalidRequest, LimitExceeded, NotCurrent, UnknownSubject
from model.sequence import Floats
from tests.gallery.test_library import calibration

Vectors = Callable[..., Floats]
Enroll = Callable[..., list[int]]
BUNDLE = "b" * 64


def ask(library: Library, probe: Floats, **more: object) -> list[str]:
    (decision,) = library.identify("staff", probe[None], fingerprint=BUNDLE, **more)  # type: ignore[arg-type]
    return [candidate.subject for candidate in decision.candidates]


# Within some subjects


def test_a_search_within_some_subjects_is_exact_and_as_large_as_they_are(
    store: Store, library: Library, vectors: Vectors
) -> None:
    rows = vectors(60)
    library.enroll("staff", [NewTemplate(f"s{i % 20:02}", row) for i, row in enumerate(rows)], fingerprint=BUNDLE)
    calibrated = Library(store, priors={BUNDLE: calibration(0.5)})
    names = ["s03", "s11", "s07", "s03"]
    (decision,) = calibrated.identify("staff", rows[:1], fingerprint=BUNDLE, within=names, top_k=9)
    exact = {
        name: max(float(rows[i].astype(float) @ rows[0].astype(float)) for i in range(60) if f"s{i % 20:02}" == name)
        for name in names
    }
    assert [one.subject for one in decision.candidates] == sorted(exact, key=lambda name: -exact[name])
    assert [one.score for one in decision.candidates] == pytest.approx(sorted(exact.values(), reverse=True))
    assert (decision.searched, decision.basis) == (3, "prior")


def test_a_subject_that_is_not_there_cannot_be_searched_within(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    with pytest.raises(UnknownSubject, match="eve"):
        ask(library, vectors(1)[0], within=["ann", "eve"])
    with pytest.raises(InvalidRequest, match="within"):
        ask(library, vectors(1)[0], within=[])
    with pytest.raises(LimitExceeded, match="within"):
        ask(library, vectors(1)[0], within=["ann"] * (WITHIN_LIMIT + 1))


# Changes that were seen


def test_an_answer_says_which_change_it_has_seen_and_another_may_demand_it(
    library: Library, open_again: Callable[[], Store], enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    (before,) = library.identify("staff", vectors(1), fingerprint=BUNDLE)
    enroll("bob", vectors(2)[1])
    (after,) = library.identify("staff", vectors(1), fingerprint=BUNDLE)
    assert before.seq is not None
    assert after.seq is not None
    assert before.seq < after.seq == library.store.head("staff").seq
    other = Library(open_again())
    assert len(ask(other, vectors(1)[0], at_least=after.seq)) == 2
    assert other.verify("staff", "ann", vectors(1)[0], fingerprint=BUNDLE, at_least=after.seq).seq == after.seq


def test_a_change_that_does_not_come_is_not_waited_for_long(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    seq = library.store.head("staff").seq
    with pytest.raises(NotCurrent) as raised:
        ask(library, vectors(1)[0], at_least=seq + 1)
    assert (raised.value.demanded, raised.value.seen) == (seq + 1, seq)


def test_a_change_that_is_about_to_come_is_waited_for(
    library: Library, open_again: Callable[[], Store], enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    seq, other = library.store.head("staff").seq, Library(open_again())
    new = [NewTemplate("bob", vectors(2)[1])]
    later = threading.Timer(0.05, lambda: other.enroll("staff", new, fingerprint=BUNDLE))
    later.start()
    assert ask(library, vectors(2)[1], at_least=seq + 1) == ["bob", "ann"]
    later.join()


def test_a_search_does_not_wait_for_whoever_writes(
    library: Library, open_again: Callable[[], Store], enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    with open_again().write():  # nobody else can write until this ends
        assert ask(library, vectors(1)[0]) == ["ann"]
        assert ask(Library(open_again()), vectors(1)[0]) == ["ann"]


# Consent that ends


def test_a_subject_leaves_the_answers_when_its_consent_ends_and_comes_back_when_it_is_extended(
    library: Library, open_again: Callable[[], Store], enroll: Enroll, vectors: Vectors
) -> None:
    rows = vectors(2)
    enroll("ann", rows[0])
    enroll("bob", rows[1])
    assert set(ask(library, rows[1])) == {"ann", "bob"}
    open_again().update_subject("staff", "bob", consent=Consent(expires=now() + timedelta(seconds=0.2)))
    seq = library.store.head("staff").seq
    while ask(library, rows[1]) != ["ann"]:
        time.sleep(0.01)
    (decision,) = library.identify("staff", rows[1:], fingerprint=BUNDLE)
    assert [one.subject for one in decision.candidates] == ["ann"]
    assert (decision.searched, decision.seq) == (1, seq)
    with pytest.raises(UnknownSubject):
        library.verify("staff", "bob", rows[1], fingerprint=BUNDLE)
    (decision,) = library.identify("staff", rows[1:], fingerprint=BUNDLE, threshold=0.0, within=["bob"])
    assert (decision.outcome, decision.searched) == (Outcome.NO_MATCH, 0)
    open_again().update_subject("staff", "bob", consent=Consent(expires=now() + timedelta(days=1)))
    assert set(ask(library, rows[1])) == {"ann", "bob"}
    assert library.verify("staff", "bob", rows[1], fingerprint=BUNDLE, threshold=0.9).subject == "bob"


def test_a_gallery_whose_consents_have_all_ended_is_empty(library: Library, enroll: Enroll, vectors: Vectors) -> None:
    enroll("ann", vectors(1)[0])
    library.store.update_subject("staff", "ann", consent=Consent(expires=now() - timedelta(days=1)))
    with pytest.raises(EmptyGallery):
        ask(library, vectors(1)[0])


def test_many_expired_templates_nearer_to_the_probe_hide_nobody(library: Library, vectors: Vectors) -> None:
    probe, far = np.eye(8, dtype=np.float32)[0], np.eye(8, dtype=np.float32)[1]
    library.enroll("staff", [NewTemplate("crowd", probe)] * 500, fingerprint=BUNDLE)
    library.enroll("staff", [NewTemplate("ann", far)], fingerprint=BUNDLE)
    library.store.update_subject("staff", "crowd", consent=Consent(expires=now() - timedelta(days=1)))
    assert ask(library, probe) == ["ann"]


# Protected galleries


def test_a_protected_gallery_gives_the_same_scores_and_keeps_other_embeddings(
    library: Library, open_again: Callable[[], Store], vectors: Vectors
) -> None:
    rows, probes = vectors(30), vectors(5, seed=3)
    new = [NewTemplate(f"s{i:02}", row) for i, row in enumerate(rows)]
    library.create("hidden", fingerprint=BUNDLE, dim=8, protected=True)
    for gallery in ("staff", "hidden"):
        library.enroll(gallery, new, fingerprint=BUNDLE)
    for through in (library, Library(open_again())):
        plain = through.identify("staff", probes, fingerprint=BUNDLE, top_k=30)
        hidden = through.identify("hidden", probes, fingerprint=BUNDLE, top_k=30)
        for a, b in zip(plain, hidden, strict=True):
            assert [one.subject for one in a.candidates] == [one.subject for one in b.candidates]
            assert [one.score for one in a.candidates] == pytest.approx([one.score for one in b.candidates], abs=1e-6)
        verified = through.verify("hidden", "s04", rows[4], fingerprint=BUNDLE, threshold=0.99)
        assert verified.subject == "s04"
        assert verified.score == pytest.approx(1.0, abs=1e-6)
    kept = library.templates_of("hidden", "s04")[0].embedding
    assert abs(float(kept @ rows[4])) < 0.99


# What agrees with the store


def test_an_index_that_does_not_agree_with_the_store_is_rebuilt_and_says_so(
    library: Library, enroll: Enroll, vectors: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    rows = vectors(3)
    (ann,) = enroll("ann", rows[0])
    enroll("bob", rows[1])
    library.warm("staff")
    (cache,) = library.views.open.values()
    assert cache.view is not None
    cache.view.index.remove(np.array([ann]))
    assert ask(library, rows[0]) == ["bob"]
    with caplog.at_level(logging.WARNING):
        enroll("eve", rows[2])
        assert ask(library, rows[0])[0] == "ann"
    assert library.views.rebuilt == 1
    assert "did not agree with the store and is rebuilt" in caplog.text


def test_other_content_under_the_same_number_of_templates_is_seen(
    library: Library, enroll: Enroll, vectors: Vectors
) -> None:
    enroll("ann", vectors(1)[0])
    library.warm("staff")
    (cache,) = library.views.open.values()
    assert cache.view is not None
    cache.view.owners.content ^= 1
    enroll("bob", vectors(2)[1])
    assert library.warm("staff") == 2
    assert library.views.rebuilt == 1


# The audit log


def test_every_decision_is_kept_in_the_audit_log_without_a_name(store: Store, vectors: Vectors) -> None:
    library = Library(store, recorder=Recorder(store))
    library.create("staff", fingerprint=BUNDLE, dim=8)
    library.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    library.identify("staff", vectors(2), fingerprint=BUNDLE, threshold=0.99)
    library.verify("staff", "ann", vectors(2)[1], fingerprint=BUNDLE, threshold=0.99)
    assert library.recorder is not None
    library.recorder.flush()
    entries = [entry for entry in audit_page(store, 0, 100) if entry.action in ("identify", "verify")]
    assert [entry.action for entry in entries] == ["identify", "identify", "verify"]
    matched, nobody, verified = entries
    assert matched.subject_id == verified.subject_id is not None
    assert nobody.subject_id is None
    assert [next(word for word in ("no_match", "match") if f'"{word}"' in entry.detail) for entry in entries] == [
        "match",
        "no_match",
        "no_match",
    ]
    assert "ann" not in "".join(entry.detail for entry in entries)


# Galleries that become others under the same name


def test_a_new_transform_is_followed_and_probes_go_through_it(
    library: Library, open_again: Callable[[], Store], vectors: Vectors
) -> None:
    rows = vectors(5)
    library.create("hidden", fingerprint=BUNDLE, dim=8, protected=True)
    library.enroll("hidden", [NewTemplate(f"s{i}", row) for i, row in enumerate(rows)], fingerprint=BUNDLE)
    (before,) = library.identify("hidden", rows[:1], fingerprint=BUNDLE, top_k=5)
    rotate_transform(open_again(), "hidden")
    library.enroll("hidden", [NewTemplate("s5", vectors(6)[5])], fingerprint=BUNDLE)
    (after,) = library.identify("hidden", rows[:1], fingerprint=BUNDLE, top_k=6)
    kept = [one for one in after.candidates if one.subject != "s5"]
    assert [one.subject for one in kept] == [one.subject for one in before.candidates]
    assert [one.score for one in kept] == pytest.approx([one.score for one in before.candidates], abs=1e-6)
    assert library.identify("hidden", vectors(6)[5:], fingerprint=BUNDLE, threshold=0.99)[0].subject == "s5"
    assert library.verify("hidden", "s2", rows[2], fingerprint=BUNDLE, threshold=0.99).subject == "s2"
    assert library.views.rebuilt == 0
