"""What an archive holds, as msgspec reads and writes it: nothing that is read can run anything."""

from typing import Any, TypeAlias

import msgspec


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gallery itself. store, gallery: where it came from (the store's id, the gallery's family there).

    calibration: JSON; source_key: what sources are hashed with; transform: of a protected gallery. Moments are
    microseconds since 1970.
    """

    store: str
    gallery: int
    name: str
    fingerprint: str
    dim: int
    created: int
    subjects: int
    templates: int
    skeletons: int
    vault_days: int | None
    protected: bool
    calibration: dict[str, Any] | None
    source_key: bytes
    transform: bytes | None


class SubjectRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="s", gc=False):
    """key: its number where it came from. metadata: JSON."""

    key: int
    name: str
    created: int
    consent: str | None
    purpose: str | None
    expires: int | None
    hold: str | None
    metadata: bytes | None


class TemplateRecord(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="t"):
    """Of the subject before it. embedding: float32, little-endian, as it was stored. source: keyed hash."""

    key: int
    embedding: bytes
    labels: dict[str, str]
    frames: int
    source: str | None
    created: int
    skeleton: bytes | None = None
    skeleton_expires: int | None = None


Record: TypeAlias = SubjectRecord | TemplateRecord
