"""What a picture is of: what stands below it, and whether a recipe can give it at all."""

from collections.abc import Sequence

from model.errors import InvalidRecipe
from training.recipe import Recipe
from training.reproduce.report import Report, Task


def about(reports: Sequence[Report]) -> str:
    """What stands below a picture: data, seeds, and what keeps its figures from being compared."""
    seeds = sorted({report.seed for report in reports})
    marks = dict.fromkeys(mark for report in reports for mark in report.marks)
    data = reports[0].data.name
    seed_text = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    return (
        ". ".join([f"{reports[0].recipe} on {data}, {seed_text}", *(mark[0].upper() + mark[1:] for mark in marks)])
        + "."
    )


def check_task(recipe: Recipe, wanted: Task, what: str) -> None:
    """Raises `InvalidRecipe`, before anything is trained, for a recipe whose test gives other figures than `what`
    shows."""
    protocol = recipe.test.protocol
    task: Task = "actions" if protocol is None else "reid" if protocol == "reid" else "gait"
    if task != wanted:
        has = "no protocol" if protocol is None else f"protocol {protocol!r}"
        needs = {"actions": "none: it is of actions", "gait": "one of gait", "reid": "'reid'"}[wanted]
        raise InvalidRecipe(recipe.name, f"has {has} in [test], and {what} needs {needs}")
