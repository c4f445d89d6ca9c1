"""The loss step and the rebuild of the families against a plain transcription of the published algorithm.

python -P -m tests.bench.bench_losses
"""

import torch
from torch import Tensor

from tests.bench.plain_losses import PlainInter, PlainIntra
from tests.bench.report import Row, alternate, show
from training.losses.config import InterConfig, IntraConfig
from training.losses.inter import InterClassLoss
from training.losses.intra import IntraClassLoss

BATCH, DIM = 64, 256
# Milliseconds of the published modules, one thread of an idle machine; the transcription has to be as fast.
PUBLISHED_STEP = {60: 87.0, 400: 322.0}
PUBLISHED_REBUILD = {400: 5200.0}
TOLERANCE = 0.25


class Case:
    """Both implementations in one state: the same projections, counts, prototypes, families and full memories."""

    def __init__(self, classes: int, memory: int) -> None:
        torch.manual_seed(0)
        self.classes = classes
        self.plain_inter, self.plain_intra = PlainInter(classes, DIM), PlainIntra(memory)
        self.inter = InterClassLoss(classes, DIM, InterConfig(mode="official", start_epoch=0))
        self.intra = IntraClassLoss(DIM, IntraConfig(mode="official", bank=memory))
        confusion = torch.stack([torch.randperm(classes) for _ in range(classes)]).float().fill_diagonal_(0)
        self.inter.confusion.copy_(confusion)
        self.inter.prototypes.copy_(self.plain_inter.prototypes)
        for row, counts in zip(confusion.tolist(), self.plain_inter.confused, strict=True):
            counts.update({j: int(count) for j, count in enumerate(row)})
        self.inter.rebuild()
        self.plain_inter.families = [row.nonzero().flatten().tolist() for row in self.inter.families]
        for _ in range(memory // BATCH):
            features, labels, _ = self.batch()
            with torch.no_grad():
                self.plain_intra(features, labels)
                self.intra(features, labels)

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Projected features (batch, 256), labels, and logits that name three samples in four correctly."""
        labels = torch.randint(0, self.classes, (BATCH,))
        logits = torch.randn(BATCH, self.classes)
        right = torch.rand(BATCH) < 0.75
        logits[torch.arange(BATCH)[right], labels[right]] += 10
        return torch.randn(BATCH, DIM, requires_grad=True), labels, logits

    def plain_step(self, features: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
        loss = self.plain_inter(features, labels, logits) + self.plain_intra(features, labels)
        loss.backward()
        return loss.detach()

    def our_step(self, features: Tensor, labels: Tensor, logits: Tensor) -> Tensor:
        loss: Tensor = self.inter(features, labels, logits.argmax(1)) + self.intra(features, labels)
        loss.backward()
        return loss.detach()


def run() -> list[Row]:
    """One thread, medians, ours and the transcription by turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [_step(60, 512, floor=12.0), _step(400, 2048, floor=25.0), _rebuild(400, floor=500.0)]
    finally:
        torch.set_num_threads(threads)


def _step(classes: int, memory: int, floor: float | None) -> Row:
    case = Case(classes, memory)
    batch = case.batch()
    assert torch.allclose(case.our_step(*batch), case.plain_step(*batch), atol=1e-4), "the two losses differ"
    ours, plain = alternate(lambda: case.our_step(*batch), lambda: case.plain_step(*batch), rounds=15, calls=8)
    name = f"loss step, {classes} classes, batch {BATCH}, memory {memory}"
    return _row(name, ours, plain, floor, PUBLISHED_STEP[classes])


def _rebuild(classes: int, floor: float) -> Row:
    case = Case(classes, 2 * BATCH)
    ours, plain = alternate(case.inter.rebuild, case.plain_inter.rebuild, rounds=3)
    families = [row.nonzero().flatten().tolist() for row in case.inter.families]
    assert families == case.plain_inter.families, "the two families differ"
    return _row(f"family rebuild, {classes} classes", ours, plain, floor, PUBLISHED_REBUILD[classes])


def _row(name: str, ours: float, plain: float, floor: float | None, published: float) -> Row:
    share = plain * 1000 / published
    fair = share <= 1 + TOLERANCE
    detail = f"transcription at {share:.2f} of the published {published:g} ms" + (
        "" if fair else ": too slow, no proof"
    )
    return Row(name, ours * 1000, plain * 1000, plain / ours, floor, "ms", detail, counts=fair)


if __name__ == "__main__":
    show(run())
