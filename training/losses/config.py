"""What a recipe may say about the losses; every default is the paper's unless a comment says otherwise."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mode = Literal["paper", "official"]
AffinityParts = Literal["pairwise", "contextual", "both"]
Feature = Literal["embedding", "pooled", "graph"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CrossEntropyConfig(_Section):
    """Cross-entropy (Eq. 2). `margin` lowers the true class's cosine, where the network's head is `cosine`.

    The margin grows from 0 over the first `margin_rise` of all epochs: at once, it keeps a young network from
    learning anything.
    """

    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    margin: float = Field(default=0.0, ge=0, lt=1)
    margin_rise: float = Field(default=0.3, ge=0, le=1)


class InterConfig(_Section):
    """Inter-class affinity contrastive loss (Eq. 3-9)."""

    enabled: bool = True
    mode: Mode = "paper"
    weight: float = Field(default=0.1, ge=0)
    start_epoch: int | float = Field(default=0.2, ge=0, description="an epoch, or below 1 a share of all epochs")
    record_epochs: int = Field(default=1, ge=0, description="confusions are counted this many epochs before the start")
    neighbours: int = Field(default=10, ge=1, description="K of Eq. 3")
    overlap: int = Field(default=4, ge=0, description="n_a of Eq. 6")
    affinity: AffinityParts = "both"
    temperature: Literal["dynamic", "fixed"] = "dynamic"
    fixed_temperature: float = Field(default=0.1, ge=0.03)
    momentum: float = Field(default=0.9, ge=0, lt=1, description="gamma of Eq. 7")
    decay: float = Field(default=1.0, gt=0, le=1, description="of the confusions, once an epoch; 1 keeps all")
    symmetric: bool = False
    prototypes_from: Literal["correct", "all"] = "correct"
    fallback: Literal["prototype", "none"] = "prototype"

    @model_validator(mode="after")
    def _whole_counts(self) -> Self:
        if self.mode == "official" and self.decay != 1:
            raise ValueError("official mode has no decay")
        return self


class IntraConfig(_Section):
    """Intra-class marginal contrastive loss (Eq. 15) over the batch and a memory of earlier embeddings."""

    enabled: bool = True
    mode: Mode = "paper"
    weight: float = Field(default=0.1, ge=0)
    start_epoch: int | float = Field(default=0, ge=0, description="an epoch, or below 1 a share of all epochs")
    temperature: float = Field(default=0.1, ge=0.03)
    epsilon: float = Field(default=0.1, ge=0, description="margin in cosine units; `official` mode reads it times tau")
    bank: int = Field(default=512, ge=1, description="embeddings remembered, the batch among them")


class LossConfig(_Section):
    """All terms of Eq. 16.

    feature: what the two contrastive losses see. `embedding` is what retrieval compares (the network's `tap`
    decides what it is made of); `pooled` and `graph` are the single projections, not of unit length.
    """

    feature: Feature = "embedding"
    ce: CrossEntropyConfig = CrossEntropyConfig()
    inter: InterConfig = InterConfig()
    intra: IntraConfig = IntraConfig()


def epoch_of(start: int | float, epochs: int) -> int:
    """The epoch that a `start_epoch` names: an epoch itself, or below 1 a share of all.

    >>> epoch_of(30, 150), epoch_of(0.2, 150), epoch_of(0, 150)
    (30, 30, 0)
    """
    return int(start * epochs + 0.5) if 0 < start < 1 else int(start)
