"""Decisions on somebody who is looked at again and again: when to look, at which rate, and when to say something else.

A threshold that is calibrated for one search holds its false-positive rate for one look. Who walks through a camera's
image is looked at several times, and every look is a further chance of a false match. Therefore

- looks are few: after 1, 2, 4, 8, ... clips and at the end, of the mean over all clips so far;
- each is held to a share of the rate that the whole track may have. Four looks at a quarter of the rate cannot exceed
  it, whatever they have in common (Bonferroni). Later ones see nearly the same mean: of 300 simulated strangers at a
  rate of 5 %, 2.6 % of tracks of seven looks, 78 seconds, were ever called a match; with every look at 5 %, 10.5 %
  (`tests/bench/sequential.py`);
- where the calibration rests on too few people to support a quarter of the rate, there are two looks at half of it, or
  one at all of it.

What was said is kept with hysteresis: a match is said at the stricter rate of a look, and taken back only where the
score falls below the threshold of the whole track's rate, or somebody else matches.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from gallery.decide import Rule, abstain
from gallery.template import Decision, Outcome
from model.errors import InvalidRequest

Shares: TypeAlias = Literal[1, 2, 4]
SETTLED = 4
"""Clips after which somebody who does not match is said to be nobody we know: some 6 s. Before, it is too early."""
UNSUPPORTED = "rate_unsupported"


@dataclass(frozen=True, slots=True)
class Plan:
    """fpir: of a whole track; None where there is no calibration. shares: into how many looks it is divided."""

    fpir: float | None = None
    shares: Shares = 4

    @property
    def fpir_of_look(self) -> float | None:
        return None if self.fpir is None else self.fpir / self.shares

    def due(self, clips: int, looks: int) -> bool:
        """Whether it is time for a further look, after so many.

        >>> plan = Plan(0.05)
        >>> [clips for clips in range(1, 33) if plan.due(clips, (clips - 1).bit_length())]
        [1, 2, 4, 8, 16, 32]
        """
        if self.shares == 4:
            return clips >= 1 << looks
        if self.shares == 2:
            return looks < 2 and clips >= (2, 8)[looks]
        return looks == 0 and clips >= SETTLED

    def left(self, looks: int) -> bool:
        """Whether one more look, at the end, is within the rate."""
        return self.shares == 4 or looks < self.shares


def plan_for(rule_at: Callable[[float | None], Rule], fpir: float | None) -> Plan:
    """The most looks that the calibration supports at this rate of whole tracks (default: the calibration's target).

    rule_at: what a search is held against at a rate. Raises `InvalidRequest` where not even one look is supported.
    """
    whole = rule_at(fpir).fpir
    if whole is None:
        return Plan()
    shares: Shares
    for shares in (4, 2):
        try:
            rule_at(whole / shares)
        except InvalidRequest:
            continue
        return Plan(whole, shares)
    return Plan(whole, 1)


class Verdict:
    """What is said of one track. looks: so far. said: what was said last; found: what the last look found."""

    def __init__(self) -> None:
        self.looks = self.clips = 0
        self.said: Decision | None = None
        self.found: Decision | None = None

    def look(self, clips: int) -> int:
        """Note a look at so many clips; its number, from 1."""
        self.looks, self.clips = self.looks + 1, clips
        return self.looks

    def hear(
        self, found: Decision, *, hold: Rule | None = None, windows: int = 0, last: bool = False
    ) -> Decision | None:
        """What to say after a look found this; None to say nothing. hold: what a match is kept by: the rule at the rate
        of the whole track. windows: of somebody of whom there is no usable clip, how many there were.

        >>> from gallery.template import Candidate
        >>> def at(score, threshold=0.8):
        ...     outcome = Outcome.MATCH if score >= threshold else Outcome.NO_MATCH
        ...     subject = "ann" if score >= threshold else None
        ...     return Decision(outcome, subject, score, threshold, candidates=(Candidate("ann", score, 1),))
        >>> verdict = Verdict()
        >>> hold = Rule(0.65)
        >>> [(said := verdict.hear(at(score), hold=hold)) and said.outcome.value for score in (0.7, 0.81, 0.7, 0.6)]
        [None, 'match', None, 'no_match']
        """
        self.found = found
        held = self._held(found, hold)
        if held is None:
            too_early = self.said is None and max(self.clips, windows) < SETTLED and not last
            if found.outcome is not Outcome.MATCH and too_early:
                return None
            held = found
        if not last and self.said is not None and _same(self.said, held):
            return None
        self.said = held
        return held

    def last_word(self) -> Decision | None:
        """What stands at the end, where there is no further look: what was found last, if nothing was said yet."""
        self.said = self.said or self.found
        return self.said

    def _held(self, found: Decision, hold: Rule | None) -> Decision | None:
        """The match that was said, with what this look found, where it still stands."""
        said = self.said
        if said is None or said.subject is None or found.outcome is Outcome.MATCH:
            return None
        best = found.candidates[0] if found.candidates else None
        if hold is None or hold.threshold is None or best is None:
            return None
        if best.subject != said.subject or best.score < hold.threshold:
            return None
        return replace(found, outcome=Outcome.MATCH, subject=said.subject, threshold=hold.threshold, fpir=hold.fpir)


def _same(one: Decision, other: Decision) -> bool:
    return (one.outcome, one.subject) == (other.outcome, other.subject)


def unsupported() -> Decision:
    """No decision, because too few people are known to hold it to the rate that was asked for."""
    return abstain([UNSUPPORTED])
