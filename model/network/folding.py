"""A trained network with its batch normalisation folded into the convolutions before it: the same, in fewer steps."""

from copy import deepcopy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.network.aclnet import AclNet
from model.network.spatial import GraphConvolution
from model.network.temporal import TemporalConvolution


def folded(network: AclNet) -> AclNet:
    """A copy in evaluation mode without those batch normalisations that follow a convolution."""
    copy = deepcopy(network).eval()
    for module in list(copy.modules()):
        if isinstance(module, nn.Sequential):
            _fold_pair(module)
        elif isinstance(module, GraphConvolution):
            module.post, module.norm = fuse_conv_bn_eval(module.post, module.norm), nn.Identity()  # type: ignore[assignment]
        elif isinstance(module, TemporalConvolution):
            module.fuse, module.norm = fuse_conv_bn_eval(module.fuse, module.norm), nn.Identity()  # type: ignore[assignment]
            _fold_heads(module)
    return copy


def _fold_pair(pair: nn.Sequential) -> None:
    convolution, norm = pair[0], pair[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    pair[0], pair[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()


@torch.no_grad()
def _fold_heads(unit: TemporalConvolution) -> None:
    """The norm of the heads covers all of their channels but the last branch's."""
    norm, count = unit.heads_norm, unit.heads_norm.num_features
    assert norm.running_var is not None
    assert norm.running_mean is not None
    assert unit.heads.bias is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    unit.heads.weight[:count] *= scale[:, None, None, None]
    unit.heads.bias[:count] = (unit.heads.bias[:count] - norm.running_mean) * scale + norm.bias
    unit.heads_norm = nn.Identity()  # type: ignore[assignment]
