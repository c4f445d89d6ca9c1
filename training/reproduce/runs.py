"""The runs of a table: taken where they are finished, resumed where they were stopped, begun where there are none."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from model.errors import InvalidRecipe
from training.fit import fit
from training.recipe import load_recipe
from training.reproduce.experiment import Experiment, differences
from training.run import LAST, RECIPE, finished
from training.split import load_test_data

SHOWN, LOCK = 4, ".lock"


def trained(experiment: Experiment, console: Console, *, devices: int = 1) -> Path:
    """The directory of the experiment's finished run, its own or a twin's; trains what is missing.

    Raises `InvalidRecipe` where a run of another recipe is in its place, or there is nothing to test on, which is
    looked at before anything is trained; `KeyboardInterrupt` on Ctrl-C, with the last whole epoch kept.
    """
    if there := finished_run(experiment):
        return there
    _unfinished(experiment)
    load_test_data(experiment.recipe)
    with _alone(experiment.path, console):
        return finished_run(experiment) or _train(experiment, console, devices)


def _train(experiment: Experiment, console: Console, devices: int) -> Path:
    resume = _unfinished(experiment)
    said = "going on with" if resume else "training"
    console.print(f"{experiment}: {said} {experiment.path}", highlight=False, soft_wrap=True)
    recipe = load_recipe(experiment.path / RECIPE) if resume else experiment.recipe
    fit(recipe, experiment.path, resume=resume, console=console, devices=devices)
    return experiment.path


@contextmanager
def _alone(path: Path, console: Console) -> Iterator[None]:
    """While another process of this command trains there, wait: two may share the work of a table."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print(f"another process trains {path}; waiting for it", soft_wrap=True, highlight=False)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


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
    """Whether a stopped run waits to be resumed; one that was stopped before its first epoch is begun again.

    Raises `InvalidRecipe` for another recipe's.
    """
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
