"""Bundles are opened again while the service answers: checked and run once, and only then put in the others' place."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

import structlog

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.store.audit import Note, append_many
from model.errors import Conflict, GaitkeeperError, InvalidBundle, InvalidRequest, ModelMissing
from service.engine.loaded import Loaded
from service.engine.models import Models

_log = structlog.get_logger("gaitkeeper")

GALLERIES_NAMED = 5


@dataclass(frozen=True, slots=True)
class Opened:
    """The models of a deployment, each of them run once. prior: the encoder's own calibration, if it has one."""

    encoder: Loaded
    classifier: Loaded | None
    prior: Calibration | None = None


class Reloading:
    """Puts what the deployment's bundles hold now in the place of the models that answer.

    open_models: opens and checks them; None where the models did not come from bundles.
    """

    def __init__(self, models: Models, library: Library, open_models: Callable[[], Opened] | None) -> None:
        self._models, self._library, self._open = models, library, open_models
        self._one_at_a_time = threading.Lock()

    def reload(self) -> list[str]:
        """Returns which of `encoder` and `classifier` were changed. It takes as long as to open and run them once, and
        what is asked meanwhile is answered by those before.

        Raises `Conflict` for a bundle that cannot be used or whose encoder another one's galleries need, and where a
        reload is under way; then nothing is changed.
        """
        if self._open is None:
            raise Conflict("models", "this service was not started with bundles that could be opened again")
        if not self._one_at_a_time.acquire(blocking=False):
            raise Conflict("models", "they are being opened already")
        try:
            opened = self._opened(self._open)
            about = {"encoder": opened.encoder.fingerprint, "bundle": opened.encoder.name}
            append_many(self._library.store, [Note("reload", detail=about)])
            return self._put(opened)
        finally:
            self._one_at_a_time.release()

    def reload_and_log(self) -> None:
        """The same where nobody waits for an answer: the log has it."""
        try:
            changed = self.reload()
        except GaitkeeperError as error:
            _log.error("the models are as they were", reason=str(error))
        except Exception:
            _log.exception("the models are as they were")
        else:
            _log.info("models were opened again", changed=changed)

    def adopt(self, encoder: Loaded, prior: Calibration | None) -> None:
        """Let the encoder that a migration was done with answer, at once. It must have been run once."""
        with self._one_at_a_time:
            self._put(Opened(encoder, None, prior))

    def _opened(self, open_models: Callable[[], Opened]) -> Opened:
        try:
            opened = open_models()
        except (InvalidBundle, ModelMissing, InvalidRequest) as error:
            raise Conflict("models", str(error)) from error
        self._check(opened.encoder)
        return opened

    def _check(self, encoder: Loaded) -> None:
        """Raises `Conflict` where galleries would be left without the encoder that their templates are of."""
        present = self._models.encoding.fingerprint
        if encoder.fingerprint == present:
            return
        left = [each.name for each in self._library.galleries() if each.fingerprint == present and each.templates]
        if left:
            names = ", ".join(left[:GALLERIES_NAMED]) + (", ..." if len(left) > GALLERIES_NAMED else "")
            raise Conflict(
                "encoder",
                f"{encoder.name} is another embedding space, and {len(left)} galleries hold templates of the present "
                f"one ({names}): embed them again first, with `gaitkeeper gallery migrate`",
            )

    def _put(self, opened: Opened) -> list[str]:
        before = (self._models.encoding.model, self._models.classifier)
        if opened.prior is not None:
            self._library.use_prior(opened.encoder.fingerprint, opened.prior)
        self._models.swap(opened.encoder, opened.classifier)
        return [
            task
            for task, old, new in zip(
                ("encoder", "classifier"), before, (opened.encoder, opened.classifier), strict=True
            )
            if new is not None and (old is None or old.fingerprint != new.fingerprint)
        ]


def reload_on_hangup(reloading: Reloading) -> None:
    """Let SIGHUP open the bundles again, in a thread of its own. To be called in the main thread."""

    def begin(number: int, frame: FrameType | None) -> None:
        del number, frame
        threading.Thread(target=reloading.reload_and_log, name="reload", daemon=True).start()

    signal.signal(signal.SIGHUP, begin)
