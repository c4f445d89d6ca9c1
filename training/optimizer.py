"""The optimiser, its learning rate over the steps, and the average of the weights it leaves behind."""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

from training.sections import OptimConfig


def rate(config: OptimConfig, batch: int) -> float:
    """Highest learning rate, where a batch has so many clips: `lr`, scaled to the clips of a step if it is meant to be.

    >>> rate(OptimConfig(lr=0.1, lr_batch=64, accumulate=2), 16)
    0.05
    """
    if config.lr_batch is None:
        return config.lr
    return config.lr * batch * config.accumulate / config.lr_batch


def make_optimizer(network: nn.Module, config: OptimConfig, lr: float) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum decays all weights, as published; AdamW spares biases, norms and single numbers."""
    if config.kind == "sgd":
        return torch.optim.SGD(
            network.parameters(), lr, momentum=config.momentum, nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        )  # fmt: skip
    decayed = [p for p in network.parameters() if p.ndim > 1]
    spared = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr)


def make_schedule(optimizer: torch.optim.Optimizer, config: OptimConfig, lr: float, steps: int) -> LRScheduler:
    """The learning rate over all `steps` of the optimiser."""
    if config.schedule == "onecycle":
        return OneCycleLR(optimizer, lr, total_steps=steps, cycle_momentum=False)
    return LambdaLR(optimizer, lambda step: cosine_share(step, steps, config.warmup))


def cosine_share(step: int, total: int, warmup: float) -> float:
    """Share of the full learning rate at a step: up in a straight line, then down to 0 along a cosine.

    >>> [round(cosine_share(step, 100, 0.1), 2) for step in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    rise = int(total * warmup)
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, total - rise)))) / 2


@torch.no_grad()
def average_into(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * network, parameters and buffers; whole numbers are copied."""
    new = network.state_dict()
    for name, old in average.state_dict().items():
        if old.is_floating_point():
            old.lerp_(new[name], 1 - decay)
        else:
            old.copy_(new[name])
