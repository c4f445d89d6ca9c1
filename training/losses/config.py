"""What a recipe may say about the losses; every default is the paper's unless a comment says otherwise.

`mode` chooses between the paper's equations and what the published code does instead. Each place where the two differ
also has a key of its own, which by default ("mode") is as `mode` has it:

| key | paper | official |
|---|---|---|
| inter.counting | class i taken for j adds to H_ij (Eq. 3) | also to H_ji, once for each sample of j in the batch |
| inter.neighbourhood | never oneself, no zero counts (Eq. 3) | ties and zeros by index, oneself among them |
| inter.prototype_mean | of unit vectors | of the projections as they are |
| inter.prototype_start | the first mean of the class | noise |
| inter.prototype_gradient | stops at Eq. 7 | runs through the batch's part of the prototypes |
| intra.margin | Eq. 15: exp((s - eps) / tau) | exp(s / tau - eps): eps = 0.1 is 0.01 in cosine units at tau = 0.1 |
| intra.anchors | those that have a positive | all; those without add 0 |
| intra.full_memory | the memory is used from the first step | the loss is 0 until it is full |

Three differences are not between the modes. The paper takes prototypes from all samples of a class and knows no memory
(`inter.prototypes_from`, `intra.bank`); our defaults are the published code's. The paper begins with both contrasts at
epoch 30 of 150, the published code with the second one at once (`inter.start_epoch`, `intra.start_epoch`; ours as
published). The paper projects the last hidden representation, the published code the last learned graph, once for
each loss (`feature`); here the two losses see one projection, that of the network.

Eq. 6 and the official families agree for n_a = 4, K = 10 and full rows. From n_a = K / 2 up they do not: a neighbour
weighs 1/2 (Eq. 5), which no longer is above n_a / K, so that the paper's family keeps it only if the two classes also
share neighbours; the published code keeps every neighbour whatever n_a is.
"""

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Mode = Literal["paper", "official"]
AffinityParts = Literal["pairwise", "contextual", "both"]
Feature = Literal["embedding", "pooled", "graph", "both"]
Counting = Literal["row", "symmetric", "batch"]
Margin = Literal["cosine", "exponent"]
# exp(1 / 0.03) is 3e14: sums of that, and its square, still fit into float32.
Temperature: TypeAlias = Annotated[float, Field(ge=0.03)]


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
    """Inter-class affinity contrastive loss (Eq. 3-9).

    weight: lambda 1 of Eq. 16. start_epoch: an epoch (0-based), or below 1 a share of all epochs; the paper's 30 of
    150 is 0.2. record_epochs: confusions are counted from that many epochs before the start. neighbours: K of Eq. 3.
    overlap: n_a of Eq. 6. affinity: which terms of Eq. 5. temperatures: of families up to K, up to 2 K and above
    (Eq. 9); `fixed` gives all of them `fixed_temperature`. momentum: gamma of Eq. 7. prototypes_from: the samples named
    correctly (the published code) or all of a class (the paper). fallback: whose neighbours a class takes that was
    never confused: those of the nearest prototypes, or none; the paper has no such case, gait has it soon.
    decay: of the confusions, once an epoch; 1 keeps all of them. symmetric: counting = "symmetric".
    """

    enabled: bool = True
    mode: Mode = "paper"
    weight: float = Field(default=0.1, ge=0)
    start_epoch: int | float = Field(default=0.2, ge=0)
    record_epochs: int = Field(default=1, ge=0)
    neighbours: int = Field(default=10, ge=1)
    overlap: int = Field(default=4, ge=0)
    affinity: AffinityParts = "both"
    temperature: Literal["dynamic", "fixed"] = "dynamic"
    fixed_temperature: Temperature = 0.1
    temperatures: tuple[Temperature, Temperature, Temperature] = (0.1, 0.5, 1.0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    decay: float = Field(default=1.0, gt=0, le=1)
    symmetric: bool = False
    counting: Literal["mode"] | Counting = "mode"
    neighbourhood: Literal["mode"] | Mode = "mode"
    prototypes_from: Literal["correct", "all"] = "correct"
    prototype_mean: Literal["mode", "unit", "raw"] = "mode"
    prototype_start: Literal["mode", "first", "noise"] = "mode"
    prototype_gradient: Literal["mode"] | bool = "mode"
    fallback: Literal["prototype", "none"] = "prototype"

    @property
    def official(self) -> bool:
        return self.mode == "official"

    @property
    def counts(self) -> Counting:
        if self.counting != "mode":
            return self.counting
        return "batch" if self.official else "symmetric" if self.symmetric else "row"

    @property
    def official_neighbourhood(self) -> bool:
        return self.official if self.neighbourhood == "mode" else self.neighbourhood == "official"

    @property
    def raw_means(self) -> bool:
        return self.official if self.prototype_mean == "mode" else self.prototype_mean == "raw"

    @property
    def noisy_start(self) -> bool:
        return self.official if self.prototype_start == "mode" else self.prototype_start == "noise"

    @property
    def through_prototypes(self) -> bool:
        return self.official if self.prototype_gradient == "mode" else self.prototype_gradient

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.official_neighbourhood and self.decay != 1:
            raise ValueError("official neighbours have no decay: their order needs whole counts")
        if self.official_neighbourhood and self.affinity != "both":
            raise ValueError("official neighbours know no part of the affinity; take the paper's")
        return self


class IntraConfig(_Section):
    """Intra-class marginal contrastive loss (Eq. 15) over the batch and a memory of earlier embeddings.

    weight: lambda 2 of Eq. 16. epsilon: the margin, in cosine units where `margin` is "cosine" (Eq. 15), else in units
    of the exponent. bank: embeddings remembered, the batch among them; 0 is the batch alone, as in the paper.
    reduction: over the positives of an anchor; the paper sums, the published code has their mean, and so have we: a sum
    grows with the batch. Over anchors it is the mean.
    """

    enabled: bool = True
    mode: Mode = "paper"
    weight: float = Field(default=0.1, ge=0)
    start_epoch: int | float = Field(default=0, ge=0, description="an epoch, or below 1 a share of all epochs")
    temperature: Temperature = 0.1
    epsilon: float = Field(default=0.1, ge=0)
    bank: int = Field(default=512, ge=0)
    margin: Literal["mode"] | Margin = "mode"
    reduction: Literal["mean", "sum"] = "mean"
    anchors: Literal["mode", "positive", "all"] = "mode"
    full_memory: Literal["mode"] | bool = "mode"

    @property
    def official(self) -> bool:
        return self.mode == "official"

    @property
    def exponent(self) -> float:
        """What is taken off the exponent of a positive: the margin, divided by the temperature where it is a cosine."""
        form = ("exponent" if self.official else "cosine") if self.margin == "mode" else self.margin
        return self.epsilon if form == "exponent" else self.epsilon / self.temperature

    @property
    def every_anchor(self) -> bool:
        return self.official if self.anchors == "mode" else self.anchors == "all"

    @property
    def waits(self) -> bool:
        return self.official if self.full_memory == "mode" else self.full_memory


class LossConfig(_Section):
    """All terms of Eq. 16.

    feature: what the two contrastive losses see. `embedding` is what retrieval compares (the network's `tap`
    decides what it is made of); `pooled` (the paper) and `graph` (the published code) are the single projections, not
    of unit length; `both` has the two, each of unit length, end to end.
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
