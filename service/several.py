"""Several sequences in one request: an answer for each, by name, or what is wrong with that one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from model.errors import DuplicateSubject, GaitkeeperError, LimitExceeded, Overloaded, UnusableSequence
from service.answers.galleries import Enrolled
from service.answers.recognition import Answer, Classification, Decision, Embedding
from service.bodies.asked import SequenceRequest
from service.engine.stage import Probe
from service.errors import problem_of
from service.gone import unless_gone
from service.problem import Problem
from service.receive import Examined, Received

A = TypeVar("A", bound=msgspec.Struct)
Q = TypeVar("Q", bound=SequenceRequest)

AT_ONCE = 16
"""So many sequences of one request wait for the model at a time: they fill batches, and leave the queue to others."""
# What is wrong with one sequence only; anything else is wrong with the request, or with the service.
_OF_ONE = (UnusableSequence, LimitExceeded, DuplicateSubject, Overloaded)


class NamedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One of several answers. Either `answer` is null or `problem` is."""

    name: str
    answer: Decision | None
    problem: Problem | None


class Decisions(msgspec.Struct, frozen=True):
    """One answer for each sequence, in their order."""

    answers: list[NamedDecision]


class NamedClassification(msgspec.Struct, frozen=True, kw_only=True):
    """One of several answers. Either `answer` is null or `problem` is."""

    name: str
    answer: Classification | None
    problem: Problem | None


class Classifications(msgspec.Struct, frozen=True):
    """One answer for each sequence, in their order."""

    answers: list[NamedClassification]


class NamedEmbedding(msgspec.Struct, frozen=True, kw_only=True):
    """One of several answers. Either `answer` is null or `problem` is."""

    name: str
    answer: Embedding | None
    problem: Problem | None


class Embeddings(msgspec.Struct, frozen=True):
    """One answer for each sequence, in their order."""

    answers: list[NamedEmbedding]


class NamedEnrolled(msgspec.Struct, frozen=True, kw_only=True):
    """One of several answers. Either `answer` is null or `problem` is."""

    name: str
    answer: Enrolled | None
    problem: Problem | None


class EnrolledSeveral(msgspec.Struct, frozen=True):
    """One answer for each sequence, in their order."""

    answers: list[NamedEnrolled]


SEVERAL: dict[type[msgspec.Struct], tuple[type[msgspec.Struct], type[msgspec.Struct]]] = {
    Decision: (Decisions, NamedDecision),
    Classification: (Classifications, NamedClassification),
    Embedding: (Embeddings, NamedEmbedding),
    Enrolled: (EnrolledSeveral, NamedEnrolled),
}
"""From an answer to the form of several of it, and to one of these."""


async def answered(
    request: Request,
    received: Received[Q],
    one: Callable[[Probe], Awaitable[A]],
    *,
    kind: type[A],
    status: Callable[[A], HTTPStatus] = lambda _: HTTPStatus.OK,
    at_once: int = AT_ONCE,
) -> Answer:
    """The answer to a request: `one` for its sequence or, by name, for each of them.

    kind: what `one` gives. status: of an answer; of several, the highest. at_once: how many are worked on together.
    """
    if not received.several:
        answer = await unless_gone(request, one(received.only))
        return Answer(answer, status(answer))
    found = await unless_gone(request, _each(received.each, one, at_once))
    whole, named = SEVERAL[kind]
    answers = [_named(named, each, result) for each, result in zip(received.each, found, strict=True)]
    codes = [status(result) for result in found if not isinstance(result, GaitkeeperError)]
    return Answer(whole(answers), max(codes, default=HTTPStatus.OK))


def _named(kind: type[msgspec.Struct], each: Examined, result: Any) -> msgspec.Struct:
    if isinstance(result, GaitkeeperError):
        return kind(name=each.name, answer=None, problem=problem_of(result))
    return kind(name=each.name, answer=result, problem=None)


async def _each(
    each: Sequence[Examined], one: Callable[[Probe], Awaitable[A]], at_once: int
) -> list[A | GaitkeeperError]:
    """Raises what is wrong with all: `Overloaded`, if nobody was let in."""
    free = asyncio.Semaphore(at_once)

    async def answer(examined: Examined) -> A | GaitkeeperError:
        if isinstance(examined.probe, GaitkeeperError):
            return examined.probe
        async with free:
            try:
                return await one(examined.probe)
            except _OF_ONE as error:
                return error

    tasks = [asyncio.ensure_future(answer(examined)) for examined in each]
    try:
        found = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    if found and all(isinstance(result, Overloaded) for result in found):
        raise next(result for result in found if isinstance(result, Overloaded))
    return found
