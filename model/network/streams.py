"""Streams: what is made of a body's joints for the network to see. Arrays are planes (N, channels, T, V)."""

from collections.abc import Sequence
from typing import assert_never

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.layout import Layout
from model.network.config import Stream

DIFFERENCED = "coco-20"
SHORTEST = 1e-4


class Streams(nn.Module):
    """Planes of joints and of confidence to channels: the streams one after the other, then the confidence.

    joint: as it is. bone: child minus parent. k-bone: minus the parent's parent (InfoGCN), 0 for a child of the root,
    which has none. motion, bone-motion, k-bone-motion: the next frame's of these minus this one's, 0 in the last. All
    but joints are 0 where either end was not seen.

    GaitGraph's further inputs (GaitGraph2's MultiInput as its authors meant it, whose scores overwrite two of them):
    relative: to the root joint. long-motion: the frame after the next minus this one, 0 in the last two. angle: that of
    the bone with each axis, in radians.
    """

    parents: Tensor
    grandparents: Tensor
    roots: Tensor

    def __init__(self, layout: Layout, streams: tuple[Stream, ...], confidence: bool) -> None:
        super().__init__()
        self.streams, self.confidence = streams, confidence
        self.register_buffer("parents", torch.tensor(layout.parents), persistent=False)
        self.register_buffer("grandparents", torch.tensor(grandparents(layout.parents)), persistent=False)

        roots = [joint for joint, above in enumerate(layout.parents) if joint == above]
        self.register_buffer("roots", torch.tensor(roots[:1] * layout.count), persistent=False)

    def forward(self, joints: Tensor, confidence: Tensor) -> Tensor:
        seen = (confidence > 0).to(joints.dtype)
        channels = [self._stream(stream, joints, seen) for stream in self.streams]
        return torch.cat([*channels, *self._confidence(confidence)], dim=1)

    def _confidence(self, confidence: Tensor) -> Sequence[Tensor]:
        return [confidence] if self.confidence else []

    def _stream(self, stream: Stream, joints: Tensor, seen: Tensor) -> Tensor:
        match stream:
            case "joint":
                return joints
            case "bone":
                return _bones(joints, seen, self.parents)[0]
            case "k-bone":
                return _bones(joints, seen, self.grandparents)[0]
            case "motion":
                return _motion(joints, seen)
            case "bone-motion":
                return _motion(*_bones(joints, seen, self.parents))
            case "k-bone-motion":
                return _motion(*_bones(joints, seen, self.grandparents))
            case "relative":
                return _bones(joints, seen, self.roots)[0]
            case "long-motion":
                return _motion(joints, seen, frames=2)
            case "angle":
                return _angles(*_bones(joints, seen, self.parents))
            case _:
                assert_never(stream)


class OfficialStreams(Streams):
    """The same with the published third channel of two-dimensional joints: what the stream makes of the scores.

    bone: the mean of both ends' scores. k-bone: likewise; motions: the mean of both frames' scores, 0 in the last. On
    `coco-20`, with which Kinetics and FineGYM are trained, the published code forgets the last two rules: there, scores
    are subtracted like coordinates. (ACLNet's JointToBone, JointToKB, ToMotion.)
    """

    def __init__(self, layout: Layout, streams: tuple[Stream, ...]) -> None:
        super().__init__(layout, streams, confidence=True)
        self.differenced = layout.name == DIFFERENCED

    def _confidence(self, confidence: Tensor) -> Sequence[Tensor]:
        return [self._scores(stream, confidence) for stream in self.streams]

    def _scores(self, stream: Stream, confidence: Tensor) -> Tensor:
        match stream:
            case "joint":
                return confidence
            case "bone":
                return (confidence + confidence.index_select(3, self.parents)) / 2
            case "k-bone":
                above = confidence.index_select(3, self.grandparents)
                return confidence - above if self.differenced else (confidence + above) / 2
            case "motion":
                return self._over_time(confidence)
            case "bone-motion":
                return self._over_time(self._scores("bone", confidence))
            case "k-bone-motion":
                return self._over_time(self._scores("k-bone", confidence))
            case "relative" | "long-motion" | "angle":
                raise AssertionError(f"{stream} is not ACLNet's, and the configuration refuses it")
            case _:
                assert_never(stream)

    def _over_time(self, scores: Tensor) -> Tensor:
        before, after = scores[:, :, :-1], scores[:, :, 1:]
        return _last_nothing(after - before if self.differenced else (after + before) / 2)


def grandparents(parents: Sequence[int]) -> list[int]:
    """Each joint's parent's parent; of the root and its children, themselves.

    >>> grandparents([0, 0, 1, 2])
    [0, 1, 0, 1]
    """
    return [joint if parents[above] == above else parents[above] for joint, above in enumerate(parents)]


def _bones(joints: Tensor, seen: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
    """Joints less those above them, and where both ends were seen."""
    both = seen * seen.index_select(3, above)
    return (joints - joints.index_select(3, above)) * both, both


def _motion(values: Tensor, seen: Tensor, frames: int = 1) -> Tensor:
    step = (values[:, :, frames:] - values[:, :, :-frames]) * (seen[:, :, frames:] * seen[:, :, :-frames])
    return _last_nothing(step, frames)


def _angles(bones: Tensor, both: Tensor) -> Tensor:
    """Radians between each bone and each axis. Its length is never 0, and a little more than it is, as published."""
    length = bones.square().sum(1, keepdim=True).sqrt() + SHORTEST
    return torch.acos(bones / length) * both


def _last_nothing(values: Tensor, frames: int = 1) -> Tensor:
    """As many frames more, of zeros."""
    return functional.pad(values, (0, 0, 0, frames))
