"""What the store hands to caches and use cases, besides the values of `gallery/template.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gallery.keys.sealing import keyed_hash
from gallery.template import Gallery
from model.sequence import Floats

# The expiry, in microseconds since 1970, of whoever has none.
NEVER: Final = int(np.iinfo(np.int64).max)


class Change(StrEnum):
    """What a row of the change log says happened."""

    GALLERY_CREATED = "gallery_created"
    GALLERY_CHANGED = "gallery_changed"
    GALLERY_DELETED = "gallery_deleted"
    CALIBRATED = "calibrated"
    ENROLLED = "enrolled"
    TEMPLATE_ERASED = "template_erased"
    SUBJECT_CHANGED = "subject_changed"
    SUBJECT_ERASED = "subject_erased"


@dataclass(frozen=True, slots=True)
class Head:
    """A gallery as a cache needs to know it. key: never used again; seq: its last change.

    templates, content: how many there are, expired ones too, and the exclusive or of their marks. epoch:
    another one means that the store was restored from a backup, or that the gallery has a new transform, and nothing
    that was made before may be used.
    """

    key: int
    name: str
    fingerprint: str
    dim: int
    seq: int
    templates: int = 0
    content: int = 0
    epoch: int = 0
    protected: bool = False
    vault_days: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Templates by rising id. ids, subjects: (n,) keys; embeddings: (n, dim); marks: (n,), name the sealed content;
    expires: (n,) microseconds since 1970, `NEVER` where the subject has no expiry."""

    ids: NDArray[np.int64]
    subjects: NDArray[np.int64]
    embeddings: Floats
    marks: NDArray[np.int64]
    expires: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What happened to a gallery up to change `seq`: templates that came, ids of templates that went, whether its
    calibration changed, and the subjects whose consent, hold or name changed, with the expiry that each has now."""

    seq: int
    added: Rows
    removed: NDArray[np.int64]
    recalibrated: bool
    changed_subjects: NDArray[np.int64]
    changed_expires: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one new template: its id, or None because this source was enrolled for this subject before."""

    template: int | None

    @property
    def repeated(self) -> bool:
        return self.template is None


@dataclass(frozen=True, slots=True)
class Details:
    """A gallery and its own calibration, if it has one."""

    gallery: Gallery
    calibration: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, in keys: what is erased leaves no name behind.

    whole: the subject, or only `templates` of it (of all generations of its gallery). seq: the change that says so.
    generation: the newest snapshot key that may seal what was erased, None if there was none. state: `withheld` from
    every answer, then `destroyed` for good at `destroyed`. subject: 0 where the whole gallery was deleted.
    """

    id: str
    gallery: int
    subject: int
    whole: bool
    templates: tuple[int, ...]
    seq: int
    generation: int | None
    state: str
    at: datetime
    destroyed: datetime | None = None


class Sources:
    """(subject, source) of what is enrolled: asked with `in`, since only keyed hashes of the sources are kept."""

    def __init__(self, key: bytes, held: Iterable[tuple[str, str]]) -> None:
        self._key, self._held = key, set(held)

    def __contains__(self, asked: tuple[str, str]) -> bool:
        return (asked[0], keyed_hash(self._key, asked[1])) in self._held

    def __len__(self) -> int:
        return len(self._held)

    def add(self, enrolled: tuple[str, str]) -> None:
        self._held.add((enrolled[0], keyed_hash(self._key, enrolled[1])))
