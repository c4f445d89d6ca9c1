"""What must be in the store: a plain dictionary that follows the operations that were acknowledged."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from model.clips import unit_length
from model.sequence import Floats

DIM = 16
GALLERY = "staff"

# Of each subject, the tokens of its templates; a token names one embedding.
Contents: TypeAlias = dict[str, tuple[int, ...]]
Operation: TypeAlias = dict[str, Any]


def embedding_of(token: int) -> Floats:
    """The embedding (dim,) that `token` names, unit length."""
    found: Floats = unit_length(np.random.default_rng(token).standard_normal((1, DIM)).astype(np.float32))[0]
    return found


@dataclass
class Reference:
    contents: Contents = field(default_factory=dict)

    def after(self, operation: Operation) -> Contents:
        """The contents once `operation` is done, whole; those that only read change nothing."""
        after = dict(self.contents)
        match operation["do"]:
            case "enroll":
                for subject, token in operation["templates"]:
                    after[subject] = tuple(sorted((*after.get(subject, ()), token)))
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
