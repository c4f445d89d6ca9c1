"""A recipe: everything that decides a training run, in TOML; unknown keys are refused."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from model.clips import ClipSpec
from model.errors import InvalidRecipe
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.sections import (
    AugmentConfig,
    DataConfig,
    OptimConfig,
    SamplerConfig,
    Section,
    TestConfig,
    ValidationConfig,
)


class Recipe(Section):
    """One training run. `network.classes` may be left out: the data says how many there are."""

    name: str
    data: DataConfig
    network: NetworkConfig
    clip: ClipSpec = ClipSpec()
    sampler: SamplerConfig = SamplerConfig()
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    validation: ValidationConfig = ValidationConfig()
    test: TestConfig = TestConfig()
    seed: int = Field(default=1, ge=0)
    threads: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _classes_later(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and isinstance(values.get("network", {}), Mapping):
            return {**values, "network": {"classes": 1, **values.get("network", {})}}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.clip.dims != self.network.dims:
            raise ValueError(f"clip.dims is {self.clip.dims}, network.dims is {self.network.dims}")
        if self.clip.people != self.network.people:
            raise ValueError(f"clip.people is {self.clip.people}, network.people is {self.network.people}")
        intra = self.loss.intra
        if intra.enabled and 0 < intra.bank < self.sampler.batch:
            raise ValueError(f"loss.intra.bank ({intra.bank}) must hold a batch ({self.sampler.batch})")
        if self.loss.ce.margin and self.network.head != "cosine":
            raise ValueError('loss.ce.margin needs network.head = "cosine"')
        return self

    def with_classes(self, count: int) -> Self:
        """The same with the number of classes that the data has."""
        return self.model_copy(update={"network": self.network.model_copy(update={"classes": count})})


def load_recipe(path: Path, settings: Sequence[str] = ()) -> Recipe:
    """The recipe in a TOML file, with `section.key=value` settings over it; raises `InvalidRecipe`."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidRecipe(str(path), str(error)) from error
    for setting in settings:
        _put(values, setting, path)
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        raise InvalidRecipe(str(path), _reasons(error)) from error


def _put(values: dict[str, Any], setting: str, path: Path) -> None:
    key, equals, text = setting.partition("=")
    *sections, last = key.strip().split(".")
    if not equals or not last:
        raise InvalidRecipe(str(path), f"--set takes section.key=value, got {setting!r}")
    for section in sections:
        values = values.setdefault(section, {})
        if not isinstance(values, dict):
            raise InvalidRecipe(str(path), f"--set {key}: {section} is not a section")
    values[last] = _value(text.strip())


def _value(text: str) -> Any:
    """A TOML value; what is none is taken as a string.

    >>> _value("3"), _value("[1, 2]"), _value("cosine"), _value("true")
    (3, [1, 2], 'cosine', True)
    """
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _reasons(error: ValidationError) -> str:
    found = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"]) or "recipe"
        unknown = problem["type"] == "extra_forbidden"
        found.append(f"{place}: {'unknown key' if unknown else problem['msg'].removeprefix('Value error, ')}")
    return "; ".join(found)
