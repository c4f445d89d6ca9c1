"""What a network is made of; free of torch, so that recipes and manifests can be read by what serves."""

from typing import Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from model.named_layouts import KnownLayout

PublishedStream: TypeAlias = Literal["joint", "bone", "k-bone", "motion", "bone-motion", "k-bone-motion"]
FurtherStream: TypeAlias = Literal["relative", "long-motion", "angle"]
Stream: TypeAlias = Literal[PublishedStream, FurtherStream]
Span: TypeAlias = Literal["frame", "moving", "clip", "none"]
Tap: TypeAlias = Literal["pooled", "graph", "both"]
Scores: TypeAlias = Literal["given", "official"]
Head: TypeAlias = Literal["linear", "cosine"]


class Normalisation(BaseModel):
    """Over which frames a skeleton's centre and its size are averaged before they are taken out.

    `frame`: each frame by itself. `moving`: `window` frames around it. `clip`: all frames of the clip.
    `none`: it stays as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    centre: Span = "moving"
    scale: Span = "clip"
    window: int = Field(default=25, ge=3, le=999)

    @field_validator("window")
    @classmethod
    def _odd(cls, window: int) -> int:
        if window % 2 == 0:
            raise ValueError("must be odd, so that a window has a frame in its middle")
        return window


class NetworkConfig(BaseModel):
    """The network's shape. The defaults are the published one: ten blocks from 96 to 384 channels.

    streams: what is made of the joints; several are channels of one network. confidence: one more channel.
    scores: `official` gives one such channel to each stream, made as the published code makes it of 2-D joints' scores.
    people: of a clip (N, people, T, V, C); each goes through the network by itself, and their features are averaged.
    widths, strides: output channels and temporal stride of each block.
    joint_coefficients: least length of each block's per-joint coefficient of the global joint; the published
    network has 25 whatever the layout, and uses as many of them as there are joints.
    dim: of the embedding and of what the contrastive losses see. tap: what the embedding is a projection of;
    with `both`, each projection has half of `dim`.
    neck: the embedding is batch-normalised before it is brought to unit length. Without it the embeddings of a young
    network lie in one narrow cone, and training takes several times as long to begin.
    head: `linear` classifies the pooled feature; `cosine` classifies the embedding by its cosine with a
    direction for each class, times `cosine_scale`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: KnownLayout = "coco-17"
    dims: int = Field(default=2, ge=2, le=3)
    people: int = Field(default=1, ge=1, le=4)
    streams: tuple[Stream, ...] = Field(default=("joint",), min_length=1, max_length=9)
    confidence: bool = True
    scores: Scores = "given"
    normalisation: Normalisation = Normalisation()
    widths: tuple[int, ...] = Field(default=(96,) * 4 + (192,) * 3 + (384,) * 3, min_length=1, max_length=32)
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    subsets: int = Field(default=8, ge=1)
    joint_coefficients: int = Field(default=25, ge=1)
    tap: Tap = "pooled"
    dim: int = Field(default=256, ge=2, le=4096)
    neck: bool = False
    classes: int = Field(ge=1)
    head: Head = "linear"
    cosine_scale: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)

    @property
    def channels(self) -> int:
        """Channels that the backbone sees: coordinates of each stream, and the confidence."""
        scores = len(self.streams) if self.scores == "official" else int(self.confidence)
        return self.dims * len(self.streams) + scores

    @property
    def projection(self) -> int:
        """Width of each of the two projections."""
        return self.dim // 2 if self.tap == "both" else self.dim

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.strides) != len(self.widths):
            raise ValueError(f"{len(self.widths)} widths need as many strides, got {len(self.strides)}")
        if any(stride not in (1, 2) for stride in self.strides):
            raise ValueError("strides must be 1 or 2")
        if any(width < 6 or width % self.subsets for width in self.widths):
            raise ValueError(f"widths must be at least 6 and divisible by the {self.subsets} subsets")
        if len(set(self.streams)) != len(self.streams):
            raise ValueError("a stream is named twice")
        if self.scores == "official" and not (self.dims == 2 and self.confidence):
            raise ValueError("official scores are those of two-dimensional joints, with their confidence")
        if self.scores == "official" and not set(self.streams) <= set(get_args(PublishedStream)):
            raise ValueError("official scores are those of ACLNet's six streams")
        if self.tap == "both" and self.dim % 2:
            raise ValueError("dim must be even where two projections share it")
        return self
