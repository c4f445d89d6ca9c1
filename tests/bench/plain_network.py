"""The network as it was published, line by line as its description has it: only what ours is compared with.

Relations are convolved in every frame and then averaged over time; a channel's graph is a tensor of six axes; einsum
mixes the joints; the global joint is concatenated; six branches, each with its own convolution at the head. Names of
parameters are the published ones, so that published weights can be loaded.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

DILATIONS = (1, 2, 3, 4)


class Mixed(NamedTuple):
    """values: (N, C, T, V). graph: (N, C, V, V), the learned graph of each channel without the static one."""

    values: Tensor
    graph: Tensor


class PlainGraphUnit(nn.Module):
    """The spatial unit."""

    def __init__(self, channels: int, width: int, joints: int, subsets: int) -> None:
        super().__init__()
        self.subsets, self.middle = subsets, width // subsets
        self.A = nn.Parameter(torch.empty(subsets, joints, joints).normal_(0.04, 0.02))
        self.alpha, self.beta = nn.Parameter(torch.zeros(subsets)), nn.Parameter(torch.zeros(subsets))
        self.pre = nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width), nn.ReLU())
        self.conv1, self.conv2 = nn.Conv2d(channels, width, 1), nn.Conv2d(channels, width, 1)
        self.post = nn.Conv2d(width, width, 1)
        self.bn = nn.BatchNorm2d(width)
        self.down: nn.Module = nn.Identity()
        if channels != width:
            self.down = nn.Sequential(nn.Conv2d(channels, width, 1), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Mixed:
        n, _, t, v = x.shape
        grouped = (n, self.subsets, self.middle, t, v)
        first, second = (self.response(convolution, x) for convolution in (self.conv1, self.conv2))
        channelwise = torch.tanh(first.unsqueeze(-1) - second.unsqueeze(-2))  # (N, K, C / K, 1, V, V)
        adaptive = torch.einsum("nkctv,nkctw->nktvw", first, second).softmax(dim=-2)
        learned = channelwise * self.alpha[0] + adaptive.unsqueeze(2) * self.beta[0]
        graphs = (self.A[None, :, None, None] + learned).squeeze(3)
        mixed = torch.einsum("nkctv,nkcvw->nkctw", self.pre(x).reshape(grouped), graphs).contiguous()
        out = torch.relu(self.bn(self.post(mixed.reshape(n, -1, t, v))) + self.down(x))
        return Mixed(out, learned.reshape(n, -1, v, v))

    def response(self, convolution: nn.Module, x: Tensor) -> Tensor:
        """Of each joint, averaged over time: (N, K, C / K, 1, V)."""
        n, _, t, v = x.shape
        grouped = (n, self.subsets, self.middle, t, v)
        responses: Tensor = convolution(x).reshape(grouped)
        return responses.mean(dim=-2, keepdim=True)


class PlainTemporalConvolution(nn.Module):
    """A dilated convolution over time."""

    def __init__(self, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            width, width, (3, 1), stride=(stride, 1), padding=(dilation, 0), dilation=(dilation, 1)
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out


class PlainTemporalUnit(nn.Module):
    """The temporal unit: six branches over the joints and their mean."""

    def __init__(self, width: int, stride: int, coefficients: int = 25) -> None:
        super().__init__()
        part = width // 6
        first = width - 5 * part
        branches: list[nn.Module] = [
            nn.Sequential(
                nn.Conv2d(width, size, 1), nn.BatchNorm2d(size), nn.ReLU(), PlainTemporalConvolution(size, stride, d)
            )
            for size, d in zip((first, part, part, part), DILATIONS, strict=True)
        ]
        pooled = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        branches.append(nn.Sequential(nn.Conv2d(width, part, 1), nn.BatchNorm2d(part), nn.ReLU(), pooled))
        branches.append(nn.Conv2d(width, part, 1, stride=(stride, 1)))
        self.branches = nn.ModuleList(branches)
        self.add_coeff = nn.Parameter(torch.zeros(coefficients))
        self.transform = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 1))
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        v = x.shape[-1]
        x = torch.cat([x, x.mean(dim=-1, keepdim=True)], dim=-1)
        out = torch.cat([branch(x) for branch in self.branches], dim=1)
        together = torch.einsum("nct,v->nctv", out[..., v], self.add_coeff[:v])
        result: Tensor = self.bn(self.transform(out[..., :v] + together))
        return result


class PlainResidual(nn.Module):
    """What goes round a block whose width or stride changes."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(channels, width, 1, stride=(stride, 1)), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.bn(self.conv(x))
        return out


class PlainBlock(nn.Module):
    """A spatial and a temporal unit; no residual round the first."""

    def __init__(self, channels: int, width: int, stride: int, joints: int, subsets: int, first: bool) -> None:
        super().__init__()
        self.gcn = PlainGraphUnit(channels, width, joints, subsets)
        self.tcn = PlainTemporalUnit(width, stride)
        self.residual: nn.Module | None = None
        if not first:
            same = channels == width and stride == 1
            self.residual = nn.Identity() if same else PlainResidual(channels, width, stride)

    def forward(self, x: Tensor) -> Mixed:
        values, graph = self.gcn(x)
        out = self.tcn(values)
        return Mixed(torch.relu(out if self.residual is None else out + self.residual(x)), graph)


class PlainBackbone(nn.Module):
    """(N, M, T, V, C) clips to the map (N, M, C, T', V) and the last block's learned graph (N, V * V)."""

    def __init__(
        self, channels: int, joints: int, widths: Sequence[int], strides: Sequence[int], subsets: int = 8
    ) -> None:
        super().__init__()
        self.data_bn = nn.BatchNorm1d(joints * channels)
        shapes = zip([channels, *widths], widths, strides, strict=False)
        self.gcn = nn.ModuleList(
            PlainBlock(before, width, stride, joints, subsets, first=i == 0)
            for i, (before, width, stride) in enumerate(shapes)
        )

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        n, m, t, v, c = clips.shape
        x = self.data_bn(clips.permute(0, 1, 3, 4, 2).contiguous().view(n * m, v * c, t))
        x = x.view(n, m, v, c, t).permute(0, 1, 3, 4, 2).contiguous().view(n * m, c, t, v)
        graph = x
        for block in self.gcn:
            x, graph = block(x)
        learned = graph.reshape(n, m, -1, v, v).mean(dim=1).mean(dim=1)
        return x.reshape(n, m, *x.shape[1:]), learned.reshape(n, -1)


class PlainNet(nn.Module):
    """Backbone, classification head, and the projection of the learned graph that the contrastive losses see."""

    def __init__(self, backbone: PlainBackbone, joints: int, width: int, classes: int, dim: int = 256) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(width, classes)
        self.project = nn.Linear(joints**2, dim)

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips (N, M, T, V, C) to logits (N, classes) and projected graphs (N, dim)."""
        values, graph = self.backbone(clips)
        pooled = values.mean(dim=(3, 4)).mean(dim=1)
        return self.head(pooled), self.project(graph)


def published(ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors of our backbone, weights or gradients by name, under their published names; what is one convolution
    here and several there is divided."""
    found: dict[str, Tensor] = {}
    for name, tensor in ours.items():
        scope, _, rest = name.partition(".")
        if scope == "data_norm":
            found[f"data_bn.{rest}"] = tensor
        else:
            number, unit, *inner = rest.split(".")
            found |= {f"gcn.{number}.{key}": part for key, part in _UNITS[unit](".".join(inner), tensor).items()}
    return found


def _spatial(name: str, tensor: Tensor) -> dict[str, Tensor]:
    kind, _, last = name.partition(".")
    match kind:
        case "relation":
            first, second = (tensor[..., None] if last == "weight" else tensor).chunk(2)
            return {f"gcn.conv1.{last}": first, f"gcn.conv2.{last}": second}
        case "static":
            return {"gcn.A": tensor}
        case "norm":
            return {f"gcn.bn.{last}": tensor}
    return {f"gcn.{name}": tensor}


def _temporal(name: str, tensor: Tensor) -> dict[str, Tensor]:
    kind, _, last = name.partition(".")
    match kind:
        case "coefficient":
            return {"tcn.add_coeff": tensor}
        case "heads":
            parts = _divided(tensor, len(tensor) // 6, 6)
            return {f"tcn.branches.{i}{'' if i == 5 else '.0'}.{last}": part for i, part in enumerate(parts)}
        case "heads_norm":
            parts = [tensor] * 5 if last == "num_batches_tracked" else _divided(tensor, len(tensor) // 5, 5)
            return {f"tcn.branches.{i}.1.{last}": part for i, part in enumerate(parts)}
        case "dilated":
            branch, _, what = last.partition(".")
            return {f"tcn.branches.{branch}.3.conv.{what}": tensor}
    place = {"fuse_norm": "transform.0", "fuse": "transform.2", "norm": "bn"}[kind]
    return {f"tcn.{place}.{last}": tensor}


def _divided(tensor: Tensor, part: int, parts: int) -> list[Tensor]:
    """Equal parts but for the first, which has what is left over."""
    return list(tensor.split([len(tensor) - part * (parts - 1), *[part] * (parts - 1)]))


def _residual(name: str, tensor: Tensor) -> dict[str, Tensor]:
    number, _, last = name.partition(".")
    return {f"residual.{('conv', 'bn')[int(number)]}.{last}": tensor}


_UNITS = {"spatial": _spatial, "temporal": _temporal, "residual": _residual}
