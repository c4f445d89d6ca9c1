"""The first layers: what is where and how large is taken out, what was not seen is masked, streams are made.

They are layers and not preparation, so that they are in the exported graph and cannot drift from training.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.layout import Layout
from model.network.config import NetworkConfig, Normalisation, Span, Stream

TORSO = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
TINY = 1e-6
FAR = 20.0  # body sizes; further out is a detector's slip, and stays finite


class Normalise(nn.Module):
    """Clips (N, T, V, dims + 1) to joints (N, T, V, dims) about a body's centre, in units of its size, and their
    confidence (N, T, V, 1). A joint of confidence 0 contributes nothing and comes out as 0.

    Centre: confidence-weighted mean of hips and shoulders, of all seen joints where none of those is seen.
    Size: length of the torso, but at least a quarter of the body's extent (root mean square distance of the
    joints from the centre), which alone counts where no torso is seen.
    """

    torso: Tensor
    shoulders: Tensor
    hips: Tensor

    def __init__(self, layout: Layout, spans: Normalisation) -> None:
        super().__init__()
        self.spans = spans
        for name, ends in (("torso", TORSO), ("shoulders", TORSO[:2]), ("hips", TORSO[2:])):
            here = torch.tensor([float(joint in ends) for joint in layout.joints])
            self.register_buffer(name, here[:, None], persistent=False)

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        clips = clips.float()
        confidence = clips[..., -1:].clamp(0, 1)
        seen = (confidence > 0).to(clips.dtype)
        joints = clips[..., :-1] * seen
        centred = (joints - self._centre(joints, confidence)) * seen
        size = self._size(centred, confidence)
        return (centred / size).clamp(-FAR, FAR), confidence

    def _centre(self, joints: Tensor, confidence: Tensor) -> Tensor:
        centre, weight = self._mean(joints, confidence * self.torso, self.spans.centre)
        of_all, _ = self._mean(joints, confidence, self.spans.centre)
        return torch.where(weight > TINY, centre, of_all)

    def _mean(self, joints: Tensor, weight: Tensor, span: Span) -> tuple[Tensor, Tensor]:
        total, weight = self._over((joints * weight).sum(2), span), self._over(weight.sum(2), span)
        return (total / weight.clamp_min(TINY)).unsqueeze(2), weight.unsqueeze(2)

    def _size(self, centred: Tensor, confidence: Tensor) -> Tensor:
        upper, upper_weight = self._mean(centred, confidence * self.shoulders, "frame")
        lower, lower_weight = self._mean(centred, confidence * self.hips, "frame")
        length = (upper - lower).square().sum(-1, keepdim=True).sqrt()
        torso, _ = self._mean(length, torch.minimum(upper_weight, lower_weight), self.spans.scale)
        spread, _ = self._mean(centred.square().sum(-1, keepdim=True), confidence, self.spans.scale)
        size = torch.maximum(torso, spread.sqrt() / 4)
        size = torch.where(torso > TINY, size, spread.sqrt())
        return torch.where(size > TINY, size, torch.ones_like(size))

    def _over(self, values: Tensor, span: Span) -> Tensor:
        """(N, T, C) averaged over time: one value for each frame, or one for all (N, 1, C)."""
        if span == "frame":
            return values
        if span == "clip":
            return values.mean(1, keepdim=True)
        window = self.spans.window
        moved = functional.avg_pool1d(values.transpose(1, 2), window, stride=1, padding=window // 2)
        return moved.transpose(1, 2)


class Streams(nn.Module):
    """Joints and confidence to channels (N, T, V, C): the streams one after the other, then the confidence.

    joint: as it is. bone: child minus parent. motion: next frame minus this one, 0 in the last. Bone and motion
    are 0 where either end was not seen.
    """

    parents: Tensor

    def __init__(self, layout: Layout, streams: tuple[Stream, ...], confidence: bool) -> None:
        super().__init__()
        self.streams, self.confidence = streams, confidence
        self.register_buffer("parents", torch.tensor(layout.parents), persistent=False)

    def forward(self, joints: Tensor, confidence: Tensor) -> Tensor:
        seen = (confidence > 0).to(joints.dtype)
        channels = [self._stream(stream, joints, seen) for stream in self.streams]
        return torch.cat([*channels, confidence] if self.confidence else channels, dim=-1)

    def _stream(self, stream: Stream, joints: Tensor, seen: Tensor) -> Tensor:
        match stream:
            case "joint":
                return joints
            case "bone":
                parents, seen_parents = joints.index_select(2, self.parents), seen.index_select(2, self.parents)
                return (joints - parents) * seen * seen_parents
            case "motion":
                step = (joints[:, 1:] - joints[:, :-1]) * seen[:, 1:] * seen[:, :-1]
                return functional.pad(step, (0, 0, 0, 0, 0, 1))


class Inputs(nn.Module):
    """Clips (N, T, V, dims + 1) to the backbone's channels (N, T, V, C), in float32 whatever the autocast."""

    def __init__(self, layout: Layout, config: NetworkConfig) -> None:
        super().__init__()
        self.normalise = Normalise(layout, config.normalisation)
        self.streams = Streams(layout, config.streams, config.confidence)

    def forward(self, clips: Tensor) -> Tensor:
        streams: Tensor = self.streams(*self.normalise(clips))
        return streams
