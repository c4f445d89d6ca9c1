"""The models that answer now, each behind a stage of its own: they are replaced while requests run.

A probe keeps the model that it was made ready for, and its clips are run by that one: a request in flight finishes on
the model that it began with, and the old one goes with the last of them.
"""

from typing import Any

from model.errors import ModelMissing
from service.engine.batcher import Batcher
from service.engine.loaded import Loaded
from service.engine.stage import Stage
from service.operation.metrics import Metrics
from service.settings import Limits


class Models:
    """The encoder's stage and the classifier's, if there is one."""

    def __init__(self, encoder: Loaded, classifier: Loaded | None, limits: Limits, metrics: Metrics) -> None:
        self.encoding = Stage("encode", encoder, limits, metrics, walking=True)
        self._labelling = Stage("classify", classifier, limits, metrics, walking=False) if classifier else None

    @property
    def labelling(self) -> Stage:
        """The classifier's stage. Raises `ModelMissing` if none was opened."""
        if self._labelling is None:
            raise ModelMissing("of this service", "classifier")
        return self._labelling

    @property
    def classifier(self) -> Loaded | None:
        return None if self._labelling is None else self._labelling.model

    @property
    def batchers(self) -> dict[str, Batcher[Any, Any]]:
        found: dict[str, Batcher[Any, Any]] = {"encoder": self.encoding.batcher}
        if self._labelling is not None:
            found["classifier"] = self._labelling.batcher
        return found

    def swap(self, encoder: Loaded, classifier: Loaded | None) -> None:
        """From now on these answer whoever asks; what was begun goes on with those before."""
        self.encoding.model = encoder
        if self._labelling is not None and classifier is not None:
            self._labelling.model = classifier

    def close(self) -> None:
        """Finish what was accepted."""
        for batcher in self.batchers.values():
            batcher.close()
