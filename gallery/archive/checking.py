"""What an archive says, checked like anything that comes from outside."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from gallery.calibration import Calibration
from gallery.keys.sealing import KEY_BYTES
from gallery.keys.transform import from_bytes
from gallery.store.records import Facts, Record, SubjectRecord, TemplateRecord
from gallery.store.writing import METADATA_LIMIT
from gallery.template import (
    LABEL_LENGTH,
    UNIT_TOLERANCE,
    Consent,
    Gallery,
    check_id,
    check_labels,
    check_name,
)
from gallery.vault import MAGIC
from model.errors import GaitkeeperError, InvalidArchive

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
# `frames` is a column of 32 bits.
_MOST = 2**40
_MOST_FRAMES = 2**31 - 1


class Checker:
    """Checks an archive's records in their order. Everything raises `InvalidArchive` for `source`."""

    def __init__(self, source: str, facts: Facts, manifest: Mapping[str, Any]) -> None:
        self._source, self._facts = source, facts
        self._subjects = self._templates = self._skeletons = 0
        with self._as_invalid():
            self._check_facts(manifest)

    def gallery(self, name: str | None) -> Gallery:
        """The gallery that it becomes, under its own name or another one."""
        facts = self._facts
        with self._as_invalid():
            return Gallery(
                name or facts.name,
                facts.fingerprint,
                facts.dim,
                _when(facts.created),
                vault_days=facts.vault_days,
                protected=facts.protected,
            )

    def check(self, records: Sequence[Record]) -> None:
        templates = []
        with self._as_invalid():
            for record in records:
                if isinstance(record, SubjectRecord):
                    self._check_subject(record)
                else:
                    self._check_template(record)
                    templates.append(record)
            self._check_embeddings(templates)

    def finish(self) -> None:
        """All that was promised has come."""
        facts = self._facts
        if (self._subjects, self._templates, self._skeletons) != (facts.subjects, facts.templates, facts.skeletons):
            self._refuse("holds more or less than it says")

    def _check_facts(self, manifest: Mapping[str, Any]) -> None:
        facts = self._facts
        for name, value in told(facts).items():
            if manifest.get(name) != value:
                self._refuse(f"its manifest says something else of {name}")
        counts = (facts.subjects, facts.templates, facts.skeletons)
        if min(counts) < 0 or max(counts) > _MOST or len(facts.source_key) != KEY_BYTES:
            self._refuse("says something impossible of itself")
        if facts.protected != (facts.transform is not None):
            self._refuse("has a transform and is not protected, or the other way round")
        if facts.transform is not None:
            from_bytes(facts.transform, facts.dim)
        if facts.calibration is not None:
            Calibration.from_json(facts.calibration)

    def _check_subject(self, record: SubjectRecord) -> None:
        self._subjects += 1
        if self._subjects > self._facts.subjects:
            self._refuse("holds more subjects than it says")
        check_id("subject", record.name)
        _when(record.created)
        Consent(record.consent, record.purpose, None if record.expires is None else _when(record.expires))
        if record.hold is not None:
            check_name("hold", record.hold, LABEL_LENGTH)
        if record.metadata is not None:
            if len(record.metadata) > METADATA_LIMIT:
                self._refuse("holds metadata that is too long")
            msgspec.json.decode(record.metadata, type=dict[str, Any])

    def _check_template(self, record: TemplateRecord) -> None:
        self._templates += 1
        self._skeletons += record.skeleton is not None
        if not self._subjects or self._templates > self._facts.templates:
            self._refuse("holds a template of nobody, or more than it says")
        check_labels(record.labels)
        _when(record.created)
        if record.source is not None:
            check_name("source", record.source)
        if not 0 <= record.frames <= _MOST_FRAMES or len(record.embedding) != 4 * self._facts.dim:
            self._refuse("holds a template of the wrong size")
        if (record.skeleton is None) != (record.skeleton_expires is None):
            self._refuse("holds a sequence without an end")
        if record.skeleton is not None and record.skeleton_expires is not None:
            _when(record.skeleton_expires)
            if self._facts.vault_days is None or not record.skeleton.startswith(MAGIC):
                self._refuse("holds a sequence that is none, or that its gallery does not keep")

    def _check_embeddings(self, records: Sequence[TemplateRecord]) -> None:
        joined = b"".join(record.embedding for record in records)
        vectors = np.frombuffer(joined, "<f4").reshape(len(records), self._facts.dim).astype(np.float64)
        with np.errstate(all="ignore"):
            off = np.abs(np.linalg.norm(vectors, axis=1) - 1)
        if not (off <= UNIT_TOLERANCE).all():  # a NaN is not
            self._refuse("holds an embedding that is not finite or not of unit length")

    def _refuse(self, reason: str) -> None:
        raise InvalidArchive(self._source, reason)

    @contextmanager
    def _as_invalid(self) -> Iterator[None]:
        try:
            yield
        except InvalidArchive:
            raise
        except (GaitkeeperError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise InvalidArchive(self._source, f"holds what no gallery would: {error}") from None


def told(facts: Facts) -> dict[str, Any]:
    """What a manifest says of a gallery: nothing secret, and nothing of its subjects."""
    names = ("store", "gallery", "name", "fingerprint", "dim", "subjects", "templates", "skeletons", "protected")
    return {name: getattr(facts, name) for name in names}


def _when(moment: int) -> datetime:
    if not 0 <= moment <= _LATEST:
        raise ValueError("a moment that is none")
    return _EPOCH + timedelta(microseconds=moment)
