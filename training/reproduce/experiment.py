"""One training run that a table needs: its recipe, made from a file, a variant, a seed and a dose, and where it lives.

RUNS/<recipe's name>/<variant>/seed-<n>/. A variant is a row of Table VIII, a stream, or one value of a setting.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model.errors import InvalidRecipe
from training.recipe import Recipe, load_recipe
from training.reproduce.choices import STREAMS, Choices
from training.reproduce.places import with_data
from training.reproduce.report import Dose
from training.streams import stream_settings

PUBLISHED = Path(__file__).resolve().parent.parent / "recipes" / "published"

_NO_INTER, _NO_INTRA = "loss.inter.enabled=false", "loss.intra.enabled=false"
ABLATION: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "baseline": (_NO_INTER, _NO_INTRA),
        "inter": (_NO_INTRA, "loss.inter.temperature=fixed"),
        "dynamic": (_NO_INTRA,),
        "intra": (_NO_INTER,),
        "full": (),
    }
)
"""Rows of Table VIII, in its order."""
MORE: Mapping[str, tuple[str, ...]] = MappingProxyType({"pairwise": (_NO_INTRA, "loss.inter.affinity=pairwise")})
"""Table VIII's text: the inter-class loss by pairwise similarity alone."""
VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType({**ABLATION, **MORE})
JOINT = "j"


@dataclass(frozen=True, eq=False)
class Experiment:
    """file: the recipe's. recipe: what is trained. dose: None where it is all that the file asks for.
    twins: other directories where an equal run may lie."""

    file: Path
    recipe: Recipe
    variant: str
    path: Path
    dose: Dose | None
    changes: tuple[str, ...] = ()
    twins: tuple[Path, ...] = ()

    @property
    def seed(self) -> int:
        return self.recipe.seed

    def __str__(self) -> str:
        return f"{self.recipe.name}, {self.variant}, seed {self.seed}"


def recipe_file(name: str) -> Path:
    """A published recipe by its name; raises `InvalidRecipe` where there is none."""
    path = PUBLISHED / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in PUBLISHED.glob("*.toml"))) or "none"
        raise InvalidRecipe(name, f"is no published recipe; there are: {known}")
    return path


def experiment(
    choices: Choices, file: Path, variant: str, seed: int, settings: tuple[str, ...] | None = None
) -> Experiment:
    """The run of a recipe file as a variant with a seed; raises `InvalidRecipe`.

    settings: of a variant that has no name of ours, as ("loss.inter.overlap=2",).
    """
    base = load_recipe(file, choices.settings)
    changes = VARIANTS.get(variant) if settings is None else settings
    changes = _stream(base, variant) if changes is None else changes
    recipe = load_recipe(file, (*choices.settings, *changes, *_dosed(base, choices), *_more(choices), f"seed={seed}"))
    root = choices.runs / base.name
    twin = {"full": JOINT, JOINT: "full"}.get(variant)  # equal only where the recipe is of the joints
    if not choices.only_report:
        recipe = with_data(recipe, choices.data)
    return Experiment(
        file, recipe, variant, root / variant / f"seed-{seed}", _dose(base, choices),
        choices.settings, (root / twin / f"seed-{seed}",) if twin else (),
    )  # fmt: skip


def _stream(base: Recipe, variant: str) -> tuple[str, ...]:
    if variant not in STREAMS:
        known = ", ".join((*VARIANTS, *STREAMS))
        raise InvalidRecipe(base.name, f"has no variant {variant!r}; there are: {known}")
    return tuple(stream_settings(base.name, variant))


def _dosed(base: Recipe, choices: Choices) -> Iterator[str]:
    """Fewer epochs, with the affinity at the same share of them; fewer recordings."""
    if choices.epochs is not None:
        yield f"optim.epochs={choices.epochs}"
        for part in ("inter", "intra"):
            start = getattr(base.loss, part).start_epoch
            if start >= 1:
                yield f"loss.{part}.start_epoch={_share(start, base.optim.epochs, choices.epochs)}"
    if choices.limit is not None:
        yield f"data.limit={choices.limit}"


def _share(start: float, of: int, epochs: int) -> int:
    """The epoch at the same share of a shorter training; never 0, which would be no delay.

    >>> _share(30, 150, 10), _share(30, 150, 2)
    (2, 1)
    """
    return max(1, round(start * epochs / of))


def _more(choices: Choices) -> Iterator[str]:
    if choices.select_on_test:
        yield "validation.on=test"


def _dose(base: Recipe, choices: Choices) -> Dose | None:
    epochs = choices.epochs or base.optim.epochs
    if epochs == base.optim.epochs and choices.limit is None:
        return None
    return Dose(epochs=(epochs, base.optim.epochs), limit=choices.limit)


def differences(found: Recipe, wanted: Recipe) -> list[str]:
    """What makes two recipes train other weights, as "optim.epochs is 2, not 150".

    Where the data lie, how many threads work, and what is tested afterwards make no difference; of epochs that are
    kept, a run may have more than are wanted.
    """
    by_test = found.validation.on == wanted.validation.on == "test"
    have, want = _deciding(found, by_test=by_test), _deciding(wanted, by_test=by_test)
    names = sorted(have.keys() | want.keys())
    out = [f"{name} is {have.get(name)}, not {want.get(name)}" for name in names if have.get(name) != want.get(name)]
    kept = sorted(set(wanted.optim.keep_epochs) - set(found.optim.keep_epochs))
    return out + [f"optim.keep_epochs lacks {', '.join(map(str, kept))}"] * bool(kept)


def _deciding(recipe: Recipe, *, by_test: bool) -> dict[str, Any]:
    values = recipe.model_dump(mode="json")
    del values["test"]["paths"]
    if not by_test:
        del values["test"]
    del values["data"]["paths"], values["threads"], values["optim"]["keep_epochs"], values["network"]["classes"]
    return dict(_flat(values))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
