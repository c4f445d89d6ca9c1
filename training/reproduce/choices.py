"""What was asked for on the command line of `gaitkeeper reproduce`."""

from dataclasses import dataclass
from pathlib import Path

STREAMS = ("j", "b", "k", "jm", "bm", "km")
RUNS, OUT = Path("runs/reproduce"), Path("results/reproduce")


@dataclass(frozen=True, slots=True)
class Choices:
    """data: where the data sets lie; None: where the recipe says. runs: below it a directory a run. out: for results.
    recipe: another than the table's own. epochs, limit: a smaller dose. seeds: None is what the table asks for.
    variants: of the ablation; None is the paper's five. settings: changes to the recipe, KEY=VALUE.
    only_test: train nothing, test what is trained. only_report: train and test nothing, use what is there.
    devices: that share every batch.
    """

    data: Path | None = None
    runs: Path = RUNS
    out: Path = OUT
    recipe: Path | None = None
    epochs: int | None = None
    limit: int | None = None
    seeds: tuple[int, ...] | None = None
    streams: tuple[str, ...] = STREAMS
    variants: tuple[str, ...] | None = None
    settings: tuple[str, ...] = ()
    select_on_test: bool = False
    only_test: bool = False
    only_report: bool = False
    devices: int = 1
