"""From people per frame, as detectors write them, to tracks whose time has no holes."""

from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.errors import LimitExceeded
from model.layout import Layout
from model.limits import FILE_FRAMES, FILE_TRACKS
from model.readers.recording import ASSUMED_FPS, Hints, Recording, Track
from model.readers.source import Source
from model.sequence import COORDINATE_LIMIT, Floats, SkeletonSequence, Units
from model.tracks import Followed, People, follow

NORMALISED_BELOW = 3.0
"""No person is three pixels large, and no joint is guessed three image widths away."""
LARGEST_FRAME = 10**15
"""Time stamps in microseconds have been used as frame numbers; nothing larger has."""
FEWEST_STEPS = 8
"""So many frame numbers must share a step before it is taken for the source's own."""


def recording_of(
    form: str,
    source: Source,
    frames: Sequence[People],
    layout: Layout,
    hints: Hints,
    *,
    fps: float | None = None,
    assumed_fps: float = ASSUMED_FPS,
    units: Units | None = None,
    aspect: float | None = None,
    notes: Sequence[str] = (),
    trust_ids: bool = False,
) -> Recording:
    """People per frame as one recording: followed over time, holes in time kept as missing frames.

    fps, aspect: what the file states; units: None where they are to be told from the size of the coordinates.
    """
    rate, said = hints.rate(fps, assumed_fps)
    # Whole-body sets of joints begin with the layout's; what follows is not read.
    cleaned = [People(people.frame, clean(people.poses[:, : layout.count]), people.ids) for people in frames]
    cleaned, step = _in_steps(cleaned, source)
    if step > 1:
        said += (
            f"frame_step: frame numbers go up by {step}; {rate:g} fps counts them, so that {rate / step:g} are left",
        )
    units = units or units_of([people.poses for people in cleaned])
    ratio = hints.ratio or aspect
    stretch = (ratio or 1.0) if units is Units.NORMALISED else 1.0
    following = follow(cleaned, rate / step, stretch, trust_ids=trust_ids)
    _check_frames(source, following.people)
    aspect = ratio if units is Units.NORMALISED else None
    tracks = tuple(_track(person, layout, rate / step, units, aspect) for person in following.people)
    return Recording(form, tracks, (*notes, *said, *following.notes), source.name)


def clean(poses: Floats) -> Floats:
    """Poses whose joints with anything not finite, absurd or unsure become missing; confidence cut to [0, 1]."""
    poses = np.array(poses, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(poses).all(axis=-1) | (np.abs(poses[..., :-1]) >= COORDINATE_LIMIT).any(axis=-1)
        poses[..., -1] = np.clip(poses[..., -1], 0, 1)
    poses[bad | (poses[..., -1] == 0)] = 0
    return poses


def units_of(poses: Sequence[Floats]) -> Units:
    """Pixels, or normalised where all joints of all people (people, joints, 3) lie within a few image sizes of 0."""
    largest = max((float(np.abs(p[..., :-1]).max()) for p in poses if p.size), default=NORMALISED_BELOW)
    return Units.NORMALISED if largest < NORMALISED_BELOW else Units.PIXELS


def dense(frames: NDArray[np.int64], poses: Floats, name: str) -> Floats:
    """Poses (n, joints, channels) at rising frame numbers, with missing frames (all zero) where numbers are left out.

    Raises `LimitExceeded` if that is more than a file may hold.
    """
    length = int(frames[-1]) - int(frames[0]) + 1
    if length > FILE_FRAMES:
        raise LimitExceeded(f"frames from first to last of {name}", FILE_FRAMES, length)
    if length == len(poses):
        return poses
    filled = np.zeros((length, *poses.shape[1:]), dtype=np.float32)
    filled[frames - frames[0]] = poses
    return filled


def _in_steps(frames: Sequence[People], source: Source) -> tuple[list[People], int]:
    """Frames numbered 0, 5, 10, ... are numbered 0, 1, 2, ...; returns the step that was taken out."""
    numbers = sorted(people.frame for people in frames)
    if numbers and max(-numbers[0], numbers[-1]) > LARGEST_FRAME:
        source.fail(f"frame numbers must lie within {LARGEST_FRAME}")
    if again := next((later for earlier, later in pairwise(numbers) if earlier == later), None):
        source.fail(f"frame {again} is there twice")
    step = gcd(*(later - earlier for earlier, later in pairwise(numbers)))
    if len(numbers) < FEWEST_STEPS or step <= 1:
        return list(frames), 1
    return [People((p.frame - numbers[0]) // step + numbers[0], p.poses, p.ids) for p in frames], step


def _check_frames(source: Source, people: Sequence[Followed]) -> None:
    if len(people) > FILE_TRACKS:
        raise LimitExceeded(f"people in {source.name}", FILE_TRACKS, len(people))
    total = sum(int(person.frames[-1]) - int(person.frames[0]) + 1 for person in people)
    if total > FILE_FRAMES:
        raise LimitExceeded(f"frames of all tracks of {source.name}", FILE_FRAMES, total)


def _track(person: Followed, layout: Layout, fps: float, units: Units, aspect: float | None) -> Track:
    frames = dense(person.frames, person.poses, f"track {person.name}")
    sequence = SkeletonSequence(frames[..., :-1], frames[..., -1], layout, fps, units, aspect)
    labels = {"overlaps": _overlaps(person)} if person.overlaps else {}
    return Track(person.name, sequence, int(person.frames[0]), MappingProxyType(labels))


def _overlaps(person: Followed) -> str:
    return "; ".join(f"{other} (frames {first}-{last})" for first, last, other in person.overlaps[:20])
