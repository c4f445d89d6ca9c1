"""`gaitkeeper evaluate ensemble`: several results of `evaluate actions` over the same recordings as one."""

import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.errors import InvalidDataSet, InvalidRequest
from training.evaluate.action_result import ActionResult
from training.evaluate.actions_cli import PROBABILITIES, write_tables
from training.evaluate.actions_show import show_actions
from training.evaluate.ensemble import ensemble as joined
from training.evaluate.results import rounded, to_text, write_text


def ensemble(
    results: Annotated[list[Path], typer.Argument(metavar="DIR", help="What `evaluate actions --out` wrote.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where results.json, CSV and picture go.")
    ],
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="W,W,...", help="Of each DIR; by default all count the same.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")] = False,
) -> None:
    """Join several classifiers' results over the same recordings: the weighted mean of their probabilities.

    ACLNet's published weights are 1,1 for joints and bones; 2,2,1,1 with their motions; 2,2,2,1,1,1 with k-bones, too
    (in the order j, b, k, jm, bm, km). To serve an ensemble, export its runs together.

    Example: gaitkeeper evaluate ensemble results/j results/b --weights 1,1 --out results/jb
    """
    members = [ActionResult.load(path / PROBABILITIES if path.is_dir() else path) for path in results]
    shares = _numbers(weights, len(members))
    result = joined(members, shares)
    names = " + ".join(f"{share:g} {path.name}" for share, path in zip(shares, results, strict=True))
    content = {
        "kind": "actions",
        "ensemble": [
            {"name": path.name, "weight": share, "accuracy": member.accuracy}
            for path, share, member in zip(results, shares, members, strict=True)
        ],
        "command": shlex.join(["gaitkeeper", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_tables(out, result, names)
    text = to_text(content | rounded(result.to_json()))
    write_text(out / "results.json", text)
    if json:
        typer.echo(text, nl=False)
        return
    console = Console()
    show_actions(console, result, names)
    for path, member in zip(results, members, strict=True):
        console.print(f"alone, {path.name}: {100 * member.accuracy:.1f} %", markup=False, highlight=False)
    console.print(f"written to {out / 'results.json'}", style="dim")


def _numbers(weights: str | None, count: int) -> list[float]:
    """Weights as they are given on the command line; raises `InvalidRequest` for anything but numbers."""
    if weights is None:
        return [1.0] * count
    try:
        found = [float(word) for word in weights.split(",")]
    except ValueError:
        raise InvalidRequest("weights", f"{weights[:40]!r} are no numbers between commas") from None
    if len(found) != count:
        raise InvalidDataSet("an ensemble", f"of {count} results needs as many weights, got {len(found)}")
    return found
