"""MediaPipe Pose as people dump it: 33 landmarks a person, {x, y, z, visibility}.

A frame is a list of 33 landmarks, or a list of several people's, or an object with one of `landmarks`,
`pose_landmarks`, `poseLandmarks` (and their `world` twins); null or empty where nobody was found. A file is a
frame, a list of frames, or {"frames": [...], "fps": 25, "width": 1920, "height": 1080}. A landmark may be a list
[x, y, z, visibility]. Frame numbers are read from `frame`, `frame_id`, `frame_index` or `frame_number`, times from
`timestamp_ms`.

x and y are divided by image width and height, so that the aspect ratio is needed. z is a guess of the network, in
no unit, and is not read. World landmarks (metres, centred on the hips) are read where there are no others,
turned about z so that y is up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import numpy as np
from msgspec import Raw

from model.named_layouts import MEDIAPIPE_33
from model.readers.arrays import floats
from model.readers.assemble import recording_of
from model.readers.document import LOOK_AHEAD, Document, attempt, decode
from model.readers.recording import Hints, Recording
from model.readers.source import Source
from model.sequence import FPS_LIMIT, Floats, Units
from model.tracks import People

FORMAT = "mediapipe"
IMAGE_KEYS = ("pose_landmarks", "poseLandmarks", "landmarks")
WORLD_KEYS = ("pose_world_landmarks", "poseWorldLandmarks", "world_landmarks", "worldLandmarks")
NUMBER_KEYS = ("frame", "frame_id", "frame_index", "frame_number")
SLOWEST_FPS = 0.5
"""Times further apart are not those of a video."""
TIME_KEYS = ("timestamp_ms", "timestampMs")


class Landmark(msgspec.Struct):
    """One joint."""

    x: float
    y: float
    z: float = 0.0
    visibility: float | None = None


class About(msgspec.Struct):
    """What an object around the frames may say of all of them."""

    fps: float | None = None
    width: float | None = None
    height: float | None = None
    aspect: float | None = None


Person: TypeAlias = list[Landmark | list[float]]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: people in the image, in the world, and the number and time (ms) that it states."""

    image: Sequence[Person]
    world: Sequence[Person]
    number: int | None = None
    time_ms: float | None = None


def matches(document: Document) -> bool:
    keys = set(document.members) | document.keys_of_first()
    if keys & {*IMAGE_KEYS, *WORLD_KEYS, "frames"} or {"x", "y"} <= keys:
        return True
    first = next((found for found in document.first_filled(list[Raw]) if found), [])
    return len(first) == MEDIAPIPE_33.count or any(_is_frame(found) for found in _lists(first))


def read(document: Document, hints: Hints) -> Recording:
    """Raises `UnreadableFile` naming the frame whose landmarks are not 33 of x, y, z, visibility."""
    source = document.source
    frames = [_frame(source, raw, f"frame {i}") for i, raw in enumerate(_raws(document))]
    about = decode(source, source.data.removeprefix(b"\xef\xbb\xbf"), About) if document.members else About()
    world = not any(frame.image for frame in frames)
    numbers, fps = _clock(frames, hints)
    people = [
        _people(source, number, frame.world if world else frame.image, world)
        for number, frame in zip(numbers, frames, strict=True)
    ]
    ratio = about.width / about.height if about.width and about.height else about.aspect
    return recording_of(
        FORMAT, source, people, MEDIAPIPE_33, hints, fps=about.fps or fps, aspect=ratio,
        units=Units.METRES if world else Units.NORMALISED,
        notes=() if world else ("z_dropped: MediaPipe's z has no unit and is not read",),
    )  # fmt: skip


def _raws(document: Document) -> list[Raw]:
    """The frames, whatever stands around them."""
    source, members = document.source, document.members
    if "frames" in members:
        frames: list[Raw] = decode(source, members["frames"], list[Raw], "frames")
        return frames
    items = document.items
    if members:
        key = next((key for key in (*IMAGE_KEYS, *WORLD_KEYS) if key in members), None)
        if key is None:
            source.fail("has no landmarks")
        items = decode(source, members[key], list[Raw] | None, key) or []
        if not _is_frame(items) and key in IMAGE_KEYS:
            return items  # at the top of a file, a list of people's landmarks is one person over time
        return [Raw(source.data.removeprefix(b"\xef\xbb\xbf"))]
    return [Raw(source.data.removeprefix(b"\xef\xbb\xbf"))] if _is_frame(items) else items


def _is_frame(items: Sequence[Raw]) -> bool:
    """Whether these are the landmarks of one person: objects with x and y, or short lists of numbers."""
    if len(items) != MEDIAPIPE_33.count:
        return False
    return attempt(items[0], Landmark | list[float]) is not None


def _lists(items: Sequence[Raw]) -> Iterator[list[Raw]]:
    """Items that are lists: several people's landmarks."""
    found: list[list[Raw] | None] = [attempt(raw, list[Raw]) for raw in items[:LOOK_AHEAD]]
    return (people for people in found if people is not None)


def _frame(source: Source, raw: Raw, where: str) -> Frame:
    begins = bytes(raw).lstrip()[:1]
    if begins == b"[":
        return Frame(_persons(source, raw, where), ())
    members: dict[str, Raw] = decode(source, raw, dict[str, Raw] | None, where) or {}
    image = next((members[key] for key in IMAGE_KEYS if key in members), None)
    world = next((members[key] for key in WORLD_KEYS if key in members), None)
    number = next((members[key] for key in NUMBER_KEYS if key in members), None)
    time = next((members[key] for key in TIME_KEYS if key in members), None)
    return Frame(
        _persons(source, image, where) if image else (),
        _persons(source, world, where) if world else (),
        decode(source, number, int, f"{where}: number") if number else None,
        decode(source, time, float, f"{where}: time") if time else None,
    )


def _persons(source: Source, raw: Raw, where: str) -> Sequence[Person]:
    """Landmarks of one person, or a list of several people's; null and empty are nobody."""
    items: list[Raw] = decode(source, raw, list[Raw] | None, where) or []
    if not items:
        return ()
    if _is_frame(items) or bytes(items[0]).lstrip()[:1] == b"{":
        person: Person = decode(source, raw, Person, where)
        return [person]
    persons: list[Person] = decode(source, raw, list[Person], where)
    return [person for person in persons if person]


def _clock(frames: Sequence[Frame], hints: Hints) -> tuple[list[int], float | None]:
    """Frame numbers, and frames a second where the frames state times."""
    times = [frame.time_ms for frame in frames if frame.time_ms is not None]
    fps = 0.0
    if hints.fps is None and len(frames) == len(times) > 1:
        with np.errstate(over="ignore"):
            steps = np.diff(times)
            fps = round(1000 / float(np.median(steps)), 2) if (steps > 0).all() else 0.0
    if SLOWEST_FPS <= fps <= FPS_LIMIT:
        return [round((time - times[0]) * fps / 1000) for time in times], fps
    numbers = [frame.number for frame in frames if frame.number is not None]
    return (numbers if len(numbers) == len(frames) else list(range(len(frames)))), None


def _people(source: Source, number: int, persons: Sequence[Person], world: bool) -> People:
    poses = [_pose(source, person, f"frame {number}, person {i}", world) for i, person in enumerate(persons)]
    channels = 4 if world else 3
    return People(number, np.stack(poses) if poses else np.empty((0, 0, channels), np.float32))


def _pose(source: Source, person: Person, where: str, world: bool) -> Floats:
    if len(person) != MEDIAPIPE_33.count:
        source.fail(f"{where}: {len(person)} landmarks where {MEDIAPIPE_33.count} are expected")
    rows = [_values(source, landmark, where) for landmark in person]
    x, y, z, visibility = floats(rows).T
    return np.stack([-x, -y, z, visibility] if world else [x, y, visibility], axis=1)


def _values(source: Source, landmark: Landmark | list[float], where: str) -> tuple[float, float, float, float]:
    if isinstance(landmark, Landmark):
        seen = 1.0 if landmark.visibility is None else landmark.visibility
        return landmark.x, landmark.y, landmark.z, seen
    if not 2 <= len(landmark) <= 5:
        source.fail(f"{where}: a landmark of {len(landmark)} values where x, y, z, visibility are expected")
    x, y, z, visibility = (*landmark, *(0.0, 0.0, 0.0, 1.0)[len(landmark) :])[:4]
    return x, y, z, visibility
