"""What a body holds, whatever its media type: what is asked, and the sequences that it is asked about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from model.errors import GaitkeeperError, LimitExceeded
from model.sequence import SkeletonSequence
from service.bodies.asked import SequenceRequest
from service.settings import Limits

Q = TypeVar("Q", bound=SequenceRequest)


@dataclass(frozen=True, slots=True, eq=False)
class Submitted:
    """One sequence of a body, or why it is none. notes: what was assumed to read it, and is uncertain in it.
    first_frame: where it begins in its recording. alone: whether nobody else is in its recording."""

    name: str
    sequence: SkeletonSequence | GaitkeeperError
    notes: tuple[str, ...] = ()
    first_frame: int = 0
    alone: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Body(Generic[Q]):
    """asked: all but the sequences. submitted: these; of several, each is made when it is asked for, which may take
    long and raise what is wrong with the body. several: whether the answer is one for each, by name, even if there is
    just one. beside: whoever was sent beside the only one."""

    asked: Q
    submitted: Iterable[Submitted]
    several: bool = False
    beside: tuple[SkeletonSequence, ...] = ()

    @classmethod
    def of_one(cls, asked: Q, sequence: SkeletonSequence, beside: tuple[SkeletonSequence, ...] = ()) -> "Body[Q]":
        return cls(asked, (Submitted("1", sequence),), beside=beside)


class Frames:
    """Counts the frames of all sequences of one request, each before it is made."""

    def __init__(self, limits: Limits) -> None:
        self._most, self._seen = limits.frames, 0

    def add(self, frames: int, field: str) -> None:
        """Raises `LimitExceeded` where there are more than a request may have."""
        self._seen += frames
        if self._seen > self._most:
            raise LimitExceeded(f"{field} (frames)", self._most, self._seen)


def check_count(count: int, field: str, limits: Limits) -> None:
    """Raises `LimitExceeded` for more sequences than one request may ask about."""
    if count > limits.sequences:
        raise LimitExceeded(f"{field} (sequences)", limits.sequences, count)
