"""Table VIII: what each part of the method gives, seed by seed against a baseline with the same seed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean

from rich.console import Console

from model.errors import InvalidRecipe
from training.recipe import load_recipe
from training.reproduce import paper
from training.reproduce.choices import Choices
from training.reproduce.experiment import ABLATION, recipe_file
from training.reproduce.gain import FITTED, Gain, gain, sentence, verdict
from training.reproduce.gather import Reports, cell, gather
from training.reproduce.made import Made
from training.reproduce.report import Report
from training.reproduce.table import Ours, Row, Table

RECIPE, SEEDS = "ntu60-xsub", (1, 2, 3)
BASELINE, FULL = "baseline", "full"
_MEBI = 2**20


def table_8(choices: Choices, console: Console) -> Made:
    """Train, test and compare the variants; the paper's rows beside them."""
    variants = choices.variants or tuple(ABLATION)
    file = choices.recipe or recipe_file(RECIPE)
    name = name_of(choices, file)
    reports = gather(choices, console, file, variants, choices.seeds or SEEDS)
    table = ablation_table(reports, variants, name, comparable=choices.recipe is None)
    return Made("table-8", table.title, (table,), (), tuple(reports), paper.TABLES["table-8"].remark)


def name_of(choices: Choices, file: Path, *, actions: bool = False) -> str:
    """The recipe's name, for titles; raises `InvalidRecipe` where `actions` are needed and it is of none."""
    recipe = load_recipe(file, choices.settings)
    if actions and recipe.test.protocol is not None:
        raise InvalidRecipe(recipe.name, "tells people apart; this table or figure is of actions")
    return recipe.name


def ablation_table(reports: Reports, variants: tuple[str, ...], recipe: str, *, comparable: bool) -> Table:
    told = {row.name: row for row in (*paper.TABLES["table-8"].rows, paper.PAIRWISE)}
    columns = _columns(reports)
    unknown: tuple[None, ...] = (None,) * len(columns)
    rows = (
        Row(each, told[each].paper if each in told else unknown, _cells(reports, each)) for each in variants
    )  # fmt: skip
    where = "" if comparable else f"; here: {recipe}"
    title = f"{paper.TABLES['table-8'].title}{where}"
    conclusion = tuple(conclusions(reports, variants))
    return Table("table-8", title, columns, tuple(rows), comparable, conclusion, digits=(2, 1, 1))


def _columns(reports: Reports) -> tuple[str, ...]:
    """The paper's; of people told apart, the score is no accuracy."""
    weights, score, gained = paper.TABLES["table-8"].columns
    people = any(report.task != "actions" for report in reports)
    return weights, "mean rank-1" if people else score, gained


def _cells(reports: Reports, variant: str) -> tuple[Ours | None, ...]:
    found = reports.by_seed(variant)
    weights = cell({min(found): next(iter(found.values())).parameters / _MEBI}, (), scale=1.0) if found else None
    gained = gained_over(reports, variant)
    return (
        weights,
        reports.ours(variant),
        Ours(gained.differences, _marks(reports, variant)) if gained and variant != BASELINE else None,
    )


def _marks(reports: Reports, variant: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mark for report in reports.by_seed(variant).values() for mark in report.marks))


def gained_over(reports: Reports, variant: str) -> Gain | None:
    """What the variant's scores are above the baseline's, in points."""
    return gain(_points(reports.by_seed(variant)), _points(reports.by_seed(BASELINE)))


def _points(reports: Mapping[int, Report]) -> dict[int, float]:
    return {seed: 100 * report.score for seed, report in reports.items()}


def conclusions(reports: Reports, variants: tuple[str, ...]) -> Iterator[str]:
    """What can be said, and if nothing can, why."""
    baseline = reports.by_seed(BASELINE)
    if not baseline:
        yield "No conclusion: the baseline has not been measured."
        return
    if unfitted := untrained(baseline):
        yield unfitted
        return
    compared = {each: found for each in variants if each != BASELINE and (found := gained_over(reports, each))}
    for variant, found in compared.items():
        yield sentence(variant, found)
    yield _overall(compared.get(FULL))
    if baseline and any(report.marks for report in baseline.values()):
        yield "These runs carry marks: read the footnotes before the figures."


def untrained(baseline: Mapping[int, Report]) -> str | None:
    """Why nothing may be concluded from these baselines, in words; None where they fit what they were trained on."""
    known = [report.train_accuracy for report in baseline.values() if report.train_accuracy is not None]
    lowest = min(known, default=None)
    if lowest is not None and lowest >= FITTED:
        return None
    fits = (
        "is not known to fit" if lowest is None else f"names {100 * lowest:.1f} % (mean {100 * fmean(known):.1f} %) of"
    )
    asked = f"{100 * FITTED:.0f} %"
    return (
        f"No conclusion: the baseline {fits} its own training recordings, and {asked} are asked for. Train it longer."
    )


def _overall(found: Gain | None) -> str:
    if found is None:
        return f"Whether the method gains is not known: {FULL} has not been measured with the baseline's seeds."
    match verdict(found):
        case "better":
            return f"The gain is there: the whole method is better than the baseline over {found.seeds} seeds."
        case "worse":
            return f"The gain is not there: the whole method is worse than the baseline over {found.seeds} seeds."
        case "no difference is shown":
            return (
                f"The gain is not shown: over {found.seeds} seeds the interval of the whole method's difference to the "
                "baseline holds 0."
            )
        case _:
            return "Whether the method gains cannot be told from one seed: give at least --seeds 1,2,3."
