"""`python -P -m tests.crash`: kill a working process at random moments, again and again, and see what is left."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.crash.killing import Tally, kill_again_and_again
from tests.postgres import PrivateServer

console = Console(highlight=False)


def main(
    points: Annotated[int, typer.Option(min=1, help="How many kills.")] = 1000,
    database: Annotated[Literal["sqlite", "postgresql"], typer.Option(help="Which kind.")] = "sqlite",
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 1,
) -> None:
    """Kill a process that enrolls, erases, identifies, snapshots and migrates, at random moments; after each kill a new
    process must find all that was acknowledged, nothing by half, and nothing else.

    Example: PYTHONPATH=. python -P -m tests.crash --points 1000 --database postgresql
    """
    start = time.monotonic()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        durable = {"fsync": "on", "full_page_writes": "on"}
        server = stack.enter_context(PrivateServer(**durable)) if database == "postgresql" else None
        columns = (TextColumn("killing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        progress = stack.enter_context(Progress(*columns, console=Console(stderr=True)))
        task = progress.add_task("", total=points)
        tally = Tally()
        for tally in kill_again_and_again(data, server, points, seed):
            progress.update(task, completed=tally.kills)
    _say(tally, database, time.monotonic() - start)
    raise typer.Exit(1 if tally.wrong else 0)


def _say(tally: Tally, database: str, seconds: float) -> None:
    servers = f", {tally.servers} of them with the server" if tally.servers else ""
    console.print(f"{database}: {tally.kills} kills{servers} in {seconds:.0f} s")
    for title, counts in (("acknowledged", tally.acknowledged), ("interrupted", tally.interrupted)):
        console.print(f"  {title}: " + ", ".join(f"{count} × {kind}" for kind, count in counts.most_common()))
    console.print(f"  of the interrupted changes, {tally.whole} were whole and {tally.nothing} not there at all")
    console.print("  wrong: " + ("nothing" if not tally.wrong else tally.wrong[0]), markup=False)


if __name__ == "__main__":
    typer.run(main)
