"""What happens around an epoch: checkpoints and figures are kept, and people see how far it is."""

import shutil
import time
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

    def __init__(self, path: Path, keep_epochs: tuple[int, ...] = ()) -> None:
        self.path, self.keep_epochs = path, keep_epochs
        self.best: float | None = None

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        score = pl_module.scores.get("score")
        # Without anything held out the last epoch is the best there is to know of.
        better = pl_module.held_out is None or (score is not None and (self.best is None or score > self.best))
        if better:
            self.best = score
        with whole(self.path / LAST) as checkpoint:
            trainer.save_checkpoint(checkpoint)
            self._keep(trainer.current_epoch + 1, pl_module.best_network, checkpoint, better=better)
            self._note(trainer, pl_module.scores, better=better)

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
        self.clips, self.began, self.steps = 0, 0.0, 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        self.steps = pl_module.batches.steps
        total = (trainer.max_epochs or 1) * self.steps
        bar = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self.progress = Progress(*bar, console=self.console, disable=not self.console.is_terminal)
        self.task = self.progress.add_task("training", total=total, rate="", completed=trainer.global_step)
        self.progress.start()
        self.clips, self.began = 0, time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: object) -> None:
        assert isinstance(pl_module, Training)
        assert self.progress is not None
        self.clips += pl_module.batches.size
        text = f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}"
        self.progress.update(
            self.task, description=text, completed=trainer.global_step, rate=f"{self._rate():.0f} clips/s"
        )

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Training)
        values = "  ".join(f"{name} {value:.4g}" for name, value in (trained(trainer) | pl_module.scores).items())
        self.console.print(
            f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {self._rate():.0f} clips/s  {values}",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
        self.clips, self.began = 0, time.monotonic()

    def on_train_end(self, *_: object) -> None:
        self._stop()

    def on_exception(self, *_: object) -> None:
        self._stop()

    def _rate(self) -> float:
        return self.clips / max(time.monotonic() - self.began, 1e-9)

    def _stop(self) -> None:
        if self.progress is not None:
            self.progress.stop()
