"""What happens around an epoch: checkpoints and figures are kept, and people see how far it is."""

import math
import shutil
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from model.network.aclnet import AclNet
from training.loop import Training
from training.run import BEST, LAST, epoch_file, read_about, save_weights, whole, write_about


class Keeper(L.Callback):
    """After each epoch: weights.pt and best.ckpt if it is the best so far, and last.ckpt.

    last.ckpt comes last: whatever stops the process before, the epoch is done again, to the same numbers.
    """

    def __init__(self, path: Path, keep_epochs: tuple[int, ...] = (), patience: int | None = None) -> None:
        self.path, self.keep_epochs, self.patience = path, keep_epochs, patience
        self.best: float | None = None
        self.stale = 0  # validations since the best

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "stale": self.stale}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.stale = state_dict["best"], state_dict.get("stale", 0)

    def why_ended(self, epoch: int, epochs: int) -> str | None:
        """After `epoch` of `epochs` epochs: "epochs", "patience", or None as long as there is more to do."""
        if epoch >= epochs:
            return "epochs"
        return "patience" if self._out_of_patience() else None

    def on_train_start(self, trainer: L.Trainer, _: L.LightningModule) -> None:
        trainer.should_stop = self._out_of_patience()  # if it was stopped before it could say so

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        better = self._judge(pl_module)
        with whole(self.path / LAST) if trainer.is_global_zero else nullcontext(self.path / LAST) as checkpoint:
            trainer.save_checkpoint(checkpoint)  # all processes come together here, the first one writes
            if trainer.is_global_zero:
                self._keep(trainer.current_epoch + 1, pl_module.best_network, checkpoint, better=better)
                self._note(trainer, pl_module.scores, better=better)
        trainer.should_stop = self._out_of_patience()

    def _judge(self, module: Training) -> bool:
        """Whether this epoch is the best so far."""
        if module.held_out is None:
            return True  # the last epoch is the best there is to know of
        if not module.scores:
            return False
        better = self.best is None or module.scores["score"] > self.best
        self.best = module.scores["score"] if better else self.best
        self.stale = 0 if better else self.stale + 1
        return better

    def _out_of_patience(self) -> bool:
        return self.patience is not None and self.stale >= self.patience

    def _keep(self, epoch: int, network: AclNet, checkpoint: Path, *, better: bool) -> None:
        if epoch in self.keep_epochs:
            save_weights(self.path, network, epoch_file(epoch))
        if better:
            save_weights(self.path, network)
            with whole(self.path / BEST) as best:
                shutil.copyfile(checkpoint, best)

    def _note(self, trainer: L.Trainer, scores: dict[str, float], *, better: bool) -> None:
        about = read_about(self.path)
        epoch = trainer.current_epoch
        entry = {"epoch": epoch, "train": trained(trainer), "held_out": rounded(scores)}
        about["epochs"] = [earlier for earlier in about["epochs"] if earlier["epoch"] < epoch] + [entry]
        about["best"] = entry if better else about["best"]
        write_about(self.path, about)


def trained(trainer: L.Trainer) -> dict[str, float]:
    """Means over the epoch of the loss, its terms and the training accuracy."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    return rounded({name.removeprefix("train/"): v for name, v in metrics.items() if name.startswith("train/")})


def rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in figures.items()}


class Watch(L.Callback):
    """A bar with clips a second and the time left on a terminal; one line for each epoch anywhere."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress: Progress | None = None
        self.task = TaskID(0)
        self.clips, self.began, self.spent, self.steps = 0, 0.0, 0.0, 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        self.steps = pl_module.batches.steps
        total = (trainer.max_epochs or 1) * self.steps
        bar = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self.progress = Progress(*bar, console=self.console, disable=not self.console.is_terminal)
        done = trainer.current_epoch * self.steps
        self.task = self.progress.add_task("training", total=total, rate="", completed=done)
        self.progress.start()
        self.clips, self.began = 0, time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, _outputs: object, _batch: object, batch_idx: int
    ) -> None:  # fmt: skip
        assert isinstance(pl_module, Training)
        assert self.progress is not None
        self.clips += pl_module.batches.size
        self.spent = time.monotonic() - self.began
        text = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        done = trainer.current_epoch * self.steps + batch_idx + 1
        self.progress.update(self.task, description=text, completed=done, rate=f"{self._rate():.0f} clips/s")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        values = "  ".join(f"{name} {value:.4g}" for name, value in (trained(trainer) | pl_module.scores).items())
        self.console.print(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {self._rate():.0f} clips/s  {values}",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        if not math.isfinite(trained(trainer).get("loss", 0.0)):
            lost = "the loss is no number any more, and will not be one again: train anew with a smaller optim.lr"
            self.console.print(lost, style="bold red", highlight=False, soft_wrap=True)
        self.clips, self.began = 0, time.monotonic()

    def on_train_end(self, *_: object) -> None:
        self._stop()

    def on_exception(self, *_: object) -> None:
        self._stop()

    def _rate(self) -> float:
        """Clips a second of this epoch's training; validation is not counted."""
        return self.clips / max(self.spent, 1e-9)

    def _stop(self) -> None:
        if self.progress is not None:
            self.progress.stop()
