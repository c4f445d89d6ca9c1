"""The bodies that callers send, typed once: for decoding and for the documentation."""

from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from model.errors import InvalidSequence
from model.named_layouts import layout_named
from model.readers.document import what_is_wrong
from model.sequence import SkeletonSequence, Units

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Rate = Annotated[float, Meta(gt=0, lt=1, description="a false-positive identification rate, such as 0.01")]
Count = Annotated[int, Meta(ge=1)]


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that a caller sends: a key nobody knows is refused."""


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
            joints = _regular("joints", self.joints)
            if self.confidence is None:
                confidence = np.ones(joints.shape[:2], np.float32)
            else:
                confidence = _regular("confidence", self.confidence)
        return SkeletonSequence(joints, confidence, layout, self.fps, Units(self.units), self.aspect)


def _regular(field: str, rows: list[Any]) -> np.ndarray:
    try:
        return np.array(rows, np.float32)
    except ValueError as error:
        raise InvalidSequence(
            field, "every frame must have the same joints, and every joint the same numbers"
        ) from error


class SequenceRequest(Sent, frozen=True):
    """A body about one sequence."""

    sequence: Sequence


class IdentifyRequest(SequenceRequest, frozen=True):
    """Who is it? fpir: hold the answer to this false-positive identification rate, not to the calibration's own."""

    gallery: Name = "default"
    top_k: Count = 5
    fpir: Rate | None = None


class VerifyRequest(SequenceRequest, frozen=True):
    """Is it this subject? fpir: the false-match rate to hold the answer to."""

    subject: Name
    gallery: Name = "default"
    fpir: Rate | None = None


class ClassifyRequest(SequenceRequest, frozen=True):
    """What is this person doing?"""

    top_k: Count = 5


class EmbedRequest(SequenceRequest, frozen=True):
    """The embedding of a sequence, for a gallery of one's own."""


class EnrollRequest(SequenceRequest, frozen=True):
    """One more template of a subject. labels: anything worth knowing later, such as {"view": "090"}."""

    labels: dict[str, str] = {}


class CreateGallery(Sent, frozen=True):
    name: Name


T = TypeVar("T", bound=Sent)
_DECODERS: dict[type[Sent], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (IdentifyRequest, VerifyRequest, ClassifyRequest, EmbedRequest, EnrollRequest, CreateGallery)
}


def decode(kind: type[T], body: bytes) -> T:
    """`body` as `kind`. Raises msgspec's `ValidationError` (wrong content) or `DecodeError` (not JSON)."""
    try:
        found: T = _DECODERS[kind].decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(what_is_wrong(body, error)) from error
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"the body is not UTF-8 (byte {error.start})") from error
    return found
