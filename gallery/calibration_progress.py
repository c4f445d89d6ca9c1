"""A bar on standard error while a calibration is measured, where somebody is looking."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gallery.printing import err


@contextmanager
def bar(text: str, total: int) -> Iterator[Callable[[int], object]]:
    """Gives a function to be called with the number of steps done since the last call; the bar goes when it is over."""
    columns = (TextColumn(text), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        yield lambda steps: progress.advance(task, steps)
