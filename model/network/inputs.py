"""The first layers: what is where and how large is taken out, what was not seen is masked, streams are made.

They are layers and not preparation, so that they are in the exported graph and cannot drift from training. Inside,
arrays are planes (N, channels, T, V).
"""

from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.layout import Layout
from model.network.config import NetworkConfig, Normalisation, Span
from model.network.streams import OfficialStreams, Streams

SHOULDERS, HIPS = ("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")
TINY = 1e-6
FAR = 20.0  # body sizes; further out is a detector's slip, and stays finite


class _Weighted(NamedTuple):
    """Sums over joints of values times confidence, and of confidence: (N, C, T, 1) and (N, 1, T, 1)."""

    total: Tensor
    weight: Tensor

    @classmethod
    def of(cls, values: Tensor, confidence: Tensor) -> Self:
        return cls((values * confidence).sum(3, keepdim=True), confidence.sum(3, keepdim=True))

    @property
    def mean(self) -> Tensor:
        return self.total / self.weight.clamp_min(TINY)

    def also(self, other: "_Weighted") -> "_Weighted":
        return _Weighted(self.total + other.total, self.weight + other.weight)

    def over(self, span: Span, window: int) -> "_Weighted":
        """Averaged over time: one value for each frame, or one for all, T = 1."""
        match span:
            case "frame":
                return self
            case "clip" | "none":  # what is not taken out need not be averaged
                return _Weighted(self.total.mean(2, keepdim=True), self.weight.mean(2, keepdim=True))
            case "moving":
                return _Weighted(_moving_mean(self.total, window), _moving_mean(self.weight, window))


def _moving_mean(values: Tensor, window: int) -> Tensor:
    return functional.avg_pool2d(values, (window, 1), stride=1, padding=(window // 2, 0))


class Normalise(nn.Module):
    """Planes (N, dims + 1, T, V), confidence last, to joints (N, dims, T, V) about a body's centre, in units of its
    size, and confidence (N, 1, T, V). A joint of confidence 0 contributes nothing and comes out as 0.

    Centre: confidence-weighted mean of hips and shoulders, of all seen joints where none of those is seen.
    Size: length of the torso, but at least a quarter of the body's extent (root mean square distance of the
    joints from their mean), which alone counts where no torso is seen.
    """

    shoulders: Tensor
    hips: Tensor

    def __init__(self, layout: Layout, spans: Normalisation) -> None:
        super().__init__()
        self.spans = spans
        for name, ends in (("shoulders", SHOULDERS), ("hips", HIPS)):
            here = torch.tensor([layout.index(joint) for joint in ends])
            self.register_buffer(name, here, persistent=False)

    def forward(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        confidence = planes[:, -1:].clamp(0, 1)
        seen = (confidence > 0).to(planes.dtype)
        joints = planes[:, :-1] * seen
        upper, lower = self._ends(joints, confidence)
        everything = _Weighted.of(joints, confidence)
        centre = self._centre(upper.also(lower), everything)
        extent = ((joints - everything.mean) * seen).square().sum(1, keepdim=True)
        size = self._size(upper, lower, _Weighted.of(extent, confidence))
        joints = (joints - centre) * seen / size
        return (joints if self.spans.scale == "none" else joints.clamp(-FAR, FAR)), confidence

    def _ends(self, joints: Tensor, confidence: Tensor) -> tuple[_Weighted, _Weighted]:
        upper, lower = (
            _Weighted.of(joints.index_select(3, each), confidence.index_select(3, each))
            for each in (self.shoulders, self.hips)
        )
        return upper, lower

    def _centre(self, torso: _Weighted, everything: _Weighted) -> Tensor:
        if self.spans.centre == "none":
            return torch.zeros_like(torso.total[:, :, :1])
        torso, everything = (each.over(self.spans.centre, self.spans.window) for each in (torso, everything))
        return torch.where(torso.weight > TINY, torso.mean, everything.mean)

    def _size(self, upper: _Weighted, lower: _Weighted, extent: _Weighted) -> Tensor:
        if self.spans.scale == "none":
            return torch.ones_like(upper.weight[:, :, :1])
        weight = torch.minimum(upper.weight, lower.weight)
        length = (upper.mean - lower.mean).square().sum(1, keepdim=True).sqrt()
        torso = _Weighted(length * weight, weight).over(self.spans.scale, self.spans.window).mean
        spread = extent.over(self.spans.scale, self.spans.window).mean.sqrt()
        size = torch.where(torso > TINY, torch.maximum(torso, spread / 4), spread)
        return torch.where(size > TINY, size, torch.ones_like(size))


class Inputs(nn.Module):
    """Clips (N, T, V, dims + 1) to the backbone's planes (N, C, T, V), in float32 whatever the autocast."""

    def __init__(self, layout: Layout, config: NetworkConfig) -> None:
        super().__init__()
        self.normalise = Normalise(layout, config.normalisation)
        self.streams = (
            OfficialStreams(layout, config.streams)
            if config.scores == "official"
            else Streams(layout, config.streams, config.confidence)
        )

    def forward(self, clips: Tensor) -> Tensor:
        planes: Tensor = self.streams(*self.normalise(clips.float().permute(0, 3, 1, 2).contiguous()))
        return planes
