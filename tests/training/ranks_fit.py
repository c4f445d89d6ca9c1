"""What each of two processes does in `test_distributed`: train, as under torchrun, and write down what it holds."""

import io
import os
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

import training.fit
from tests.training.small import small_recipe, small_set
from training.loop import Training
from training.split import split

SECTIONS: dict[str, dict[str, Any]] = {
    "augment": {"speed": 0.1, "noise": 0.01},
    "optim": {
        "epochs": 4, "steps": 3, "lr": 0.01, "ema": 0.9, "accumulate": 2, "lr_batch": 8, "patience": 3,
        "keep_epochs": [1, 4],
    },
    "validation": {"batch": 12, "clips": 2},
}  # fmt: skip

RUNS: dict[str, list[int | None]] = {"whole": [None], "stopped": [2, None]}


class Recorded(Training):
    """The last one that was made, to look into."""

    last: Training

    def __init__(self, *arguments):
        super().__init__(*arguments)
        Recorded.last = self


def work(rank: int, world: int, port: int, folder: Path) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(world), "LOCAL_WORLD_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "TORCHELASTIC_RUN_ID": "test",
        "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    vars(training.fit)["Training"] = Recorded
    try:
        for name, stops in RUNS.items():
            _train(folder / name, stops)
            torch.save(
                {"state": Recorded.last.state_dict(), "scores": Recorded.last.scores}, folder / f"{name}-{rank}.pt"
            )
    finally:
        torch.distributed.destroy_process_group()


def _train(out: Path, stops: list[int | None]) -> None:
    recipe = small_recipe(**SECTIONS)
    data = split(small_set(), recipe)
    for resume, until in enumerate(stops):
        console = Console(file=io.StringIO())
        training.fit.fit(recipe, out, data=data, resume=bool(resume), until=until, console=console)
