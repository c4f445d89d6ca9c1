"""The batch of all ranks: each process of a distributed run computes the losses of the whole batch, exactly.

Every rank holds a slice of one batch, of equal length, in the order of the ranks. It gathers the others' features
without their gradient and puts its own, with gradient, in their place. So every rank counts the same confusions, moves
the same prototypes and remembers the same embeddings, and its gradient is that of the whole loss by its own slice.
"""

from typing import NamedTuple

import torch
from torch import Tensor, distributed


class Share(NamedTuple):
    """features (whole batch, dim), gradient in the own slice only; labels, predictions (whole batch,); ce: its mean."""

    features: Tensor
    labels: Tensor
    predictions: Tensor
    ce: Tensor


def ranks() -> int:
    """How many processes train together; 1 where none but this one does."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def gathered(own: Share) -> Share:
    """What all ranks have, from what each has; one exchange. Only for more than one rank."""
    count, dim = own.features.shape
    columns = torch.stack([own.labels.float(), own.predictions.float(), own.ce.expand(count)], dim=1)
    # Class indices are exact in float32: there are fewer than 2^24 classes.
    rows = torch.cat([own.features.detach(), columns], dim=1)
    each = [torch.empty_like(rows) for _ in range(ranks())]
    distributed.all_gather(each, rows)
    parts = [row[:, :dim] for row in each]
    parts[distributed.get_rank()] = own.features
    labels, predictions, ce = torch.cat(each)[:, dim:].unbind(dim=1)
    return Share(torch.cat(parts), labels.long(), predictions.long(), ce.mean())
