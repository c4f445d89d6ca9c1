"""A recipe: everything that decides a training run, in TOML; unknown keys are refused."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.clips import ClipSpec
from model.errors import InvalidRecipe
from model.network.config import NetworkConfig
from training.losses.config import LossConfig

Label = Literal["subject", "condition", "view", "sequence", "action", "part"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(_Section):
    """Which sequences are trained on, and which training-side ones are held out to choose the checkpoint.

    paths: npz sets, joined. label: what is learned to be told apart. keep: by label, the values used at all;
    validation: by label, the values held out; both take ranges of numbered names, as "060-074".
    validation_subjects holds out that many more: the last ones, by name.
    """

    paths: tuple[Path, ...] = Field(min_length=1)
    label: Literal["subject", "action"] = "subject"
    keep: dict[Label, tuple[str, ...]] = {}
    validation: dict[Label, tuple[str, ...]] = {}
    validation_subjects: int = Field(default=0, ge=0)


class SamplerConfig(_Section):
    """A batch: `classes` x `per_class` clips (kind `pk`), or their product drawn from the shuffled set (`plain`)."""

    kind: Literal["pk", "plain"] = "pk"
    classes: int = Field(default=16, ge=1)
    per_class: int = Field(default=4, ge=1)

    @property
    def batch(self) -> int:
        return self.classes * self.per_class


class AugmentConfig(_Section):
    """Random changes to clips. Shares are probabilities; lengths are in units of the body's height in the clip.

    speed: resampled by a factor in 1 -+ speed. scale: sizes in 1 -+ scale. stretch: x against y in 1 -+ stretch.
    rotation: degrees in the image plane; yaw: degrees about the vertical axis, three coordinates only.
    noise: of each joint in each frame. offset: of each joint, the same in all frames. drop_joint: of each joint
    over a span of frames; drop_limb: of one arm or leg over a span; both leave confidence 0.
    """

    mirror: float = Field(default=0.5, ge=0, le=1)
    reverse: float = Field(default=0.0, ge=0, le=1)
    speed: float = Field(default=0.0, ge=0, lt=0.9)
    scale: float = Field(default=0.0, ge=0, lt=0.9)
    stretch: float = Field(default=0.0, ge=0, lt=0.9)
    rotation: float = Field(default=0.0, ge=0, le=180)
    yaw: float = Field(default=0.0, ge=0, le=180)
    noise: float = Field(default=0.0, ge=0, le=1)
    offset: float = Field(default=0.0, ge=0, le=1)
    drop_joint: float = Field(default=0.0, ge=0, lt=1)
    drop_limb: float = Field(default=0.0, ge=0, lt=1)


class OptimConfig(_Section):
    """Optimiser and its schedule. ema: decay of the averaged weights that are validated and kept; 0 is none."""

    kind: Literal["sgd", "adamw"] = "adamw"
    lr: float = Field(default=2e-3, gt=0)
    schedule: Literal["cosine", "onecycle"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1, description="share of all steps; cosine only")
    weight_decay: float = Field(default=1e-2, ge=0)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd only")
    epochs: int = Field(default=30, ge=1)
    steps: int | None = Field(default=None, ge=1, description="a epoch; as many as the set fills by itself")
    clip_norm: float | None = Field(default=5.0, gt=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16"] = "fp32"


class ValidationConfig(_Section):
    """How often the held-out sequences are embedded or classified, and how many clips at a time."""

    every: int = Field(default=1, ge=1)
    batch: int = Field(default=128, ge=1)
    limit: int | None = Field(default=None, ge=1, description="sequences used, spread evenly")


class Recipe(_Section):
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
        intra = self.loss.intra
        if intra.enabled and intra.bank < self.sampler.batch:
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
        found.append(f"{place}: {'unknown key' if unknown else problem['msg']}")
    return "; ".join(found)
