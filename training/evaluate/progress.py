"""Progress of an evaluation on standard error, where somebody is looking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """One line of progress, whose total is told when it is known."""

    def __init__(self, progress: Progress, text: str) -> None:
        self._progress = progress
        self._task = progress.add_task(text, total=None)

    def of(self, total: int) -> Callable[[int], None]:
        """Takes the number of things done since the last call, of `total`."""
        self._progress.update(self._task, total=total)
        return self._advance

    def of_bytes(self, path: Path) -> Callable[[int], None]:
        """The same, of the bytes of the CSV files at `path`."""
        files = path.glob("*.csv") if path.is_dir() else [path]
        return self.of(sum(file.stat().st_size for file in files if file.is_file()))

    def _advance(self, done: int) -> None:
        self._progress.advance(self._task, done)


@contextmanager
def bar(text: str) -> Iterator[Bar]:
    """A line while the block runs, gone afterwards; nothing is drawn where standard error is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bar(progress, text)
