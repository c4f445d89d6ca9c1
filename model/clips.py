"""Sequence to clips: resample to the encoder's frame rate, cut windows, pad; the same for training and serving.

A recording is one person's sequence, or the sequences of all people in it, which have the same frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from model.errors import InvalidSequence, LayoutMismatch, UnusableSequence
from model.layout import Layout
from model.people import about_spine, main_first, padded, without_empty_frames
from model.sequence import Floats, SkeletonSequence, Units
from model.uniform import fixed_clips

Recording: TypeAlias = SkeletonSequence | tuple[SkeletonSequence, ...]
Places: TypeAlias = NDArray[np.intp]


class ClipSpec(BaseModel):
    """What a model takes: windows of `frames` at `fps`, every `stride`; shorter ones padded from `minimum` up.

    people: of a recording, in one clip; absent ones are zeros. sampling: `windows`, or `uniform`: `clips` times one
    frame from each of `frames` equal bins of the whole recording (`model.uniform`), whatever its frame rate; frames of
    nobody are left out before.
    origin: `spine` takes the main person's spine in the first frame as the origin of a three-dimensional recording.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    frames: int = Field(default=60, ge=4, le=1000)
    fps: float = Field(default=25.0, gt=0, le=1000)
    stride: int = Field(default=30, ge=1)
    minimum: int = Field(default=24, ge=1)
    dims: int = Field(default=2, ge=2, le=3)
    people: int = Field(default=1, ge=1, le=4)
    sampling: Literal["windows", "uniform"] = "windows"
    clips: int = Field(default=10, ge=1, le=100)
    origin: Literal["given", "spine"] = "given"

    @property
    def channels(self) -> int:
        """Coordinates and confidence."""
        return self.dims + 1

    def decides(self) -> dict[str, Any]:
        """What of this is in a bundle's fingerprint: what later versions added, only where it is used."""
        added = ("people", "sampling", "clips", "origin")
        defaults = {name: ClipSpec.model_fields[name].default for name in added}
        values = self.model_dump(mode="json")
        return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


@dataclass(frozen=True, slots=True, eq=False)
class ClipBatch:
    """Clips of several recordings. clips: (clips, frames, joints, channels), or with several people (clips, people,
    frames, joints, channels); owner: (clips,) index of the recording."""

    clips: Floats
    owner: Places

    @property
    def sequences(self) -> int:
        return int(self.owner[-1]) + 1 if len(self.owner) else 0


def to_clips(recording: Recording, spec: ClipSpec, layout: Layout) -> Floats:
    """Clips of one recording: (clips, frames, joints, dims + 1), coordinates, then confidence; where `spec.people` is
    above 1, (clips, people, frames, joints, dims + 1).

    Raises as `to_frames` does, and `UnusableSequence` (`too_short`) below `spec.minimum` frames.
    """
    people = to_frames(recording, spec, layout)
    count = people.shape[1]
    if count < spec.minimum:
        rate = f" at {spec.fps:g} fps" if spec.sampling == "windows" else ""
        raise UnusableSequence(["too_short"], f"{count} frames{rate}, at least {spec.minimum} are needed")
    if spec.sampling == "windows":
        at = window_places(count, spec.frames, spec.stride)
    else:
        at = fixed_clips(count, spec.frames, spec.clips)
    return people[0][at] if spec.people == 1 else np.ascontiguousarray(people[:, at].swapaxes(0, 1))


def to_frames(recording: Recording, spec: ClipSpec, layout: Layout) -> Floats:
    """All frames that clips are cut from, (spec.people, T, joints, dims + 1): coordinates, then confidence.

    Whoever is in most frames comes first; more than `spec.people` are left out, absent ones are zeros. Normalised
    coordinates are multiplied by the aspect ratio in x. Raises `LayoutMismatch` if a sequence has another layout or
    number of coordinates, `InvalidSequence` if people of a recording differ in frames or frame rate.
    """
    each = (recording,) if isinstance(recording, SkeletonSequence) else recording
    _check(each, spec, layout)
    people = main_first(np.stack([_stack(sequence) for sequence in each]))
    if spec.sampling == "uniform":
        people = without_empty_frames(people)
    if spec.origin == "spine":
        people = about_spine(people, layout.index("spine"))
    people = padded(people, spec.people)
    return people if spec.sampling == "uniform" else _resampled(people, each[0].fps, spec.fps)


def _check(each: tuple[SkeletonSequence, ...], spec: ClipSpec, layout: Layout) -> None:
    if not each:
        raise InvalidSequence("people", "a recording has at least one")
    for sequence in each:
        if sequence.layout != layout:
            raise LayoutMismatch(layout.name, sequence.layout.name)
        if sequence.dims != spec.dims:
            reason = "the model takes another number of coordinates"
            raise LayoutMismatch(f"{spec.dims}-D", f"{sequence.dims}-D", reason)
        if (sequence.frames, sequence.fps) != (each[0].frames, each[0].fps):
            raise InvalidSequence("people", "of one recording must have the same number of frames at the same rate")
    if spec.origin == "spine" and "spine" not in layout:
        raise LayoutMismatch("a layout with a spine", layout.name, "the model takes it as the origin")


def _resampled(people: Floats, fps: float, target_fps: float) -> Floats:
    """Each person as `resample` does: their joints side by side are one large skeleton."""
    count, length, joints, channels = people.shape
    if count == 1:
        return resample(people[0], fps, target_fps)[None]
    side_by_side = people.swapaxes(0, 1).reshape(length, count * joints, channels)
    frames = resample(side_by_side, fps, target_fps)
    return frames.reshape(-1, count, joints, channels).swapaxes(0, 1)


def batch_clips(recordings: Sequence[Recording], spec: ClipSpec, layout: Layout) -> ClipBatch:
    """Clips of all recordings in one array, with the index of the recording that each belongs to."""
    each = [to_clips(recording, spec, layout) for recording in recordings]
    owner = np.repeat(np.arange(len(each)), [len(clips) for clips in each])
    return ClipBatch(np.concatenate(each) if each else np.empty((0, 0, 0, 0), np.float32), owner)


def mean_over_clips(values: Floats, owner: Places) -> Floats:
    """Mean (sequences, n) of clip values (clips, n), by owner."""
    count = np.bincount(owner)
    total = np.zeros((len(count), values.shape[1]), dtype=np.float32)
    np.add.at(total, owner, values)
    return np.asarray(total / count[:, None], dtype=np.float32)


def unit_length(vectors: Floats) -> Floats:
    """Rows scaled to length 1; a zero row stays zero.

    >>> unit_length(np.array([[3.0, 4.0]], dtype=np.float32)).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norm, np.finfo(np.float32).tiny), dtype=np.float32)


def _stack(sequence: SkeletonSequence) -> Floats:
    joints = sequence.joints
    if sequence.units is Units.NORMALISED:
        joints = joints.copy()
        joints[..., 0] *= sequence.aspect or 1.0
    return np.concatenate([joints, sequence.confidence[..., None]], axis=-1)


def resample(frames: Floats, fps: float, target_fps: float) -> Floats:
    """Frames (T, V, C) at `fps` to `target_fps`, linear; the last channel is confidence.

    Coordinates are interpolated between confident neighbours only: a missing neighbour lends no coordinate.
    """
    if abs(fps - target_fps) < 1e-6 * target_fps or len(frames) < 2:
        return frames
    count = max(1, int(np.floor((len(frames) - 1) * target_fps / fps)) + 1)
    at = np.minimum(np.arange(count) * (fps / target_fps), len(frames) - 1)
    low = np.minimum(at.astype(np.intp), len(frames) - 2)
    part = (at - low).astype(np.float32)[:, None]
    before, after = frames[low], frames[low + 1]
    weight_before = (1 - part) * (before[..., -1] > 0)
    weight_after = part * (after[..., -1] > 0)
    total = weight_before + weight_after
    safe = np.where(total > 0, total, 1)[..., None]
    joints = (before[..., :-1] * weight_before[..., None] + after[..., :-1] * weight_after[..., None]) / safe
    confidence = before[..., -1] * (1 - part) + after[..., -1] * part
    confidence = np.where(total > 0, confidence, 0)[..., None]
    return np.concatenate([joints * (total > 0)[..., None], confidence], axis=-1).astype(np.float32)


def window_places(count: int, length: int, stride: int) -> Places:
    """Frame numbers (n, length) of windows that cover all `count` frames; fewer than `length` are padded by reflection.

    The last window is aligned to the end, so no frame is left out and none but the overlap counts twice.

    >>> window_places(6, 4, 3).tolist(), window_places(3, 4, 3).tolist()
    ([[0, 1, 2, 3], [2, 3, 4, 5]], [[0, 1, 2, 1]])
    """
    if count <= length:
        return reflected(count, length)[None]
    starts = np.array([*range(0, count - length, stride), count - length], dtype=np.intp)
    return starts[:, None] + np.arange(length)


def reflected(count: int, length: int) -> Places:
    """Indices (length,) that walk 0..count-1 and back, as a ball between two walls.

    >>> reflected(3, 7).tolist()
    [0, 1, 2, 1, 0, 1, 2]
    """
    if count == 1:
        return np.zeros(length, dtype=np.intp)
    period = 2 * (count - 1)
    place = np.arange(length, dtype=np.intp) % period
    there_and_back: Places = np.minimum(place, period - place)
    return there_and_back
