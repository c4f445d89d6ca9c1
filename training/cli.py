"""`gaitkeeper train`."""

import json
from pathlib import Path
from typing import Annotated

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a TOML file.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", help="Directory of the run; made if it is not there.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: section.key=value.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out was stopped.")] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the best epoch's figures as JSON.")] = False,
) -> None:
    """Train an encoder or a classifier by a recipe.

    Ctrl-C keeps the last whole epoch; `--resume` goes on from it, to the same weights as without a stop.

    Example: gaitkeeper train training/recipes/gait-sim.toml --out runs/gait --set optim.epochs=5
    """
    from training.recipe import load_recipe

    resolved = load_recipe(recipe, settings or ())
    from training.fit import fit  # torch takes seconds to import; a wrong recipe should not wait for it
    from training.run import WEIGHTS, read_about

    fit(resolved, out, resume=resume)
    best = read_about(out)["best"]
    if json_output:
        typer.echo(json.dumps(best))
        return
    held_out = ", ".join(f"{name} {value:.4f}" for name, value in best["held_out"].items()) or "nothing was held out"
    typer.echo(f"best epoch {best['epoch'] + 1}: {held_out}; weights in {out / WEIGHTS}")
