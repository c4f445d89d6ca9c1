"""From a request to what is asked, and about whom: each of them made ready for a model."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from starlette.requests import Request

from model.errors import GaitkeeperError, InvalidRequest, LimitExceeded
from service.bodies.asked import SequenceRequest
from service.bodies.media import FILES, READERS, media_type
from service.bodies.parameters import Head, parameters
from service.bodies.submitted import Body, Submitted
from service.engine.stage import Probe, Stage
from service.parts import aside_of
from service.settings import Limits
from service.wire import Sent, decode

T = TypeVar("T")
S = TypeVar("S", bound=Sent)
Q = TypeVar("Q", bound=SequenceRequest)

# Reading and judging one sequence of this size takes a few milliseconds; a larger one would hold up everybody else's.
INLINE_BYTES = 64 * 1024
INLINE_RAW_BYTES = 40 * 1024
_RAW = ("application/octet-stream", "application/x-npy")


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """One sequence of a request, ready for a model, or why it never will be."""

    name: str
    probe: Probe | GaitkeeperError
    first_frame: int = 0
    alone: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Received(Generic[Q]):
    """What is asked, about whom. several: whether there is an answer for each, by name."""

    asked: Q
    each: tuple[Examined, ...]
    several: bool

    @property
    def only(self) -> Probe:
        """The sequence of a request about just one. Raises what is wrong with it."""
        assert not self.several
        probe = self.each[0].probe
        if isinstance(probe, GaitkeeperError):
            raise probe
        return probe


def one_of_each(found: Received[Q]) -> Received[Q]:
    """The same, but nobody of a recording of several: who of them it is about is not for us to guess."""
    return replace(found, each=tuple(each if each.alone else _one_of_several(each) for each in found.each))


def _one_of_several(each: Examined) -> Examined:
    reason = "is of a recording of several people: POST /sequences gives the sequence of each"
    return replace(each, probe=InvalidRequest("sequence", reason))


async def received(request: Request, kind: type[S]) -> S:
    """The request's small body as `kind`. Raises HTTP 415 where it is no JSON."""
    media_type(request, ("application/json",))
    body = await request.body()
    return (
        decode(kind, body) if len(body) <= INLINE_BYTES else await aside_of(request).call(partial(decode, kind, body))
    )


async def received_sequences(request: Request, kind: type[Q], stage: Stage) -> Received[Q]:
    """The request's body as `kind`, of any media type that sequences come in; each made ready for the model of
    `stage`."""
    read, inline = await _reading(request, kind, stage.limits)
    if not inline:
        return await aside_of(request).call(lambda: _all_examined(stage, read()))
    body = read()
    if body.several:
        return await aside_of(request).call(partial(_all_examined, stage, body))
    return _all_examined(stage, body, judged=False)


def _all_examined(stage: Stage, body: Body[Q], *, judged: bool = True) -> Received[Q]:
    """judged: now, where nobody waits for it; or later, while the model is at it."""
    return Received(body.asked, tuple(_examined(stage, one, body, judged) for one in body.submitted), body.several)


async def _reading(request: Request, kind: type[Q], limits: Limits) -> tuple["partial[Body[Q]]", bool]:
    """What will read the body, and whether that is done before anybody else notices."""
    media = media_type(request, tuple(READERS))
    scope = request.scope
    head = Head(parameters(scope["query_string"]), dict(scope["headers"]))
    body = await request.body()
    inline = media != FILES and len(body) <= (INLINE_RAW_BYTES if media in _RAW else INLINE_BYTES)
    return partial(READERS[media], kind, body, head, limits), inline


def _examined(stage: Stage, one: Submitted, body: Body[Q], judged: bool) -> Examined:
    if isinstance(one.sequence, GaitkeeperError):
        return Examined(one.name, one.sequence)
    try:
        probe = stage.examine(one.sequence, body.beside, one.notes, judged=judged)
        return Examined(one.name, probe, one.first_frame, one.alone)
    except GaitkeeperError as error:
        if not body.several:
            raise
        return Examined(one.name, error)


def check_candidates(limits: Limits, top_k: int) -> None:
    """Raises `LimitExceeded` for more candidates than one answer may hold."""
    if top_k > (most := limits.candidates):
        raise LimitExceeded("top_k", most, top_k)
