"""Everybody who was seen in some frames, followed into one sequence for each."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from model.errors import InvalidRequest, LimitExceeded
from model.layout import Layout
from model.named_layouts import layout_named
from model.readers.assemble import dense
from model.sequence import COORDINATE_LIMIT, Floats, SkeletonSequence, Units
from model.tracks import Followed, follow
from model.tracks import People as InFrame
from service.bodies.asked import People
from service.bodies.submitted import Frames, Submitted, check_count
from service.settings import Limits


def tracks_of(people: People, limits: Limits) -> Iterator[Submitted]:
    """A track for each person: by the detector's ids where they are given, otherwise by their motion.

    Raises `InvalidRequest`, `InvalidSequence`, `UnknownLayout`, `LayoutMismatch`, `LimitExceeded`.
    """
    layout = layout_named(people.layout)
    units, aspect = Units(people.units), people.aspect
    _check_size(people, limits)
    poses, ids = _poses(people, layout), _ids(people)
    stretch = (aspect or 1.0) if units is Units.NORMALISED else 1.0
    if not 0.1 <= stretch <= 10:
        raise InvalidRequest("people.aspect", f"width / height must be in [0.1, 10], got {stretch:g}")
    bounds = np.cumsum([0, *map(len, people.frames)]).tolist()
    frames = [
        InFrame(number, poses[start:stop], None if ids is None else ids[start:stop])
        for number, (start, stop) in enumerate(pairwise(bounds))
    ]
    following = follow(frames, people.fps, stretch, trust_ids=ids is not None)
    if not following.people:
        raise InvalidRequest("people.frames", "nobody is in them")
    _check_tracks(following.people, limits)
    for one in following.people:
        yield Submitted(
            one.name,
            _sequence(one, layout, people, units),
            (*following.notes, *_overlaps(one)),
            int(one.frames[0]),
            len(following.people) == 1,
        )


def _check_size(people: People, limits: Limits) -> None:
    crowd = max(map(len, people.frames), default=0)
    if crowd > limits.people:
        raise LimitExceeded("people.frames (people in one)", limits.people, crowd)
    counted = Frames(limits)
    counted.add(len(people.frames), "people.frames")
    Frames(limits).add(sum(map(len, people.frames)), "people.frames (all people)")


def _poses(people: People, layout: Layout) -> Floats:
    """(all detections, joints, coordinates + confidence), frame after frame."""
    everybody = [one for frame in people.frames for one in frame]
    if not everybody:
        return np.zeros((0, layout.count, 3), np.float32)
    dims = len(everybody[0].joints[0]) if everybody[0].joints else 0
    if dims not in (2, 3):
        raise InvalidRequest("people.frames", f"2 or 3 coordinates a joint are expected, got {dims}")
    poses = np.ones((len(everybody), layout.count, dims + 1), np.float32)
    with np.errstate(over="ignore"):
        poses[..., :-1] = _regular(people, [one.joints for one in everybody], "joints", (layout.count, dims))
        if any(one.confidence is not None for one in everybody):
            full = [1.0] * layout.count
            given = [full if one.confidence is None else one.confidence for one in everybody]
            poses[..., -1] = _regular(people, given, "confidence", (layout.count,))
    if not np.isfinite(poses).all():
        raise InvalidRequest("people.frames", "must be finite (no NaN, no infinity)")
    if np.abs(poses[..., :-1]).max() >= COORDINATE_LIMIT:
        raise InvalidRequest("people.frames", f"coordinates must be below {COORDINATE_LIMIT:g}")
    if poses[..., -1].min() < 0 or poses[..., -1].max() > 1:
        raise InvalidRequest("people.frames", "confidence must lie in [0, 1]")
    poses[poses[..., -1] == 0] = 0
    return poses


def _regular(people: People, values: list[Any], field: str, shape: tuple[int, ...]) -> Floats:
    """The values as one array (detections, *shape). Raises `InvalidRequest` that names the first that does not fit."""
    try:
        array: Floats = np.array(values, np.float32)
    except ValueError:
        array = np.empty(0, np.float32)
    if array.shape[1:] == shape:
        return array
    for number, frame in enumerate(people.frames):
        for place, one in enumerate(frame):
            where = f"people.frames[{number}][{place}].{field}"
            _check_one(getattr(one, field), where, shape)
    raise AssertionError("every one of them fits, and all of them do not")


def _check_one(given: list[Any] | None, where: str, shape: tuple[int, ...]) -> None:
    if given is None:
        return
    if len(given) != shape[0]:
        raise InvalidRequest(where, f"the layout has {shape[0]} joints, got {len(given)}")
    if len(shape) > 1 and any(len(joint) != shape[1] for joint in given):
        raise InvalidRequest(where, f"every joint must have {shape[1]} coordinates, as those of the first")


def _ids(people: People) -> tuple[str, ...] | None:
    """The detector's ids, frame after frame; None where there are none."""
    given = [None if one.id is None else str(one.id) for frame in people.frames for one in frame]
    ids = tuple(one for one in given if one is not None)
    if not ids:
        return None
    if len(ids) < len(given):
        raise InvalidRequest("people.frames", "either everybody has an id, or nobody")
    for number, frame in enumerate(people.frames):
        if len({str(one.id) for one in frame}) < len(frame):
            raise InvalidRequest(f"people.frames[{number}]", "holds an id twice")
    return ids


def _check_tracks(tracks: tuple[Followed, ...], limits: Limits) -> None:
    """Holes in a track are frames, too."""
    check_count(len(tracks), "people", limits)
    frames = Frames(limits)
    for one in tracks:
        frames.add(int(one.frames[-1]) - int(one.frames[0]) + 1, "people (frames of all tracks)")


def _sequence(one: Followed, layout: Layout, people: People, units: Units) -> SkeletonSequence:
    poses = dense(one.frames, one.poses, f"track {one.name}")
    return SkeletonSequence(poses[..., :-1], poses[..., -1], layout, people.fps, units, people.aspect)


def _overlaps(one: Followed) -> Iterator[str]:
    for first, last, other in one.overlaps[:20]:
        yield f"overlap: with {other} in frames {first} to {last}"
