"""A data set of actions at a path to the recordings that are tested on, and what the loader said of it."""

from dataclasses import dataclass
from pathlib import Path

from training.data.collect import Loaded
from training.data.load import load
from training.data.stream import Progress
from training.evaluate.sources import is_simulated
from training.protocols.actions import ActionProtocol, Chosen, chosen


@dataclass(frozen=True, eq=False)
class ActionSource:
    """What is tested on, and the whole data set with its report."""

    chosen: Chosen
    loaded: Loaded
    simulated: bool


def open_actions(
    path: Path,
    protocol: ActionProtocol = ActionProtocol.ALL,
    *,
    split: str | None = None,
    kind: str | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> ActionSource:
    """The recordings of a protocol, or of a split by its name, memory-mapped; raises `InvalidDataSet`.

    kind: of data set, where its content does not tell. progress: called with bytes read.
    """
    loaded = load(path, kind, cache=cache, progress=progress)
    return ActionSource(chosen(loaded, protocol, split), loaded, is_simulated(path))


def size_of(path: Path) -> int:
    """Bytes of the files at a path, for a bar."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
