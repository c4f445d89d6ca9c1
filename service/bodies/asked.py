"""What is asked about sequences, typed once: for decoding and for the documentation."""

from itertools import chain
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType, field

from model.errors import InvalidRequest, InvalidSequence
from model.named_layouts import layout_named
from model.sequence import Floats, SkeletonSequence, Units
from service.wire import ConsentGiven, Count, Decibels, Name, Rate, Sent, rate_of


class Sequence(Sent, frozen=True):
    """The frames of one person. The same as gaitkeeper's JSON file.

    layout: name of the joints and their order. joints: [frame][joint][2 or 3 coordinates]. confidence:
    [frame][joint] in 0..1, where 0 means missing; 1 everywhere if not given. units: `pixels` (y down), `normalised`
    (x divided by image width, y by height; `aspect`, width / height, should be given) or `metres` (3-D, y up).
    """

    layout: str
    fps: Annotated[float, Meta(gt=0, le=1000)]
    joints: list[list[list[float]]]
    confidence: list[list[float]] | None = None
    units: Literal["pixels", "normalised", "metres"] = "pixels"
    aspect: float | None = None

    def checked(self) -> SkeletonSequence:
        """The sequence, valid by construction. Raises `InvalidSequence`, `UnknownLayout` or `LayoutMismatch`."""
        layout = layout_named(self.layout)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which is refused
            joints = _regular("joints", self.joints, list(chain.from_iterable(self.joints)))
            if self.confidence is None:
                confidence = np.ones(joints.shape[:2], np.float32)
            else:
                confidence = _regular("confidence", [self.confidence], self.confidence)[0]
        return SkeletonSequence(joints, confidence, layout, self.fps, Units(self.units), self.aspect)


def _regular(field: str, rows: list[Any], inner: list[list[float]]) -> Floats:
    """Lists of lists of numbers as an array (rows, ...), in two thirds of the time of `np.array`. inner: the lists of
    numbers, one after the other."""
    sizes, lengths = set(map(len, rows)), set(map(len, inner))
    if len(sizes) != 1 or len(lengths) != 1 or 0 in sizes | lengths:
        if sizes - {0} or lengths - {0}:
            raise InvalidSequence(field, "every frame must have the same joints, and every joint the same numbers")
        return np.array(rows, np.float32)
    shape = (len(rows), *sizes, *lengths)
    return np.fromiter(chain.from_iterable(inner), np.float32, len(inner) * shape[2]).reshape(shape)


class NamedSequence(Sequence, frozen=True, kw_only=True):
    """One of several sequences. name: what its answer is called; its number, from 1, if not given."""

    name: Name | None = None


class Detection(Sent, frozen=True, kw_only=True):
    """Whom a detector saw in one frame. joints: [joint][x, y(, z)]. confidence: [joint]; 1 everywhere if not given.
    id: the detector's own name for this person, if it follows people; given of all or of none."""

    joints: list[list[float]]
    confidence: list[float] | None = None
    id: Annotated[str, Meta(min_length=1, max_length=128)] | int | None = None


class People(Sent, frozen=True, kw_only=True):
    """Everybody that was seen, frame by frame, in any order: they are followed, and each is answered for. layout, fps,
    units, aspect: as of a sequence. An empty frame is a frame without anybody."""

    layout: str
    fps: Annotated[float, Meta(gt=0, le=1000)]
    frames: list[list[Detection]]
    units: Literal["pixels", "normalised", "metres"] = "pixels"
    aspect: float | None = None


# Each is decoded by itself, so that one which is wrong does not spoil the others.
OneOfSeveral = Annotated[
    msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/NamedSequence"}, description="a sequence")
]


class SequenceRequest(Sent, frozen=True):
    """A body about `sequence`; or about several `sequences`, or the `people` of some frames, with an answer for each.

    Just one of the three is given. Where the body is no JSON, it holds what these hold, and the rest is given in the
    address."""

    sequence: Sequence | UnsetType = UNSET
    sequences: Annotated[list[OneOfSeveral], Meta(min_length=1)] | UnsetType = UNSET
    people: People | UnsetType = UNSET

    def beside(self) -> tuple[SkeletonSequence, ...]:
        """Whoever is sent beside the one that the request is about."""
        return ()


class Held(SequenceRequest, frozen=True):
    """A body that may name the rate to hold its answer to: as `target_fpir`, or as `db`, -10 log10 of it."""

    gallery: Name = "default"
    fpir: Rate | None = field(default=None, name="target_fpir")
    db: Decibels | None = None

    def rate(self) -> float | None:
        """The rate, or None for the calibration's own. Raises `InvalidRequest` for both at once."""
        return rate_of(self.fpir, self.db)


class IdentifyRequest(Held, frozen=True):
    """Who is it? target_fpir, db: hold the answer to this false-positive identification rate, not to the calibration's
    own. within: search these subjects only. at_least: answer from this change of the gallery or a later one. timeline:
    the candidates' scores by each clip of the sequence, too."""

    top_k: Count = 5
    within: Annotated[list[Name], Meta(min_length=1, max_length=10_000)] | None = None
    at_least: Annotated[int, Meta(ge=0)] | None = None
    timeline: bool = False


class VerifyRequest(Held, frozen=True, kw_only=True):
    """Is it this subject? target_fpir, db: the false-match rate to hold the answer to."""

    subject: Name


class ClassifyRequest(SequenceRequest, frozen=True):
    """What is this person doing? others: who is seen in the same frames, for a bundle that takes several people at a
    time; each with as many frames, of the same layout, rate and units, and confidence 0 where nobody is there; beside
    one `sequence` only. timeline: the probabilities of each clip of the sequence, too."""

    top_k: Count = 5
    others: Annotated[list[Sequence], Meta(max_length=8)] = field(default_factory=list)
    timeline: bool = False

    def beside(self) -> tuple[SkeletonSequence, ...]:
        """Raises `InvalidRequest`, naming which."""
        if self.others and not isinstance(self.sequence, Sequence):
            raise InvalidRequest("others", "are given beside one `sequence` only")
        return tuple(self._other(self.sequence, place) for place in range(len(self.others)))

    def _other(self, sequence: Any, place: int) -> SkeletonSequence:
        other, name = self.others[place], f"others[{place}]"
        for key in ("layout", "fps", "units", "aspect"):
            if getattr(other, key) != getattr(sequence, key):
                raise InvalidRequest(f"{name}.{key}", "must be as in `sequence`")
        if len(other.joints) != len(sequence.joints):
            raise InvalidRequest(f"{name}.joints", "must have as many frames as `sequence`")
        try:
            return other.checked()
        except InvalidSequence as error:
            raise InvalidRequest(f"{name}.{error.field}", error.reason) from error


class EmbedRequest(SequenceRequest, frozen=True):
    """The embedding of a sequence, for a gallery of one's own."""


class EnrollRequest(SequenceRequest, frozen=True):
    """One more template of a subject. labels: anything worth knowing later, such as {"view": "090"}. consent: of the
    subject, from now on. force: enroll even who looks like somebody that is enrolled under another id."""

    labels: dict[str, str] = field(default_factory=dict)
    consent: ConsentGiven | None = None
    force: bool = False


class ReadRequest(SequenceRequest, frozen=True):
    """Sequences to be read and judged, and nothing else."""
