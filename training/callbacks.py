"""What happens around an epoch: checkpoints and figures are kept, and people see how far it is."""

import shutil
import time
from pathlib import Path
from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from training.loop import Training
from training.run import BEST, LAST, read_about, save_weights, write_about


class Keeper(L.Callback):
    """After each epoch: last.ckpt, and after a better one best.ckpt and weights.pt; each whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path
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
        self._save(trainer, self.path / LAST)
        if better:
            save_weights(self.path, pl_module.best_network)
            _copy(self.path / LAST, self.path / BEST)
        self._note(trainer, pl_module.scores, better=better)

    def _save(self, trainer: L.Trainer, path: Path) -> None:
        part = path.with_name(f".{path.name}.part")
        trainer.save_checkpoint(part)
        part.replace(path)

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


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)


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
