"""What must be in the store: a plain dictionary that follows the operations that were acknowledged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from gallery.enroll import make_ready
from gallery.vault import pack
from model.inference import embed
from model.sequence import Floats, SkeletonSequence
from tests.fakes import FakeEncoder, walking

DIM = 16
GALLERY = "staff"
TOKENS, SUBJECTS = 320, 40

# Of each subject, the tokens of its templates; a token names one sequence of one subject.
Contents: TypeAlias = dict[str, tuple[int, ...]]
Operation: TypeAlias = dict[str, Any]


class OneOfTwo(FakeEncoder):
    """One of two encoders whose embeddings have nothing to do with each other."""

    def __init__(self, number: int) -> None:
        super().__init__(DIM, name=f"encoder {number}")
        self._weights = np.random.default_rng(number).normal(size=self._weights.shape)


ENCODERS = {each.fingerprint: each for each in (OneOfTwo(0), OneOfTwo(1))}
FIRST, SECOND = ENCODERS


def subject_of(token: int) -> str:
    return f"s{token % SUBJECTS}"


@cache
def packed_of(token: int) -> bytes:
    """The token's sequence, as it goes to the vault."""
    return pack(sequence_of(token))


def prepare() -> None:
    """Make everything that tokens name, so that a life spends its time on the store."""
    for token in range(TOKENS):
        packed_of(token)
        for fingerprint in ENCODERS:
            embedding_of(token, fingerprint)


def sequence_of(token: int) -> SkeletonSequence:
    """The sequence that `token` names."""
    return walking(token % SUBJECTS, seed=token)


@cache
def embedding_of(token: int, fingerprint: str = FIRST) -> Floats:
    """Its embedding (dim,), unit length."""
    encoder = ENCODERS[fingerprint]
    found: Floats = embed(encoder, [make_ready(sequence_of(token), encoder).sequence])[0]
    return found


@dataclass
class Reference:
    contents: Contents = field(default_factory=dict)

    def after(self, operation: Operation) -> Contents:
        """The contents once `operation` is done, whole; those that only read change nothing."""
        after = dict(self.contents)
        match operation["do"]:
            case "enroll":
                for token in operation["tokens"]:  # one that is there already adds nothing
                    subject = subject_of(token)
                    after[subject] = tuple(sorted({*after.get(subject, ()), token}))
            case "erase subject":
                after.pop(operation["subject"], None)
            case "erase template":
                subject = operation["subject"]
                rest = list(after[subject])
                rest.remove(operation["token"])
                after[subject] = tuple(rest)
                if not rest:
                    del after[subject]
        return after

    def possible(self, unfinished: Operation | None) -> Iterator[Contents]:
        """What may be there after a kill: the acknowledged, and perhaps all of the one that was under way."""
        yield self.contents
        if unfinished is not None:
            yield self.after(unfinished)
