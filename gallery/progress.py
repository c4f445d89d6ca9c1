"""A bar on a terminal for work that tells how far it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Gives a function that is told how much is done, and of how much. Nothing is shown where nobody is looking."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gallery.printing import err

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=None)

        def told(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of)

        yield told


@contextmanager
def interruptible(what: str) -> Iterator[Callable[[int, int], None]]:
    """As `counted`; and after Ctrl-C, which is held back, the function raises `KeyboardInterrupt` when it is told."""
    from gallery.interrupt import held_back

    with held_back() as interrupt, counted(what) as told:

        def told_or_stopped(done: int, of: int) -> None:
            interrupt.check()
            told(done, of)

        yield told_or_stopped
