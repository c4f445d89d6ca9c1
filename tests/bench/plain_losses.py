"""The two contrastive losses as they were published: dictionaries of counts, lists of embeddings, a loop for each
sample and for each pair of classes. Only what they are compared with; nothing uses them.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize, one_hot

NEIGHBOURS, OVERLAP = 10, 4


class PlainInter:
    """Inter-class loss. `families[c]` lists the classes of W(c)."""

    def __init__(self, classes: int, dim: int) -> None:
        self.classes = classes
        self.confused = [dict.fromkeys(range(classes), 0) for _ in range(classes)]
        self.prototypes = torch.randn(classes, dim)
        self.families: list[list[int]] = []

    def __call__(self, features: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
        predictions = logits.argmax(1)
        self._count(labels, predictions)
        prototypes = self._average(features, labels, predictions)
        features, prototypes = normalize(features, dim=1), normalize(prototypes, dim=1)
        losses = []
        for i in range(len(labels)):
            family = self.families[labels[i]]
            size = len(family)
            tau = 0.1 if size <= NEIGHBOURS else 0.5 if size <= 2 * NEIGHBOURS else 1.0
            chosen = prototypes[[labels[i].item(), *family]]
            scores = (chosen @ features[i].reshape(-1, 1) / tau).permute(1, 0).contiguous()
            losses.append(cross_entropy(scores, torch.tensor([0]), reduction="none"))
        return torch.cat(losses).mean()

    def _count(self, labels: Tensor, predictions: Tensor) -> None:
        batch = len(labels)
        for i in range(batch):
            if predictions[i] != labels[i]:
                self.confused[labels[i]][predictions[i].item()] += 1  # type: ignore[index]
            for j in range(batch):
                if predictions[j] == labels[i] and labels[j] != labels[i]:
                    self.confused[labels[i]][labels[j].item()] += 1  # type: ignore[index]

    def _average(self, features: Tensor, labels: Tensor, predictions: Tensor) -> Tensor:
        correct = one_hot(labels, self.classes).float() * one_hot(predictions, self.classes)
        count = correct.sum(0)[:, None]
        mean = correct.T @ features / (count + 1e-12)
        keep = torch.where(count > 0, 0.9, 1.0)
        moved = keep * self.prototypes + (1 - keep) * mean
        self.prototypes = moved.detach()
        return moved

    def rebuild(self) -> None:
        """The families from the counts: pair by pair, the overlap of two rows of a mask."""
        mask = torch.zeros(self.classes, self.classes)
        for i, counts in enumerate(self.confused):
            ranked = sorted(counts.items(), key=lambda item: item[1], reverse=True)[:NEIGHBOURS]
            for j, _ in ranked:
                mask[i][j] = 1
        weight = torch.zeros(self.classes, self.classes)
        for i in range(self.classes):
            for j in range(self.classes):
                if mask[i][j] == 1:
                    weight[i][j] = 0.5
        self.families = []
        for i in range(self.classes):
            for j in range(self.classes):
                if i != j:
                    shared = (mask[i] * mask[j]).sum()
                    if shared > OVERLAP:
                        weight[i][j] += shared / NEIGHBOURS
            self.families.append([j for j in range(self.classes) if weight[i][j] > 0])


class PlainIntra:
    """Intra-class loss over a list of the latest `memory` embeddings; each is compared with each."""

    def __init__(self, memory: int, tau: float = 0.1, epsilon: float = 0.1) -> None:
        self.memory, self.tau = memory, tau
        self.omega = float(torch.tensor(-epsilon, dtype=torch.float64).exp())
        self.features: list[Tensor] = []
        self.labels: list[Tensor] = []

    def __call__(self, features: Tensor, labels: Tensor) -> Tensor:
        features = normalize(features, dim=1)
        batch = len(features)
        for i in range(batch):
            self.features.append(features[i].detach())
            self.labels.append(labels[i])
        if len(self.features) > self.memory:
            for _ in range(batch):
                self.features.pop(0)
                self.labels.pop(0)
        if len(self.features) < self.memory:
            return torch.zeros(())
        return self._contrast(torch.cat([torch.stack(self.features[:-batch]), features]), batch)

    def _contrast(self, features: Tensor, batch: int) -> Tensor:
        names = torch.stack(self.labels)
        scores = features @ features.T / self.tau
        scores = scores - scores.max(dim=1, keepdim=True).values.detach()
        others = 1 - torch.eye(self.memory)
        same = (names[:, None] == names[None, :]).float()
        positive, negative = same * others, 1 - same
        raised = scores.exp() * others
        bottom = torch.log(self.omega * raised * positive + (raised * negative).sum(1, keepdim=True) + 1e-6)
        each = (positive * (scores - bottom)).sum(1) / positive.sum(1).clamp(min=1)
        return -each[-batch:].mean()
