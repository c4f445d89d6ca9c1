"""`gaitkeeper train`."""

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
) -> None:
    """Train an encoder or a classifier by a recipe.

    Ctrl-C keeps the last whole epoch; `--resume` goes on from it, to the same weights as without a stop.

    Example: gaitkeeper train training/recipes/gait-sim.toml --out runs/gait --set optim.epochs=5
    """
    from training.recipe import load_recipe

    resolved = load_recipe(recipe, settings or ())
    from training.fit import fit  # torch takes seconds to import; a wrong recipe should not wait for it

    fit(resolved, out, resume=resume)
