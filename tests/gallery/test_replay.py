from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.library import Library
from gallery.replay import FIRST_ROWS, REPLAY_SUSPECTED, RecentProbes, ReplayPolicy, axes, shortened
from gallery.store import Store
from gallery.template import NewTemplate
from model.clips import unit_length
from model.sequence import Floats
from tests.gallery.replay_bound import TWO_WALKS, measure

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


def near(row: Floats, score: float) -> Floats:
    """An embedding whose cosine with `row` is `score`."""
    turned = np.roll(row, 1)
    aside = unit_length((turned - (turned @ row) * row)[None])[0]
    found: Floats = np.asarray(score * row + np.sqrt(1 - score**2) * aside, np.float32)
    return found


@pytest.fixture
def watching(store: Store, vectors: Vectors) -> Library:
    """A library that notes replays, with ann in gallery `staff`."""
    library = Library(store, replay=ReplayPolicy())
    library.create("staff", fingerprint=BUNDLE, dim=8)
    library.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    return library


def noted(library: Library, *probes: Floats) -> list[bool]:
    decisions = library.identify("staff", np.stack(probes), fingerprint=BUNDLE, threshold=0.5)
    return [REPLAY_SUSPECTED in decision.reasons for decision in decisions]


def test_a_probe_that_is_nearly_a_template_is_noted_and_decided_all_the_same(
    watching: Library, vectors: Vectors
) -> None:
    (decision,) = watching.identify("staff", near(vectors(1)[0], 0.9999)[None], fingerprint=BUNDLE, threshold=0.5)
    assert (decision.subject, decision.reasons) == ("ann", (REPLAY_SUSPECTED,))
    assert noted(watching, near(vectors(1)[0], 0.98)) == [False]


def test_a_probe_that_comes_again_is_noted_within_a_batch_and_later(watching: Library, vectors: Vectors) -> None:
    probe, other = vectors(2, seed=3)
    assert noted(watching, probe, other, near(probe, 0.9999)) == [False, False, True]
    assert noted(watching, near(other, 0.98), other) == [False, True]


def test_verification_notes_it_too(watching: Library, vectors: Vectors) -> None:
    probe = near(vectors(1)[0], 0.9)
    first, second = (watching.verify("staff", "ann", probe, fingerprint=BUNDLE, threshold=0.5) for _ in range(2))
    assert (first.reasons, second.reasons) == ((), (REPLAY_SUSPECTED,))


def test_galleries_do_not_see_each_other_s_probes(watching: Library, vectors: Vectors) -> None:
    watching.create("guests", fingerprint=BUNDLE, dim=8)
    watching.enroll("guests", [NewTemplate("eve", vectors(1)[0])], fingerprint=BUNDLE)
    probe = near(vectors(1)[0], 0.9)
    assert noted(watching, probe) == [False]
    (decision,) = watching.identify("guests", probe[None], fingerprint=BUNDLE, threshold=0.5)
    assert decision.reasons == ()


def test_without_a_policy_nothing_is_noted(library: Library, vectors: Vectors) -> None:
    library.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    assert noted(library, vectors(1)[0], vectors(1)[0]) == [False, False]


def test_so_many_probes_are_remembered_and_no_more() -> None:
    recent = RecentProbes(ReplayPolicy(probes=2 * FIRST_ROWS + 1))
    probes = unit_length(np.random.default_rng(0).standard_normal((4 * FIRST_ROWS, 32)).astype(np.float32))
    assert not recent.seen(1, probes).any()
    assert recent.seen(1, probes[-FIRST_ROWS:]).all()
    assert not recent.seen(1, probes[:1])[0]


def test_a_probe_is_forgotten_after_a_time() -> None:
    probe, clock = np.eye(4, dtype=np.float32)[:1], [1000.0]
    recent = RecentProbes(ReplayPolicy(minutes=1), lambda: clock[0])
    assert not recent.seen(1, probe)[0]
    clock[0] += 59
    assert recent.seen(1, probe)[0]
    clock[0] += 61
    assert not recent.seen(1, probe)[0]
    recent.keep({2})
    assert not recent.seen(1, probe)[0]


def test_the_bound_lies_between_two_walks_and_a_recording_that_is_sent_again() -> None:
    scores, bound = dict(measure(2)), ReplayPolicy().bound
    assert scores[TWO_WALKS].max() < bound - 0.01
    assert min(scores["one decimal"].min(), scores["half the size"].min()) > bound


def test_a_probe_is_held_against_those_before_it_in_its_own_batch(vectors: Vectors) -> None:
    first, other = vectors(2)
    recent = RecentProbes(ReplayPolicy(probes=3))
    assert recent.seen(1, np.stack([first, other, first])).tolist() == [False, False, True]
    assert recent.seen(1, np.stack([other, *vectors(5)[2:], first])).tolist()[0]


@settings(deadline=None)  # the axes of a new size take a moment
@given(st.integers(0, 10_000), st.integers(4, 300), st.floats(-1, 1))
def test_what_is_shortened_is_never_less_alike(seed: int, dim: int, score: float) -> None:
    row = unit_length(np.random.default_rng(seed).standard_normal((1, dim)).astype(np.float32))[0]
    other = near(row, score)
    short = shortened(unit_length(np.stack([row, other])), axes(dim))
    assert short[0] @ short[1] >= row @ other - 1e-5


def test_few_that_are_no_replay_are_compared_whole() -> None:
    walks = unit_length(np.random.default_rng(0).standard_normal((200, 256)).astype(np.float32))
    short = shortened(np.stack([near(row, 0.9) for row in walks]), axes(256))
    likest = (short * shortened(walks, axes(256))).sum(axis=1)
    assert (likest < ReplayPolicy().bound).mean() > 0.95
