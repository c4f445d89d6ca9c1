"""The service that the console is tried on: the shipped bundles, and galleries with something to see in each.

| gallery | what is in it |
|---|---|
| `default` | the shipped walkers |
| `vault` | the same, with their skeletons |
| `entrance` | 120 made-up subjects with 4 templates each, over views and conditions, and a calibration of its own |
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np

from gallery.calibration_data import calibrate_gallery
from gallery.library import Library
from gallery.template import Consent, NewTemplate
from gallery.vault import pack, source_of
from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.clips import unit_length
from model.inference import embed
from model.prepare import prepare
from model.runtime import Encoder, OnnxEncoder
from service import samples
from service.app import create_app
from service.bodies.asked import Sequence
from service.engine.opening import open_engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings

SUBJECTS = 120
VIEWS = ("036", "090", "126", "144")
CONDITIONS = ("nm", "bg", "cl", "nm")
SPREAD = np.array([0.063, 0.069, 0.079, 0.063])  # a coat hides more than a bag


@dataclass(frozen=True)
class Stand:
    """address: of the service, without a slash at its end. library: of its galleries, for what a test prepares."""

    address: str
    library: Library
    fingerprint: str


@contextmanager
def standing(data: Path) -> Iterator[Stand]:
    """The service, on this machine only, with `data` as its directory."""
    settings = Settings.read({}, data=data, port=0, access="loopback", threads=1)
    engine = open_engine(settings, Metrics())
    encoder = OnnxEncoder(open_bundle(shipped(DEFAULT_ENCODER)), threads=1)
    engine.library.create("vault", fingerprint=encoder.fingerprint, dim=encoder.dim, vault_days=30)
    engine.library.create("entrance", fingerprint=encoder.fingerprint, dim=encoder.dim)
    _enroll_walkers(engine.library, encoder)
    _enroll_entrance(engine.library, encoder)
    with running(create_app(settings, engine), settings) as address:
        yield Stand(address, engine.library, encoder.fingerprint)


def _enroll_walkers(library: Library, encoder: Encoder) -> None:
    ready, new = [], []
    for path, sample in samples.shipped().of("enroll"):
        sequence = msgspec.json.decode(samples.sequence_in(path), type=Sequence).checked()
        ready.append(prepare(sequence, encoder.layout, encoder.clip).sequence)
        new.append((sample.subject or "", sample.labels, sequence))
    embeddings = embed(encoder, ready)
    for gallery, kept in (("default", False), ("vault", True)):
        library.enroll(
            gallery,
            [
                NewTemplate(
                    subject, row, labels, sequence.frames, source_of(sequence), pack(sequence) if kept else None
                )
                for (subject, labels, sequence), row in zip(new, embeddings, strict=True)
            ],
            fingerprint=encoder.fingerprint,
        )


def _enroll_entrance(library: Library, encoder: Encoder) -> None:
    """Directions spread about a direction of each subject's own, so that some strangers look alike."""
    rng = np.random.default_rng(5)
    own = unit_length(rng.normal(size=(SUBJECTS, encoder.dim)).astype(np.float32) + 1.0)
    spread = SPREAD[:, None] * rng.normal(size=(SUBJECTS, len(VIEWS), encoder.dim))
    rows = unit_length((own[:, None] + spread).astype(np.float32).reshape(-1, encoder.dim))
    rows = rows.reshape(SUBJECTS, len(VIEWS), -1)
    for subject in range(SUBJECTS):
        expires = datetime.now(UTC) + timedelta(days=5 + 30 * (subject % 5))
        new = [
            NewTemplate(f"s{subject:03}", rows[subject, i], {"view": VIEWS[i], "condition": CONDITIONS[i]}, 60)
            for i in range(len(VIEWS))
            if (subject + i) % 7  # some views are missing of some
        ]
        consent = Consent(f"form {subject}", "entrance", expires) if subject % 3 else None
        library.enroll("entrance", new, fingerprint=encoder.fingerprint, consent=consent)
    library.set_calibration("entrance", calibrate_gallery(library, "entrance", by=("condition", "view")))
