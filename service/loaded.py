"""One model as it answers: what it takes and the call that runs it. Nothing of it changes; another one replaces it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.clips import ClipSpec
from model.layout import Layout
from model.runtime import Classifier, Encoder, clip_shape
from model.sequence import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """run: clips as `model.runtime.Encoder` takes them to rows (n, width). name: of its bundle. labels: of a
    classifier; dim: of an encoder's embeddings."""

    name: str
    fingerprint: str
    layout: Layout
    clip: ClipSpec
    run: Callable[[Floats], Floats]
    dim: int = 0
    labels: tuple[str, ...] = ()

    def warm(self) -> None:
        """Run it once: the first call of a model is slow; let it not be a caller's."""
        self.run(np.zeros(clip_shape(self.layout, self.clip, 1, self.clip.frames), np.float32))


def as_encoder(model: Loaded | Encoder, name: str = "encoder") -> Loaded:
    """An encoder as it answers; one that is so already stays as it is."""
    if isinstance(model, Loaded):
        return model
    return Loaded(name, model.fingerprint, model.layout, model.clip, model.embed_clips, dim=model.dim)


def as_classifier(model: Loaded | Classifier | None, name: str = "classifier") -> Loaded | None:
    """The same of a classifier, if there is one."""
    if model is None or isinstance(model, Loaded):
        return model
    return Loaded(name, model.fingerprint, model.layout, model.clip, model.probabilities, labels=model.labels)
