"""`gaitkeeper train`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def train(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a TOML file.", exists=True, dir_okay=False)],
    out: Annotated[Path, typer.Option("--out", help="Directory of the run; made if it is not there.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe: section.key=value.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in --out was stopped.")] = False,
    devices: Annotated[
        int, typer.Option("--devices", min=1, help="GPUs, or processes where there is none, that share every batch.")
    ] = 1,
    select_on_test: Annotated[
        bool,
        typer.Option("--select-on-test", help="Choose the best epoch on the test split, as papers did; marks the run."),
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print the best epoch's figures as JSON.")] = False,
) -> None:
    """Train an encoder or a classifier by a recipe.

    Ctrl-C keeps the last whole epoch; `--resume` goes on from it, to the same weights as without a stop.
    Several devices share each batch of the recipe, which stays as large as it is.

    Example: gaitkeeper train training/recipes/gait-sim.toml --out runs/gait --set optim.epochs=5
    """
    from training.recipe import load_recipe

    chosen = ["validation.on=test"] if select_on_test else []
    resolved = load_recipe(recipe, [*(settings or ()), *chosen])
    from training.distributed import Ranks  # torch takes seconds to import; a wrong recipe should not wait for it
    from training.fit import fit
    from training.run import LAST, read_about

    try:
        fit(resolved, out, resume=resume, devices=devices)
    except KeyboardInterrupt:
        if Ranks.here().first and (out / LAST).is_file():
            typer.echo(f"stopped; the same command with --resume goes on from the last whole epoch in {out}", err=True)
        raise
    if Ranks.here().first:
        about = read_about(out)
        typer.echo(json.dumps(_answer(about)) if json_output else _line(about, out))


def _answer(about: dict[str, Any]) -> dict[str, Any]:
    return {**about["best"], **{name: about.get(name) for name in ("selected_on", "devices", "ended")}}


def _line(about: dict[str, Any], out: Path) -> str:
    from training.run import WEIGHTS

    best = about["best"]
    held_out = ", ".join(f"{name} {value:.4f}" for name, value in best["held_out"].items()) or "nothing was held out"
    chosen = " (chosen on the test split)" if about.get("selected_on") == "test" else ""
    patience = "; no better one for as long as its patience lasted" if _ended(about) == "patience" else ""
    return f"best epoch {best['epoch'] + 1}: {held_out}{chosen}; weights in {out / WEIGHTS}{patience}"


def _ended(about: dict[str, Any]) -> str | None:
    return (about.get("ended") or {}).get("why")
