"""The sections of a recipe: data, batches, changes to clips, optimiser, validation, test."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Label = Literal["subject", "condition", "view", "sequence", "action", "part"]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataConfig(Section):
    """Which sequences are trained on, and which training-side ones are held out to choose the checkpoint.

    paths: npz sets, joined. label: what is learned to be told apart. keep: by label, the values used at all;
    validation: by label, the values held out; both take ranges of numbered names, as "060-074".
    validation_subjects holds out that many more: the last ones, by name, of at most half of them. validation_share
    holds out that share of each class's recordings, drawn by the recipe's seed.
    kind: of data set (`gaitkeeper data kinds`); by default its content tells. split: the official split that trains,
    as "xsub_train". With one of the two, the set is read with all its people from memory-mapped arrays.
    limit: at most so many recordings, spread over the classes: a smaller dose, and marked as such in what is measured.
    """

    paths: tuple[Path, ...] = Field(min_length=1)
    label: Literal["subject", "action"] = "subject"
    kind: str | None = None
    split: str | None = None
    keep: dict[Label, tuple[str, ...]] = {}
    validation: dict[Label, tuple[str, ...]] = {}
    validation_subjects: int = Field(default=0, ge=0)
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    limit: int | None = Field(default=None, ge=1)

    @property
    def recordings(self) -> bool:
        """Whether the data are recordings of one or more people (`ActionSet`), not sequences (`SequenceSet`)."""
        return self.kind is not None or self.split is not None


class TestConfig(Section):
    """What a trained run is tested on (`gaitkeeper reproduce`); nothing here is looked at while it trains.

    paths: default those of [data]. split: the official test split, as "xsub_val"; keep: by label, as in [data].
    protocol: what is searched by what, for identities: casia-b, cbkings34, ucalgary or reid; None for actions.
    """

    __test__ = False  # the name is what the recipe calls it; pytest is not meant

    paths: tuple[Path, ...] = ()
    split: str | None = None
    keep: dict[Label, tuple[str, ...]] = {}
    protocol: Literal["casia-b", "cbkings34", "ucalgary", "reid"] | None = None


class SamplerConfig(Section):
    """A batch: `classes` x `per_class` clips (kind `pk`), or their product drawn from the shuffled set (`plain`)."""

    kind: Literal["pk", "plain"] = "pk"
    classes: int = Field(default=16, ge=1)
    per_class: int = Field(default=4, ge=1)

    @property
    def batch(self) -> int:
        return self.classes * self.per_class


class AugmentConfig(Section):
    """Random changes to clips. Shares are probabilities; lengths are in units of the body's height in the clip.

    speed: resampled by a factor in 1 -+ speed. scale: sizes in 1 -+ scale. stretch: x against y in 1 -+ stretch.
    rotation: degrees in the image plane; yaw: degrees about the vertical axis, three coordinates only.
    noise: of each joint in each frame. offset: of each joint, the same in all frames. drop_joint: of each joint
    over a span of frames; drop_limb: of one arm or leg over a span; both leave confidence 0.
    turn: degrees, about each of the three axes, one turn a recording. part_drop: one arm or leg throughout the clip.
    point: noise of each joint in each frame, in the data's own units; joint: of each joint, the same in all frames.
    official: as the published code does it, its faults included (`training.data.poses`, `training.data.gaitgraph`).
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
    turn: float = Field(default=0.0, ge=0, le=180)
    part_drop: float = Field(default=0.0, ge=0, le=1)
    point: float = Field(default=0.0, ge=0)
    joint: float = Field(default=0.0, ge=0)
    official: bool = False


class OptimConfig(Section):
    """Optimiser and its schedule.

    ema: decay of the averaged weights that are validated and kept; 0 is none. lr_batch: the batch that `lr` is meant
    for; the rate is scaled linearly to the clips that really make a step (batch times accumulate). accumulate: batches
    a step. patience: validations without a better score until training stops. keep_epochs: epochs (from 1) whose
    weights are kept beside the best, to look at how training went. fp16 needs a GPU.
    """

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
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    accumulate: int = Field(default=1, ge=1)
    lr_batch: int | None = Field(default=None, ge=1)
    patience: int | None = Field(default=None, ge=1)
    keep_epochs: tuple[int, ...] = ()


class ValidationConfig(Section):
    """How often the held-out sequences are embedded or classified, and how many clips at a time.

    clips: of each sequence; 1 is the one in its middle. on: what the best checkpoint is chosen by; `test` is for
    comparison with papers that did so, and marks every figure that comes of it.
    """

    every: int = Field(default=1, ge=1)
    batch: int = Field(default=128, ge=1)
    limit: int | None = Field(default=None, ge=1, description="sequences used, spread evenly")
    clips: int = Field(default=1, ge=1, le=100)
    on: Literal["held-out", "test"] = "held-out"
