"""Fig. 5: features of five classes in the course of training, in two dimensions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from model.errors import InvalidRecipe
from training.protocols.actions import class_names
from training.recipe import Recipe, load_recipe
from training.reproduce.ablation import FULL, RECIPE
from training.reproduce.about import about, check_task
from training.reproduce.choices import Choices
from training.reproduce.experiment import experiment, recipe_file
from training.reproduce.gather import Found, gather
from training.reproduce.look import look_at, of_classes, recordings_of
from training.reproduce.made import Made, Picture
from training.reproduce.pictures_tsne import Scatter, tsne_picture
from training.reproduce.report import Report
from training.reproduce.separation import chosen_classes, scatters_of
from training.reproduce.table import Ours, Row, Table
from training.run import EPOCHS, load_run
from training.run import RECIPE as RECIPE_FILE

RECORDINGS = 60
"""Of each class."""
SHARES = (1 / 15, 1 / 3, 2 / 3, 1.0)
"""Of training: the epochs that are kept where the recipe names none; the paper's four panels are not dated."""
PANELS = 6
"""At most."""
KEPT = "epochs-kept"
"""The variant that is trained where the whole method's run kept no epochs."""
_REMARK = (
    "The paper names neither the epochs nor all five classes, and gives no number for how far they are apart. t-SNE "
    "keeps neighbours, not distances: read the separation (mean silhouette by cosine of the features, -1 to 1), too. "
    "On other data than the paper's the classes are the hardest there are: the two that are taken for each other most, "
    "and those that are taken most for one of them."
)


def figure_5(choices: Choices, console: Console) -> Made:
    """Train and test the whole method with some epochs kept; what each of them makes of the same test recordings."""
    file = choices.recipe or recipe_file(RECIPE)
    seed = choices.seeds[0] if choices.seeds else 1
    recipe = load_recipe(file, choices.settings)
    check_task(recipe, "actions", "Fig. 5")
    title = f"Fig. 5: classes in the course of training ({recipe.name})"
    found = _found(choices, console, file, seed)
    if found is None:
        return Made("figure-5", title, remark=_REMARK)
    data_recipe = experiment(choices, file, FULL, seed).recipe
    picture, table = _drawn(found, data_recipe, title)
    return Made("figure-5", title, (table,), (picture,), (found.report,), _REMARK)


def _found(choices: Choices, console: Console, file: Path, seed: int) -> Found | None:
    """The whole method's run with epochs kept. One that is there without them is left alone: its table rests on it."""
    wanted = experiment(choices, file, FULL, seed)
    epochs = wanted.recipe.optim.keep_epochs or spaced(wanted.recipe.optim.epochs)
    there = wanted.path / RECIPE_FILE
    kept = load_recipe(there).optim.keep_epochs if there.is_file() else epochs
    variant = FULL if set(epochs) <= set(kept) else KEPT
    settings = {variant: (f"optim.keep_epochs={list(epochs)}",)}
    return gather(choices, console, file, (variant,), (seed,), settings=settings).of.get((variant, seed))


def spaced(epochs: int) -> tuple[int, ...]:
    """Epochs (from 1) that are looked at, of so many.

    >>> spaced(150), spaced(3)
    ((10, 50, 100, 150), (1, 2, 3))
    """
    return tuple(sorted({max(1, round(share * epochs)) for share in SHARES}))


def kept_epochs(run: Path) -> tuple[int, ...]:
    """Epochs (from 1) whose weights a run has kept."""
    names = [file.stem.removeprefix("epoch-") for file in (run / EPOCHS).glob("epoch-*.pt")]
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def _drawn(found: Found, recipe: Recipe, title: str) -> tuple[Picture, Table]:
    kept = kept_epochs(found.run)
    epochs = [kept[i] for i in np.unique(np.linspace(0, len(kept) - 1, PANELS).round().astype(int))] if kept else []
    if not epochs:
        raise InvalidRecipe(str(found.run), "kept no epochs: there is no course of training to look at")
    data = recordings_of(recipe)
    confusion = found.report.figures["confusion"]
    labels = chosen_classes(confusion["labels"], np.array(confusion["counts"], dtype=np.float64))
    which = of_classes(data, labels, RECORDINGS).tolist()
    looks = {epoch: look_at(load_run(found.run, epoch), data, which, f"epoch {epoch}") for epoch in epochs}
    names = class_names(data)[next(iter(looks.values())).which]
    classes = np.array([labels.index(name) for name in names.tolist()], dtype=np.int64)
    scatters = scatters_of({epoch: look.pooled for epoch, look in looks.items()}, classes, recipe.seed)
    said = (
        f"{about([found.report])} {len(classes)} test recordings, the same in all panels; t-SNE of the last features."
    )
    figure = tsne_picture(scatters, labels, title, said)
    course = ", ".join(f"epoch {scatter.epoch}: {scatter.separation:.2f}" for scatter in scatters)
    picture = Picture("tsne", title, figure, f"{said} Separation (mean silhouette): {course}.")
    return picture, _separations(scatters, found.report, title)


def _separations(scatters: Sequence[Scatter], report: Report, title: str) -> Table:
    rows = tuple(
        Row(f"epoch {scatter.epoch}", (None,), (Ours({report.seed: scatter.separation}, report.marks),))
        for scatter in scatters
    )
    return Table("figure-5", title, ("separation, -1 to 1",), rows, comparable=False, digits=(2,))
