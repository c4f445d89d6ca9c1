"""One model as it answers: what it takes and the call that runs it. Nothing of it changes; another one replaces it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from gallery.template import now
from model.clips import ClipSpec
from model.execution import MOST_CLIPS
from model.layout import Layout
from model.runtime import Classifier, Encoder, clip_shape
from model.sequence import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """run: clips as `model.runtime.Encoder` takes them to rows (n, width). name: of its bundle. labels: of a
    classifier; dim: of an encoder's embeddings. runs_on: what runs it, first choice first. at_once: clips that it runs
    at a time; more of them take as much longer. since: when it was opened.
    """

    name: str
    fingerprint: str
    layout: Layout
    clip: ClipSpec
    run: Callable[[Floats], Floats]
    dim: int = 0
    labels: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    at_once: int = MOST_CLIPS
    since: datetime = field(default_factory=now)

    def warm(self) -> None:
        """Run it once: the first call of a model is slow; let it not be a caller's."""
        self.run(np.zeros(clip_shape(self.layout, self.clip, 1, self.clip.frames), np.float32))


def as_encoder(model: Loaded | Encoder, name: str = "encoder") -> Loaded:
    """An encoder as it answers; one that is so already stays as it is."""
    if isinstance(model, Loaded):
        return model
    about = (name, model.fingerprint, model.layout, model.clip, model.embed_clips)
    return Loaded(*about, dim=model.dim, **_running(model))


def as_classifier(model: Loaded | Classifier | None, name: str = "classifier") -> Loaded | None:
    """The same of a classifier, if there is one."""
    if model is None or isinstance(model, Loaded):
        return model
    about = (name, model.fingerprint, model.layout, model.clip, model.probabilities)
    return Loaded(*about, labels=model.labels, **_running(model))


def _running(model: Encoder | Classifier) -> dict[str, Any]:
    """What a model says of how it is run, if it does."""
    return {"runs_on": getattr(model, "providers", ()), "at_once": getattr(model, "at_once", MOST_CLIPS)}
