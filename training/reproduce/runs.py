"""The runs of a table: taken where they are finished, resumed where they were stopped, begun where there are none."""

from pathlib import Path

from rich.console import Console

from model.errors import InvalidRecipe
from training.fit import fit
from training.recipe import load_recipe
from training.reproduce.experiment import Experiment, differences
from training.run import LAST, RECIPE, finished
from training.split import load_test_data

SHOWN = 4


def trained(experiment: Experiment, console: Console) -> Path:
    """The directory of the experiment's finished run, its own or a twin's; trains what is missing.

    Raises `InvalidRecipe` where a run of another recipe is in its place, or there is nothing to test on, which is
    looked at before anything is trained; `KeyboardInterrupt` on Ctrl-C, with the last whole epoch kept.
    """
    if there := finished_run(experiment):
        return there
    resume = _unfinished(experiment)
    load_test_data(experiment.recipe)
    said = "going on with" if resume else "training"
    console.print(f"{experiment}: {said} {experiment.path}", highlight=False, soft_wrap=True)
    recipe = load_recipe(experiment.path / RECIPE) if resume else experiment.recipe
    fit(recipe, experiment.path, resume=resume, console=console)
    return experiment.path


def finished_run(experiment: Experiment) -> Path | None:
    """Where an equal run has finished; None if nowhere. Raises `InvalidRecipe` for another recipe's in its place."""
    for path in (experiment.path, *experiment.twins):
        if finished(path):
            differing = differences(load_recipe(path / RECIPE), experiment.recipe)
            if not differing:
                return path
            if path == experiment.path:
                raise _other(experiment, differing)
    return None


def _unfinished(experiment: Experiment) -> bool:
    """Whether a stopped run waits to be resumed; one that was stopped before its first epoch is begun again."""
    if not (experiment.path / LAST).is_file():
        return False
    differing = differences(load_recipe(experiment.path / RECIPE), experiment.recipe)
    if differing:
        raise _other(experiment, differing)
    return True


def _other(experiment: Experiment, differing: list[str]) -> InvalidRecipe:
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    reason = (
        f"{experiment.path} holds a run of another recipe ({'; '.join(differing[:SHOWN])}{more}); choose another "
        "--runs, or delete it"
    )
    return InvalidRecipe(experiment.recipe.name, reason)
