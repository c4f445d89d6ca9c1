"""AlphaPose `alphapose-results.json` (and COCO result files): a flat list of people.

[{"image_id": "12.jpg" | 12, "category_id": 1, "keypoints": [x, y, c] * 17, "score": 2.9, "box": [...],
"idx": 1}, ...]. 26 and 136 joints (Halpe) and 133 (COCO-WholeBody) begin with COCO's 17, which are read. `idx` is
the tracker's id, trusted where it tells people apart. The frame number is the number at the end of the image's
name; images named without numbers keep their order in the file. Pixels, no frame rate.
"""

from collections import defaultdict

import msgspec
import numpy as np

from model.readers.arrays import joints_of, layout_of, triples
from model.readers.document import Document, decode
from model.readers.recording import Hints, Recording
from model.readers.shots import Shot, recording_of_shots
from model.readers.source import numbered
from model.tracks import People

FORMAT = "alphapose"


class Person(msgspec.Struct):
    """One person in one image."""

    image_id: str | int
    keypoints: list[float]
    idx: list[float] | float | int | str | None = None

    @property
    def name(self) -> str | None:
        """The tracker's id; some versions write it as a list of one, some as a float."""
        given = self.idx[0] if isinstance(self.idx, list) and self.idx else self.idx
        if isinstance(given, list) or given is None:
            return None
        return f"{given:g}" if isinstance(given, float) else str(given)


def matches(document: Document) -> bool:
    return {"image_id", "keypoints"} <= document.keys_of_first() and bool(document.items)


def read(document: Document, hints: Hints) -> Recording:
    """Raises `UnreadableFile` for people whose joints are not the same number, or no layout's."""
    source = document.source
    persons: list[Person] = decode(source, source.data.removeprefix(b"\xef\xbb\xbf"), list[Person])
    joints = joints_of({len(person.keypoints) for person in persons}, source.name)
    layout = layout_of(joints, 2, hints, source.name)
    shots: defaultdict[str, defaultdict[int, list[Person]]] = defaultdict(lambda: defaultdict(list))
    places = _places([person.image_id for person in persons])
    for person in persons:
        shot, number = places[person.image_id]
        shots[shot][number].append(person)
    made = [Shot(name, [_people(number, who) for number, who in frames.items()]) for name, frames in shots.items()]
    return recording_of_shots(FORMAT, source, made, layout, hints)


def _places(images: list[str | int]) -> dict[str | int, tuple[str, int]]:
    """Shot and frame number of each image."""
    distinct = list(dict.fromkeys(images))
    parts = {image: ("", image) if isinstance(image, int) else numbered(image) for image in distinct}
    if any(number is None for _, number in parts.values()):
        return {image: ("", order) for order, image in enumerate(distinct)}
    found = {image: (shot.rstrip("_-. /"), number) for image, (shot, number) in parts.items() if number is not None}
    if len(set(found.values())) < len(found):  # 1.jpg and 01.jpg, or 7.jpg and 7.png
        return {image: ("", order) for order, image in enumerate(distinct)}
    return found


def _people(number: int, persons: list[Person]) -> People:
    poses = [triples(person.keypoints) for person in persons]
    known = tuple(name for name in (person.name for person in persons) if name is not None)
    return People(number, np.stack(poses), known if len(known) == len(persons) else None)
