"""JSON and msgpack: one form in two notations."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw

from model.errors import GaitkeeperError, InvalidRequest, InvalidSequence, LayoutMismatch, UnknownLayout
from model.sequence import SkeletonSequence
from service.bodies.asked import NamedSequence, Sequence, SequenceRequest
from service.bodies.parameters import Head, each_by_itself
from service.bodies.people import tracks_of
from service.bodies.submitted import Body, Frames, Submitted, check_count
from service.choices import with_choices
from service.errors import refused_body
from service.settings import Limits
from service.wire import Sent, decode

# What is wrong of one sequence only.
_OF_ONE = (InvalidSequence, UnknownLayout, LayoutMismatch)

Q = TypeVar("Q", bound=SequenceRequest)
S = TypeVar("S", bound=Sent)


def read_json(kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    """Raises msgspec's `ValidationError` or `DecodeError` for the body as a whole, and `InvalidRequest`."""
    return _read(_JSON, kind, body, head, limits)


def read_msgpack(kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    """As `read_json`. Numbers that JSON has not, NaN and infinity, are refused all the same."""
    return _read(_MSGPACK, kind, body, head, limits)


@dataclass(frozen=True, slots=True)
class _Notation:
    decode: Any
    members: Any
    encode: Any


def decode_msgpack(kind: type[S], body: bytes) -> S:
    """`body` as `kind`. Raises msgspec's `ValidationError` (wrong content) or `DecodeError` (not msgpack)."""
    try:
        found: S = _msgpack_decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise with_choices(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"the body is not msgpack: {str(error)[:80]}") from error
    return found


@cache
def _msgpack_decoder(kind: type[Sent]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind)


_JSON = _Notation(decode, partial(msgspec.json.decode, type=dict[str, Raw]), msgspec.json.encode)
_MSGPACK = _Notation(decode_msgpack, partial(msgspec.msgpack.decode, type=dict[str, Raw]), msgspec.msgpack.encode)


def _read(notation: _Notation, kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    if head.given:
        body = _with_parameters(notation, kind, body, head)
    asked: Q = notation.decode(kind, body)
    held = [name for name in ("sequence", "sequences", "people") if getattr(asked, name) is not UNSET]
    if len(held) != 1:
        raise InvalidRequest("sequence", "send one of `sequence`, `sequences` and `people`")
    beside = asked.beside()
    # The lists are many times as large as the arrays, and a request may wait for long.
    rest = msgspec.structs.replace(asked, **{held[0]: UNSET}, **({"others": []} if beside else {}))
    if isinstance(asked.sequence, Sequence):
        Frames(limits).add(len(asked.sequence.joints), "sequence.joints")
        return Body.of_one(rest, asked.sequence.checked(), beside)
    if asked.people is not UNSET:
        return Body(rest, tracks_of(asked.people, limits), several=True)
    assert asked.sequences is not UNSET
    return Body(rest, _each(notation, asked.sequences, limits), several=True)


def _with_parameters(notation: _Notation, kind: type[Q], body: bytes, head: Head) -> bytes:
    """The body with the parameters of the address in it. Raises `InvalidRequest` for what is given in both."""
    try:
        members = notation.members(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        notation.decode(kind, body)  # says what is wrong
        raise
    given = each_by_itself(kind, head.given)
    if both := members.keys() & given.keys():
        raise InvalidRequest(min(both), "is given in the address and in the body")
    merged: bytes = notation.encode(members | given)
    return merged


def _each(notation: _Notation, sequences: list[Any], limits: Limits) -> Iterator[Submitted]:
    """One after the other, so that the lists of one only are there at a time."""
    check_count(len(sequences), "sequences", limits)
    frames, names = Frames(limits), set[str]()
    for place, raw in enumerate(sequences):
        name = str(place + 1)
        try:
            named: NamedSequence = notation.decode(NamedSequence, raw)
            name = named.name or name
            frames.add(len(named.joints), f"sequences[{place}].joints")
            sequence: SkeletonSequence | GaitkeeperError = named.checked()
        except msgspec.ValidationError as error:
            refused = refused_body(error)
            sequence = InvalidRequest(f"sequence.{refused.field}".removesuffix(".body"), refused.reason)
        except _OF_ONE as error:
            sequence = error
        if name in names:
            raise InvalidRequest(f"sequences[{place}].name", "is given twice: the answers are told apart by it")
        names.add(name)
        yield Submitted(name, sequence)
