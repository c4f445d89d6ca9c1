"""Fig. 4: accuracy against n_a, lambda_1, epsilon and lambda_2, one at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rich.console import Console

from training.recipe import Recipe, load_recipe
from training.reproduce.ablation import FULL, RECIPE
from training.reproduce.about import about
from training.reproduce.choices import Choices
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, gather
from training.reproduce.made import Made, Picture
from training.reproduce.pictures_sweeps import Point, Sweep, sweeps_picture
from training.reproduce.table import Row, Table

SEEDS = (1,)
PAPER_BEST = 91.4
"""What the whole method reaches in the paper, with the values that it settles on."""


@dataclass(frozen=True, slots=True)
class Setting:
    """key: of the recipe. chosen: the paper's choice. values: what is tried; the paper's axes are not printed."""

    symbol: str
    says: str
    key: str
    chosen: float
    values: tuple[float, ...]

    def at(self, recipe: Recipe) -> float:
        """The value that the recipe has by itself."""
        _, section, field = self.key.split(".")
        return float(getattr(getattr(recipe.loss, section), field))


_WEIGHTS = (0.01, 0.05, 0.1, 0.2, 0.5)
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "n_a": Setting("$n_a$", "overlap that makes a family", "loss.inter.overlap", 4, (2, 3, 4, 5, 6)),
        "lambda1": Setting(r"$\lambda_1$", "weight of $L_{inter}$", "loss.inter.weight", 0.1, _WEIGHTS),
        "epsilon": Setting(r"$\epsilon$", "margin", "loss.intra.epsilon", 0.1, (0.0, 0.05, 0.1, 0.2, 0.5)),
        "lambda2": Setting(r"$\lambda_2$", "weight of $L_{intra}$", "loss.intra.weight", 0.1, _WEIGHTS),
    }
)  # fmt: skip
"""In the order of the paper's panels."""


def figure_4(choices: Choices, console: Console) -> Made:
    """Train and test every value of every setting; the recipe's own values are one run, the whole method's."""
    file = choices.recipe or recipe_file(RECIPE)
    recipe = load_recipe(file, choices.settings)
    changes = variants_of(recipe)
    seeds = choices.seeds or SEEDS
    reports = gather(choices, console, file, tuple(changes), seeds, settings=changes)
    title = f"Fig. 4: accuracy against one setting at a time ({recipe.name})"
    table = Table("figure-4", title, ("accuracy",), tuple(_rows(reports, recipe)), comparable=choices.recipe is None)
    return Made("figure-4", title, (table,), tuple(_pictures(reports, recipe, title)), tuple(reports), _REMARK)


def variants_of(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Variant to the settings that make it. The value that the recipe has by itself is the whole method, once."""
    out: dict[str, tuple[str, ...]] = {FULL: ()}
    for name, setting in SETTINGS.items():
        for value in setting.values:
            if (variant := variant_of(name, value, recipe)) != FULL:
                out[variant] = (f"{setting.key}={value:g}",)
    return out


def variant_of(name: str, value: float, recipe: Recipe) -> str:
    return FULL if value == SETTINGS[name].at(recipe) else f"{name}={value:g}"


def sweeps_of(reports: Reports, recipe: Recipe) -> list[Sweep]:
    """What was measured of each setting."""
    out = []
    for name, setting in SETTINGS.items():
        points = []
        for value in setting.values:
            ours = reports.ours(variant_of(name, value, recipe))
            if ours is not None:
                points.append(Point(value, ours.mean, ours.sd or 0.0, len(ours.values)))
        out.append(Sweep(setting.symbol, setting.says, setting.chosen, tuple(points)))
    return out


def _rows(reports: Reports, recipe: Recipe) -> Iterator[Row]:
    for name, setting in SETTINGS.items():
        for value in setting.values:
            told = PAPER_BEST if value == setting.chosen else None
            yield Row(f"{name} = {value:g}", (told,), (reports.ours(variant_of(name, value, recipe)),))


def _pictures(reports: Reports, recipe: Recipe, title: str) -> Iterator[Picture]:
    if not reports.of:
        return
    marks = "Lines: standard deviation over seeds; dashed: the paper's choice; ringed: the best here."
    said = f"{about(list(reports))} {marks}"
    figure = sweeps_picture(sweeps_of(reports, recipe), title, said)
    yield Picture("sweeps", title, figure, said)


_REMARK = (
    "The paper prints no axes that can be read: only that n_a = 4 and 0.1 for the others are best, and that the whole "
    "method then reaches 91.4 %. A choice made where it is tested is the test's own."
)
