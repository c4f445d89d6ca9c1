"""What is told of a decision, to whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.template import Candidate, Decision, Outcome
from service.access.caller import LOOPBACK, Caller, Scope
from service.answers.recognition import disclosed
from tests.service.client import Client
from tests.service.conftest import person

CAMERA = Caller("key:camera", frozenset({Scope.IDENTIFY}))
DETECTIVE = Caller("key:detective", frozenset({Scope.IDENTIFY, Scope.INVESTIGATE}))

scores = st.lists(st.floats(-1, 1, allow_nan=False), min_size=1, max_size=6).map(lambda found: sorted(found)[::-1])


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """As `decide` makes them, and abstentions though somebody is over the threshold."""
    found = draw(scores)
    candidates = tuple(Candidate(f"s{place}", score, place) for place, score in enumerate(found))
    threshold = draw(st.none() | st.floats(-1, 1, allow_nan=False))
    over = threshold is not None and found[0] >= threshold
    abstains = threshold is None or draw(st.booleans())
    outcome = Outcome.ABSTAIN if abstains else Outcome.MATCH if over else Outcome.NO_MATCH
    return Decision(
        outcome,
        subject="s0" if outcome is Outcome.MATCH else None,
        score=found[0],
        threshold=threshold,
        margin=found[0] - found[1] if len(found) > 1 else None,
        reasons=("why",) if abstains else (),
        candidates=candidates,
        likelihood=draw(st.none() | st.floats(-20, 20)),
    )


def digits(value: float | None, at_most: int) -> bool:
    return value is None or value == round(value, at_most)


@given(decisions())
def test_who_may_not_investigate_is_told_no_name_that_the_threshold_does_not_let_through(found: Decision) -> None:
    told = disclosed(found, CAMERA)
    names = {each.subject for each in told.candidates}
    if found.outcome is Outcome.MATCH:
        assert found.threshold is not None
        assert names == {each.subject for each in found.candidates if each.score >= found.threshold}
        assert told.subject in names
    else:
        assert names == set()
        assert told.subject is None
    values = [told.score, told.threshold, told.margin, *(each.score for each in told.candidates)]
    assert all(digits(value, 3) for value in values)
    assert digits(told.likelihood, 1)


@given(decisions())
def test_who_may_investigate_is_told_all_of_it(found: Decision) -> None:
    for caller in (DETECTIVE, LOOPBACK):
        told = disclosed(found, caller)
        assert [each.subject for each in told.candidates] == [each.subject for each in found.candidates]
        assert told.score == round(found.score or 0, 6)


@given(decisions())
def test_a_match_is_never_below_its_threshold_as_it_is_told(found: Decision) -> None:
    told = disclosed(found, CAMERA)
    if told.outcome is Outcome.MATCH:
        assert told.score is not None
        assert told.threshold is not None
        assert told.score >= told.threshold


@pytest.mark.parametrize("path", ["/identify", "/verify"])
def test_without_keys_whoever_asks_may_investigate(client: Client, path: str) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    asked = {"sequence": person(7), **({"subject": "ada"} if path == "/verify" else {})}
    answer = client.post(path, json=asked).json()
    assert answer["outcome"] == "no_match"
    assert [each["subject"] for each in answer["candidates"]] == ["ada"]
