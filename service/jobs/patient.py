"""An encoder for work that can wait: in small pieces, each when nobody who waits for an answer is in the queue."""

import asyncio
import time
from collections.abc import Callable

import numpy as np

from model.errors import Overloaded
from model.sequence import Floats
from service.engine.loaded import Loaded
from service.engine.stage import Stage

# Clips of one call: some milliseconds, for which whoever comes just then has to wait.
PIECE = 4
# On a busy service a piece is run after so long all the same: long work gets on, slowly.
PATIENCE_S = 0.25
_LOOK_EVERY_S = 0.002
_FULL_S = 0.05


class PatientEncoder:
    """`model.runtime.Encoder` of a model that also answers requests, or runs beside one that does.

    run: a piece of clips to rows. busy: whether somebody waits for an answer. check: called between pieces; what it
    raises ends the work.
    """

    def __init__(
        self,
        model: Loaded,
        run: Callable[[Floats], Floats],
        busy: Callable[[], bool],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.fingerprint, self.layout, self.clip, self.dim = model.fingerprint, model.layout, model.clip, model.dim
        self._run, self._busy, self._check = run, busy, check

    def embed_clips(self, clips: Floats) -> Floats:
        """Clips (n, ...) to rows (n, dim)."""
        if not len(clips):
            return np.empty((0, self.dim), np.float32)
        return np.concatenate([self._piece(clips[start : start + PIECE]) for start in range(0, len(clips), PIECE)])

    def _piece(self, clips: Floats) -> Floats:
        until = time.monotonic() + PATIENCE_S
        while True:
            self._check()
            while self._busy() and time.monotonic() < until:
                time.sleep(_LOOK_EVERY_S)
            try:
                return self._run(clips)
            except Overloaded:  # the queue is full of those who are served first
                time.sleep(_FULL_S)


def patient_encoder(stage: Stage, check: Callable[[], None]) -> PatientEncoder:
    """The encoder that answers now, through the queue that requests share."""
    model = stage.model
    return PatientEncoder(
        model, lambda clips: asyncio.run(stage.rows(clips, model)), lambda: stage.batcher.waiting > 0, check
    )


def beside(model: Loaded, stage: Stage, check: Callable[[], None]) -> PatientEncoder:
    """Another encoder, which runs while the stage's own has nothing to do."""
    return PatientEncoder(model, model.run, lambda: stage.batcher.waiting > 0, check)
