"""Who is confused with whom: neighbours, affinity similarity, Motion Families and their temperatures.

All of it is a handful of operations on (classes, classes) matrices; nothing waits for the device.
"""

import torch
from torch import Tensor

from training.losses.config import AffinityParts

TEMPERATURES = (0.1, 0.5, 1.0)
"""Of families up to K members, up to 2 K, and above (Eq. 9)."""
# Affinities are fractions with small denominators: far above this, and float error far below.
_HAIR = 1e-5


def neighbours(confusion: Tensor, k: int) -> Tensor:
    """Indicator (classes, classes), bool, of the k classes that class i is most confused with.   # Eq. 3, 4

    A class is not its own neighbour, and one never confused with i is none: rows may hold fewer than k.
    """
    count = confusion.shape[0]
    others = confusion.masked_fill(torch.eye(count, dtype=torch.bool, device=confusion.device), 0)
    best, place = others.topk(min(k, count), dim=1)
    return torch.zeros_like(others, dtype=torch.bool).scatter_(1, place, best > 0)


def official_neighbours(confusion: Tensor, k: int) -> Tensor:
    """As the published code has it: ties go to the lower index; the class itself and zero counts take part.

    The counts must be whole, as they are without decay.
    """
    count = len(confusion)
    # One number that orders by count, then by index: many times faster than a stable sort of whole rows.
    order = confusion.double() * count - torch.arange(count, device=confusion.device)
    place = order.topk(min(k, count), dim=1, sorted=False).indices
    return torch.zeros_like(confusion, dtype=torch.bool).scatter_(1, place, True)


def nearest_prototypes(prototypes: Tensor, seen: Tensor, k: int) -> Tensor:
    """Indicator (classes, classes) of the k prototypes closest to each class, among those seen and not its own."""
    unit = torch.nn.functional.normalize(prototypes, dim=1)
    cosines = (unit @ unit.T).masked_fill(~seen[None, :], -torch.inf)
    cosines.fill_diagonal_(-torch.inf)
    best, place = cosines.topk(min(k, len(cosines)), dim=1)
    return torch.zeros_like(cosines, dtype=torch.bool).scatter_(1, place, best > -torch.inf) & seen[:, None]


def affinity(indicator: Tensor, parts: AffinityParts = "both") -> Tensor:
    """Affinity similarity w (classes, classes) from the neighbour indicator.   # Eq. 5

    >>> affinity(torch.tensor([[0, 1, 1], [1, 0, 1], [0, 1, 0]]).bool())[0].tolist()
    [1.0, 1.0, 1.0]
    """
    binary = indicator.float()
    if parts == "pairwise":
        return binary / 2
    shared = binary @ binary.T / binary.sum(dim=1, keepdim=True).clamp(min=1)
    return shared if parts == "contextual" else binary / 2 + shared


def families(similarity: Tensor, k: int, overlap: int) -> Tensor:
    """Motion Families (classes, classes), bool: j is in W(i) if w_ij > overlap / k; never i itself.   # Eq. 6

    From overlap = k / 2 up a neighbour is a member only if it also shares neighbours: alone it weighs 1/2.
    """
    member = similarity > overlap / k + _HAIR
    return member.fill_diagonal_(False)


def official_affinity(indicator: Tensor, k: int, overlap: int) -> Tensor:
    """As the published code has it: half for a neighbour, and shared neighbours / k where they are above `overlap`."""
    binary = indicator.float()
    shared = (binary @ binary.T).fill_diagonal_(0)
    return binary / 2 + shared.masked_fill_(shared <= overlap, 0) / k


def official_families(similarity: Tensor) -> Tensor:
    """As the published code has it: whoever has any affinity, itself too if it is among its own neighbours."""
    return similarity > 0


def family_temperatures(member: Tensor, k: int, temperatures: tuple[float, float, float] = TEMPERATURES) -> Tensor:
    """Temperature (classes,) by family size: `temperatures` for up to k members, up to 2k, and above.   # Eq. 9"""
    small, middle, large = temperatures
    size = member.sum(dim=1)
    tau = torch.full(size.shape, large, device=member.device)
    return tau.masked_fill_(size <= 2 * k, middle).masked_fill_(size <= k, small)
