"""Fig. 6: what each class gains by the whole method over the baseline."""

from rich.console import Console

from training.recipe import load_recipe
from training.reproduce.ablation import BASELINE, FULL, RECIPE, SEEDS, conclusions
from training.reproduce.about import check_task
from training.reproduce.choices import Choices
from training.reproduce.difficulty_table import by_class
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, cell, gather
from training.reproduce.made import Made
from training.reproduce.report_pictures import class_changes, differences
from training.reproduce.table import Row, Table

_REMARK = (
    "The paper holds ACLNet against FR-Head, another network, and prints no figures. Here it is the same network "
    "trained by cross-entropy alone, with the same seeds."
)


def figure_6(choices: Choices, console: Console) -> Made:
    """Train and test baseline and whole method; the difference of every class, the largest gain first."""
    file = choices.recipe or recipe_file(RECIPE)
    recipe = load_recipe(file, choices.settings)
    check_task(recipe, "actions", "Fig. 6")
    reports = gather(choices, console, file, (BASELINE, FULL), choices.seeds or SEEDS)
    title = f"Fig. 6: full against baseline, class by class ({recipe.name})"
    table = class_table(reports, title)
    before, after = (list(reports.by_seed(variant).values()) for variant in (BASELINE, FULL))
    changes = class_changes(before, after)
    pictures = (differences(changes, [*before, *after]),) if changes else ()
    return Made("figure-6", title, (table,), pictures, tuple(reports), _REMARK)


def class_table(reports: Reports, title: str) -> Table:
    """A row a class: baseline, whole method and their difference over the seeds that have both, the best gain first."""
    before, after = reports.by_seed(BASELINE), reports.by_seed(FULL)
    seeds = sorted(before.keys() & after.keys())
    used = [report for seed in seeds for report in (before[seed], after[seed])]
    pairs = {seed: (by_class(before[seed]), by_class(after[seed])) for seed in seeds}
    changes = class_changes([before[seed] for seed in seeds], [after[seed] for seed in seeds])
    rows = []
    for change in sorted(changes, key=lambda one: (-one.mean, one.label)):
        sides = ({seed: pair[side][change.label] for seed, pair in pairs.items()} for side in (0, 1))
        first, second = (dict(side) for side in sides)
        gained = {seed: second[seed] - first[seed] for seed in seeds}
        rows.append(Row(change.label, (None,) * 3, tuple(cell(shares, used) for shares in (first, second, gained))))
    said = tuple(conclusions(reports, (BASELINE, FULL)))
    return Table("figure-6", title, (BASELINE, FULL, "gain"), tuple(rows), comparable=False, conclusion=said)
