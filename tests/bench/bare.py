"""What the service is held against: clips that are ready, encoded and searched in this process, on the same data."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.bundle import Bundle
from model.clips import to_clips, unit_length
from model.runtime import OnnxEncoder
from model.sequence import SkeletonSequence

TEMPLATES, SUBJECTS = 10_000, 5_000
# Of one call of the encoder, here and in the service: with one, the other processor is free to decode and search.
THREADS = 1


class Bare:
    """A library of random templates in `folder`, and probes of one clip each."""

    def __init__(self, bundle: Bundle, folder: Path, probes: Sequence[SkeletonSequence]) -> None:
        self._encoder = OnnxEncoder(bundle, threads=THREADS)
        clips = [to_clips(probe, self._encoder.clip, self._encoder.layout) for probe in probes]
        assert all(len(each) == 1 for each in clips)
        self._clips = np.concatenate(clips)
        prior = bundle.calibration_json()
        priors = {bundle.fingerprint: Calibration.from_json(prior)} if prior else {}
        self._library = Library(open_store(folder), priors=priors)
        self._library.create("default", fingerprint=bundle.fingerprint, dim=self._encoder.dim)
        vectors = np.random.default_rng(0).normal(size=(TEMPLATES, self._encoder.dim)).astype(np.float32)
        new = [NewTemplate(f"subject-{place % SUBJECTS}", vector) for place, vector in enumerate(unit_length(vectors))]
        self._library.enroll("default", new, fingerprint=bundle.fingerprint)

    def identify(self, which: Sequence[int]) -> list[float]:
        """Score of the best candidate of each probe."""
        embeddings = unit_length(self._encoder.embed_clips(self._clips[which]))
        found = self._library.identify("default", embeddings, fingerprint=self._encoder.fingerprint)
        return [decision.candidates[0].score for decision in found]

    def close(self) -> None:
        self._library.close()
