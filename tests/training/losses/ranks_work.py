"""What each process of a distributed run does in the tests: some epochs of a tiny model under the real objective."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from model.network.aclnet import Outputs
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.losses.objective import Objective, Terms

CLASSES, WIDE, DIM, BATCH, STEPS, EPOCHS = 6, 10, 8, 12, 3, 4
NETWORK = NetworkConfig(classes=CLASSES, widths=(8,), strides=(1,), dim=DIM, head="cosine", cosine_scale=4.0)
INTER: dict[str, Any] = {"start_epoch": 1, "neighbours": 3, "overlap": 1}
RECIPES: dict[str, dict[str, Any]] = {
    "paper": {"inter": INTER, "intra": {"bank": 30}, "ce": {"margin": 0.1, "label_smoothing": 0.1}},
    "official": {"inter": {**INTER, "mode": "official"}, "intra": {"mode": "official", "bank": 24}},
    "no memory": {
        "feature": "both",
        "inter": {**INTER, "symmetric": True, "decay": 0.5, "prototype_gradient": True},
        "intra": {"bank": 0, "reduction": "sum"},
    },
}


class Tiny(nn.Module):
    """Rows (n, WIDE) to the network's outputs, by one linear map for each."""

    def __init__(self) -> None:
        super().__init__()
        self.head, self.pooled, self.graph = nn.Linear(WIDE, CLASSES), nn.Linear(WIDE, DIM), nn.Linear(WIDE, DIM)

    def forward(self, rows: Tensor) -> Outputs:
        pooled, graph = self.pooled(rows), self.graph(rows)
        return Outputs(self.head(rows), rows, rows, pooled, graph, nn.functional.normalize(pooled))


class Step(nn.Module):
    """Forward and losses in one module, as the training loop hands them to DistributedDataParallel."""

    def __init__(self, sections: dict[str, Any]) -> None:
        super().__init__()
        self.model = Tiny()
        self.objective = Objective(NETWORK, LossConfig.model_validate(sections), EPOCHS)

    def forward(self, rows: Tensor, labels: Tensor) -> Terms:
        terms: Terms = self.objective(self.model(rows), labels)
        return terms


class Life:
    """Model, losses and optimiser, made from one seed."""

    def __init__(self, sections: dict[str, Any], world: int) -> None:
        torch.manual_seed(3)
        self.step = Step(sections)
        # Buffers must stay equal by themselves, so none are sent around; some parameters serve no loss.
        self.run: nn.Module = self.step
        if world > 1:
            self.run = DistributedDataParallel(self.step, find_unused_parameters=True, broadcast_buffers=False)
        self.optimizer = torch.optim.SGD(self.step.parameters(), lr=0.3)


def batch(epoch: int, step: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(100 * epoch + step)
    return torch.randn(BATCH, WIDE, generator=rng), torch.randint(0, CLASSES, (BATCH,), generator=rng)


def train(sections: dict[str, Any], rank: int = 0, world: int = 1, *, resume_at: int | None = None) -> dict[str, Any]:
    """Figures and gradients of every step, and the state at the end."""
    life, told, gradients = Life(sections, world), [], []
    own = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
    for epoch in range(EPOCHS):
        if epoch == resume_at:
            saved, life = life.step.state_dict(), Life(sections, world)
            life.step.load_state_dict(saved)
        life.step.objective.set_epoch(epoch)
        for number in range(STEPS):
            rows, labels = batch(epoch, number)
            terms = life.run(rows[own], labels[own])
            life.optimizer.zero_grad()
            terms.total.backward()
            told.append(torch.stack([*terms[:-1], terms.correct.float().mean()]).detach())
            gradients.append({n: p.grad.clone() for n, p in life.step.named_parameters() if p.grad is not None})
            life.optimizer.step()
    return {"told": torch.stack(told), "gradients": gradients, "state": life.step.state_dict()}


def work(rank: int, world: int, folder: Path) -> None:
    """One process: every recipe, stopped and resumed on the way; what came of it in `folder`."""
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=world)
    try:
        done = {name: train(sections, rank, world, resume_at=2) for name, sections in RECIPES.items()}
        torch.save(done, folder / f"{rank}.pt")
    finally:
        distributed.destroy_process_group()
