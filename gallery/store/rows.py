"""What the store hands to caches and use cases, besides the values of `gallery/template.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.template import Gallery
from model.sequence import Floats


class Change(StrEnum):
    """What a row of the change log says happened."""

    GALLERY_CREATED = "gallery_created"
    GALLERY_DELETED = "gallery_deleted"
    CALIBRATED = "calibrated"
    ENROLLED = "enrolled"
    TEMPLATE_ERASED = "template_erased"
    SUBJECT_ERASED = "subject_erased"


@dataclass(frozen=True, slots=True)
class Head:
    """A gallery as a cache needs to know it. key: never used again; seq: its last change."""

    key: int
    name: str
    fingerprint: str
    dim: int
    seq: int


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Templates by rising id. ids, subjects: (n,) keys; embeddings: (n, dim)."""

    ids: NDArray[np.int64]
    subjects: NDArray[np.int64]
    embeddings: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What happened to a gallery up to change `seq`: templates that came, ids of templates that went, and whether
    its calibration changed."""

    seq: int
    added: Rows
    removed: NDArray[np.int64]
    recalibrated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A template as it is in the store at this moment."""

    subject: str
    embedding: Floats


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
