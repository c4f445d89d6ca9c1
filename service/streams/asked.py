"""What a camera sends: how its stream is opened, and frames."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from msgspec import UNSET, Meta, UnsetType, field

from model.errors import InvalidRequest
from model.layout import Layout
from model.named_layouts import layout_named
from model.sequence import FPS_LIMIT, SkeletonSequence, Units
from service.bodies.asked import Detection
from service.wire import Count, Decibels, Name, Rate, Sent, rate_of

# No frame number is larger: JavaScript counts no further.
LARGEST = 2**53 - 1
MOST_FRAMES = 1000

Number = Annotated[int, Meta(ge=0, le=LARGEST)]


class OpenStream(Sent, frozen=True, kw_only=True):
    """How the frames of a camera will look, and what is wanted of the people in them.

    layout, fps, units, aspect: as of a sequence. dims: coordinates of a joint; 3 for metres. gallery: who may be known.
    target_fpir, db: the rate at which people who are not enrolled may be taken for somebody, of whole tracks however
    often they are looked at. top_k: candidates of a decision. actions: say what people do, too. trust_ids: the source
    follows people, and its ids are believed.
    """

    layout: Annotated[str, Meta(max_length=64)]
    fps: Annotated[float, Meta(gt=0, le=FPS_LIMIT)]
    units: Literal["pixels", "normalised", "metres"] = "pixels"
    aspect: Annotated[float, Meta(ge=0.1, le=10)] | None = None
    dims: Literal[2, 3] | None = None
    gallery: Name = "default"
    fpir: Rate | None = field(default=None, name="target_fpir")
    db: Decibels | None = None
    top_k: Count = 5
    actions: bool = False
    trust_ids: bool = False

    def rate(self) -> float | None:
        """The rate, or None for the calibration's own. Raises `InvalidRequest` for both at once."""
        return rate_of(self.fpir, self.db)

    def form(self) -> "Form":
        """Raises `UnknownLayout`, `InvalidRequest`."""
        units = Units(self.units)
        if units is Units.METRES and self.dims == 2:
            raise InvalidRequest("dims", "metres need three coordinates a joint")
        dims = self.dims or (3 if units is Units.METRES else 2)
        return Form(layout_named(self.layout), self.fps, units, self.aspect, dims, self.trust_ids)


@dataclass(frozen=True, slots=True)
class Form:
    """What every frame of a stream is like. trust_ids: everybody in it has an id."""

    layout: Layout
    fps: float
    units: Units = Units.PIXELS
    aspect: float | None = None
    dims: int = 2
    trust_ids: bool = False

    @property
    def stretch(self) -> float:
        return (self.aspect or 1.0) if self.units is Units.NORMALISED else 1.0

    def sequence(self, frames: np.ndarray) -> SkeletonSequence:
        """Frames (n, joints, coordinates + confidence) of one person."""
        return SkeletonSequence(frames[..., :-1], frames[..., -1], self.layout, self.fps, self.units, self.aspect)


class StreamFrame(Sent, frozen=True, kw_only=True):
    """Everybody in one frame, in any order; nobody is an empty list. frame: its number, or at: its time in seconds, as
    the camera has it, rising; the next one if neither is given."""

    people: list[Detection]
    frame: Number | None = None
    at: Annotated[float, Meta(ge=0, le=1e12)] | None = None


class StreamFrames(Sent, frozen=True):
    """Some frames, in order."""

    frames: Annotated[list[StreamFrame], Meta(min_length=1, max_length=MOST_FRAMES)]


class StreamMessage(Sent, frozen=True, kw_only=True):
    """A message of the socket: one frame, or several as `frames`. end: these were the last, end the stream."""

    people: list[Detection] | UnsetType = UNSET
    frame: Number | None = None
    at: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    frames: Annotated[list[StreamFrame], Meta(min_length=1, max_length=MOST_FRAMES)] | UnsetType = UNSET
    end: bool = False

    def each(self) -> list[StreamFrame]:
        """Raises `InvalidRequest` unless it is the one or the other."""
        if self.frames is not UNSET:
            if self.people is not UNSET or self.frame is not None or self.at is not None:
                raise InvalidRequest("frames", "is given alone")
            return self.frames
        if self.people is UNSET:
            if self.end and self.frame is None and self.at is None:
                return []
            raise InvalidRequest("people", "is missing: everybody in the frame, or an empty list")
        return [StreamFrame(people=self.people, frame=self.frame, at=self.at)]
