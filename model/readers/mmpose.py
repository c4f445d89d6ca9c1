"""MMPose JSON, 1.x and 0.x.

1.x: {"meta_info": {...}, "instance_info": [{"frame_id": 1, "instances": [{"keypoints": [[x, y] * 17],
"keypoint_scores": [...], "bbox": [[...]], "bbox_score": 0.9}]}]}, or the list alone; an image's predictions are a
list of instances. 0.x: a list of frames, each a list of {"bbox": [...], "keypoints": [[x, y, c] * 17],
"track_id": 0}. 26, 133 and 136 joints begin with COCO's 17, which are read. Pixels, no frame rate. 3-D keypoints
are refused: their axes and units differ from model to model.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from model.readers.arrays import floats, layout_of, regular
from model.readers.assemble import recording_of
from model.readers.document import Document, decode
from model.readers.recording import Hints, Recording
from model.readers.source import Source
from model.sequence import Floats
from model.tracks import People

FORMAT = "mmpose"
FLAT = "flat_list: a list of people without frame numbers is read as the people of one frame"


class Instance(msgspec.Struct):
    """One person in one frame."""

    keypoints: list[list[float]]
    keypoint_scores: list[float] | None = None
    track_id: int | None = None


class Frame(msgspec.Struct):
    """One frame of 1.x."""

    instances: list[Instance]
    frame_id: int | None = None


class Results(msgspec.Struct):
    """A file of 1.x."""

    instance_info: list[Frame]


def matches(document: Document) -> bool:
    if "instance_info" in document.members:
        return True
    keys = document.keys_of_first()
    if not document.items:
        return False
    if "instances" in keys or ("keypoints" in keys and "image_id" not in keys):
        return True
    people = next((found[0] for found in document.first_filled(list[dict[str, msgspec.Raw]]) if found), {})
    return "keypoints" in people


def read(document: Document, hints: Hints) -> Recording:
    """Raises `UnreadableFile` for frames that are not regular, and for 3-D keypoints."""
    source = document.source
    data = source.data.removeprefix(b"\xef\xbb\xbf")
    keys = document.keys_of_first()
    notes: tuple[str, ...] = ()
    if "instance_info" in document.members:
        results: Results = decode(source, data, Results)
        frames = _numbered(results.instance_info)
    elif "instances" in keys:
        frames = _numbered(decode(source, data, list[Frame]))
    elif "keypoints" in keys:
        frames, notes = [(0, decode(source, data, list[Instance]))], (FLAT,)
    else:
        listed: list[list[Instance] | None] = decode(source, data, list[list[Instance] | None])
        frames = [(i, people or []) for i, people in enumerate(listed)]
    counts = {len(person.keypoints) for _, people in frames for person in people}
    if len(counts) != 1:
        source.fail(f"people have different numbers of joints: {sorted(counts)}" if counts else "no person in it")
    layout = layout_of(counts.pop(), 2, hints, source.name)
    people = [_people(source, number, found) for number, found in frames]
    return recording_of(FORMAT, source, people, layout, hints, notes=notes)


def _numbered(frames: Sequence[Frame]) -> list[tuple[int, list[Instance]]]:
    """Frame numbers: the file's where every frame has one, otherwise the order."""
    if any(frame.frame_id is None for frame in frames):
        return [(i, frame.instances) for i, frame in enumerate(frames)]
    return [(frame.frame_id or 0, frame.instances) for frame in frames]


def _people(source: Source, number: int, instances: Sequence[Instance]) -> People:
    poses = [_pose(source, person, f"frame {number}, person {i}") for i, person in enumerate(instances)]
    known = tuple(str(person.track_id) for person in instances if person.track_id is not None)
    stacked = np.stack(poses) if poses else np.empty((0, 0, 3), np.float32)
    return People(number, stacked, known if len(known) == len(instances) else None)


def _pose(source: Source, person: Instance, where: str) -> Floats:
    joints = regular(person.keypoints, source.name, f"{where}: keypoints")
    if person.keypoint_scores is None:
        if joints.shape[1] != 3:
            source.fail(f"{where}: keypoints need x, y and a score, and there are {joints.shape[1]} values")
        return joints
    if joints.shape[1] == 3:
        source.fail(f"{where}: 3-D keypoints of MMPose are not read; export its 2-D ones")
    if joints.shape[1] != 2:
        source.fail(f"{where}: keypoints need x and y, and there are {joints.shape[1]} values")
    if len(person.keypoint_scores) != len(joints):
        source.fail(f"{where}: {len(person.keypoint_scores)} scores for {len(joints)} joints")
    scores = floats(person.keypoint_scores)[:, None]
    return np.concatenate([joints, scores], axis=1)
