"""From a message or body to frames as arrays: checked, before anything else sees them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from model.errors import InvalidRequest, LimitExceeded
from model.sequence import COORDINATE_LIMIT, Floats
from service.bodies.structured import decode_msgpack
from service.streams.asked import Form, StreamFrame
from service.wire import Sent, decode

S = TypeVar("S", bound=Sent)


@dataclass(frozen=True, slots=True, eq=False)
class Arrived:
    """A frame as it came. poses: (people, joints, coordinates + confidence), zero where a joint is missing."""

    poses: Floats
    ids: tuple[str, ...] | None = None
    frame: int | None = None
    at: float | None = None


def arrived(frames: Sequence[StreamFrame], form: Form, most: int) -> list[Arrived]:
    """Raises `InvalidRequest` that names the place, `LimitExceeded` for more than `most` people."""
    return [_frame(each, form, most, f"frames[{place}]") for place, each in enumerate(frames)]


def _frame(sent: StreamFrame, form: Form, most: int, where: str) -> Arrived:
    if sent.frame is not None and sent.at is not None:
        raise InvalidRequest(f"{where}.at", "is given instead of `frame`, not with it")
    _check_people(len(sent.people), most, where)
    named = [one.id for one in sent.people if one.id is not None]
    if named and len(named) < len(sent.people):
        raise InvalidRequest(f"{where}.people", "ids are given of all or of none")
    if form.trust_ids and len(set(map(str, named))) < len(sent.people):
        raise InvalidRequest(f"{where}.people", "everybody must have an id of their own: this stream trusts them")
    poses = np.ones((len(sent.people), form.layout.count, form.dims + 1), np.float32)
    if not sent.people:
        return Arrived(poses, None, sent.frame, sent.at)
    poses[..., :-1] = _regular([one.joints for one in sent.people], poses[..., :-1].shape, f"{where}.people.joints")
    full = [1.0] * form.layout.count
    if any(one.confidence is not None for one in sent.people):
        given = [full if one.confidence is None else one.confidence for one in sent.people]
        poses[..., -1] = _regular(given, poses.shape[:2], f"{where}.people.confidence")
    return Arrived(checked(poses, where), tuple(map(str, named)) or None, sent.frame, sent.at)


def raw_frames(body: bytes, form: Form, most: int, shape: tuple[int, ...] | None = None) -> list[Arrived]:
    """Little-endian float32 of `shape` (frames, people, joints, coordinates + confidence); by default of one frame, and
    as many people as there are. Raises `InvalidRequest`, `LimitExceeded`."""
    if form.trust_ids:
        raise InvalidRequest("body", "this stream trusts ids, and raw numbers have none")
    one = form.layout.count * (form.dims + 1)
    if shape is None:
        if len(body) % (4 * one):
            raise InvalidRequest("body", f"holds {len(body)} bytes, and one person takes {4 * one}")
        shape = (1, len(body) // (4 * one), form.layout.count, form.dims + 1)
    if len(shape) != 4 or shape[2:] != (form.layout.count, form.dims + 1):
        raise InvalidRequest("X-Shape", f"must be frames,people,{form.layout.count},{form.dims + 1}")
    if min(shape) < 0 or math.prod(shape) * 4 != len(body):
        raise InvalidRequest("body", f"holds {len(body)} bytes, and the shape takes {math.prod(shape) * 4}")
    _check_people(shape[1], most, "X-Shape")
    values = np.frombuffer(body, "<f4").reshape(shape).astype(np.float32)
    return [Arrived(poses) for poses in checked(values, "body")]


def _check_people(count: int, most: int, where: str) -> None:
    if count > most:
        raise LimitExceeded(f"{where}.people", most, count)


def _regular(rows: list[Any], shape: tuple[int, ...], where: str) -> Floats:
    try:
        with np.errstate(over="ignore"):
            values = np.array(rows, np.float32)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(where, "must be the same numbers of everybody") from error
    if values.shape != shape:
        wanted, got = (" x ".join(map(str, each)) for each in (shape, values.shape))
        raise InvalidRequest(where, f"must be {wanted} numbers, got {got}")
    return values


def checked(poses: Floats, where: str) -> Floats:
    """Poses that are finite, below the limit, confidence in [0, 1], zero where it is 0. Raises `InvalidRequest`."""
    if not np.isfinite(poses).all():
        raise InvalidRequest(where, "must be finite (no NaN, no infinity)")
    if poses.size and np.abs(poses[..., :-1]).max() >= COORDINATE_LIMIT:
        raise InvalidRequest(where, f"coordinates must be below {COORDINATE_LIMIT:g}")
    if poses.size and not 0 <= poses[..., -1].min() <= poses[..., -1].max() <= 1:
        raise InvalidRequest(where, "confidence must lie in [0, 1]")
    poses[poses[..., -1] == 0] = 0
    return poses


def decoder(kind: str) -> Callable[[type[S], bytes], S]:
    """How a body of this media type is read; raises msgspec's errors. `KeyError` for others."""
    return {"application/json": decode, "application/msgpack": decode_msgpack}[kind]
