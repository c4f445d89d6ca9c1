"""Looking again and again: how often, at which rate, and what is said when."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.decide import Rule, abstain, decide
from gallery.sequential import SETTLED, Plan, Verdict, plan_for, unsupported
from gallery.template import Candidate, Decision, Outcome
from model.errors import InvalidRequest

STRICT, HOLD = Rule(0.8, 0.0125), Rule(0.7, 0.05)


def found(ada: float, bob: float = 0.0, rule: Rule = STRICT) -> Decision:
    scores = sorted([("ada", ada), ("bob", bob)], key=lambda each: -each[1])
    return decide([Candidate(name, score, 1) for name, score in scores], 2, rule)


def said(scores: Sequence[tuple[float, float]], clips: Sequence[int] = (1, 2, 4, 8, 16, 32)) -> list[str | None]:
    """What is said after each look (outcome, or the subject of a match; None for nothing)."""
    verdict = Verdict()
    heard = []
    for (ada, bob), count in zip(scores, clips, strict=False):
        verdict.look(count)
        one = verdict.hear(found(ada, bob), hold=HOLD)
        heard.append(None if one is None else one.subject or one.outcome.value)
    return heard


def looks(plan: Plan, length: int) -> list[int]:
    """The clips at which a track of so many is looked at, the end included."""
    at: list[int] = []
    for clips in range(1, length + 1):
        if plan.due(clips, len(at)):
            at.append(clips)
    if (not at or at[-1] < length) and plan.left(len(at)):
        at.append(length)
    return at


@given(length=st.integers(1, 5000), shares=st.sampled_from([1, 2, 4]))
def test_looks_are_few_and_no_more_than_the_rate_was_divided_into(length: int, shares: int) -> None:
    at = looks(Plan(0.05, shares), length)  # type: ignore[arg-type]
    assert at == sorted(set(at))
    assert at
    if shares < 4:
        assert len(at) <= shares
    else:
        assert len(at) <= 2 + np.log2(length)
        assert len(looks(Plan(0.05, 4), min(length, 8))) <= 4, "within four the rate cannot be exceeded"


@pytest.mark.parametrize("shares", [1, 2, 4])
@pytest.mark.parametrize("alike", [0.0, 0.9])
def test_a_stranger_is_called_a_match_no_more_often_than_the_rate_of_the_track(shares: int, alike: float) -> None:
    """Scores of looks that have nothing, or nearly everything, in common: tracks of 8 clips."""
    rng, plan, tracks = np.random.default_rng(0), Plan(0.05, shares), 20_000  # type: ignore[arg-type]
    count = len(looks(plan, 8))
    shared, own = rng.normal(size=(tracks, 1)), rng.normal(size=(tracks, count))
    scores = alike**0.5 * shared + (1 - alike) ** 0.5 * own
    threshold = np.quantile(rng.normal(size=2_000_000), 1 - (plan.fpir_of_look or 0))
    ever = (scores >= threshold).any(axis=1).mean()
    assert ever <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tracks)


def test_a_match_is_said_at_once_and_nobody_only_when_there_was_time() -> None:
    assert said([(0.9, 0)]) == ["ada"]
    assert said([(0.5, 0), (0.5, 0), (0.5, 0)]) == [None, None, "no_match"]
    assert said([(0.5, 0), (0.9, 0), (0.9, 0)]) == [None, "ada", None]


def test_what_was_said_is_taken_back_only_below_the_rate_of_the_track() -> None:
    assert said([(0.9, 0), (0.75, 0), (0.71, 0)]) == ["ada", None, None]
    assert said([(0.9, 0), (0.69, 0), (0.75, 0), (0.81, 0)]) == ["ada", "no_match", None, "ada"]


def test_somebody_else_takes_over_only_with_a_match_of_their_own() -> None:
    assert said([(0.9, 0), (0.75, 0.85)]) == ["ada", "bob"]
    assert said([(0.9, 0), (0.75, 0.79)]) == ["ada", "no_match"], "who it was is no longer the likeliest"


def test_a_kept_match_says_what_it_is_kept_by() -> None:
    verdict = Verdict()
    verdict.look(1)
    verdict.hear(found(0.9), hold=HOLD)
    verdict.look(2)
    last = verdict.hear(found(0.75), hold=HOLD, last=True)
    assert last is not None
    assert (last.outcome, last.subject, last.score, last.threshold, last.fpir) == (
        Outcome.MATCH,
        "ada",
        0.75,
        0.7,
        0.05,
    )


def test_the_last_word_is_always_said() -> None:
    verdict = Verdict()
    assert verdict.last_word() is None
    verdict.look(1)
    assert verdict.hear(found(0.5)) is None
    word = verdict.last_word()
    assert word is not None
    assert word.outcome is Outcome.NO_MATCH
    assert Verdict().hear(abstain(["too_short"]), last=True) is not None


def test_somebody_of_whom_nothing_is_usable_is_said_so_after_some_windows() -> None:
    verdict = Verdict()
    heard = [verdict.hear(abstain(["not_walking"]), windows=count) for count in range(1, SETTLED + 2)]
    assert [one is not None for one in heard] == [False] * (SETTLED - 1) + [True, False]


@pytest.mark.parametrize(("lowest", "shares"), [(0.001, 4), (0.0125, 4), (0.02, 2), (0.05, 1)])
def test_the_plan_has_the_looks_that_the_calibration_supports(lowest: float, shares: int) -> None:
    def rule_at(fpir: float | None) -> Rule:
        rate = 0.05 if fpir is None else fpir
        if rate < lowest:
            raise InvalidRequest("fpir", "is too small")
        return Rule(0.8, rate)

    assert plan_for(rule_at, None) == Plan(0.05, shares)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest):
        plan_for(rule_at, lowest / 2)


def test_without_a_calibration_there_is_no_rate_to_divide() -> None:
    plan = plan_for(lambda _: Rule(), None)
    assert (plan.fpir, plan.fpir_of_look) == (None, None)
    assert unsupported().reasons == ("rate_unsupported",)
