"""A whole training step (forward, losses, backward, optimiser) against the published network with the published
losses, both at full width, from the same weights on the same batch.

python -P -m tests.bench.bench_step
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from model.named_layouts import layout_named
from model.network.aclnet import AclNet
from model.network.config import NetworkConfig
from tests.bench.plain_losses import PlainInter, PlainIntra
from tests.bench.plain_network import PlainBackbone, PlainNet, published
from tests.bench.report import Row, show
from training.losses.config import InterConfig, IntraConfig, LossConfig
from training.losses.objective import Objective

FLOOR = 1.3
CLASSES, MEMORY = 60, 512
ROUNDS = 7
TOLERANCE, ROUNDING = 1e-4, 0.02
WEIGHT = 0.1  # of each contrastive loss


@dataclass(frozen=True)
class Shape:
    """A batch of clips: three channels of the joints of a layout."""

    name: str
    layout: str
    batch: int
    people: int
    frames: int

    @property
    def joints(self) -> int:
        """Of the layout."""
        return layout_named(self.config.layout).count

    @property
    def config(self) -> NetworkConfig:
        """The published widths; coordinates as they come, as the published network has them."""
        values = {
            "layout": self.layout,
            "people": self.people,
            "dims": 2 if self.layout == "coco-17" else 3,
            "confidence": self.layout == "coco-17",
            "normalisation": {"centre": "none", "scale": "none"},
            "classes": CLASSES,
        }
        return NetworkConfig.model_validate(values)

    def clips(self) -> Tensor:
        """(N, M, T, V, C + confidence of 1), where one person has no axis."""
        torch.manual_seed(1)
        people = (self.people,) if self.people > 1 else ()
        clips = torch.randn(self.batch, *people, self.frames, self.joints, 3)
        if self.config.confidence:
            clips[..., 2] = 1
            return clips
        return torch.cat([clips, torch.ones(*clips.shape[:-1], 1)], dim=-1)


SHAPES = (
    Shape("17 joints x 60 frames, batch 16", "coco-17", batch=16, people=1, frames=60),
    Shape("25 joints x 64 frames x 2 people, batch 4", "ntu-25", batch=4, people=2, frames=64),
)


class Ours:
    """Our network, our losses, and a step."""

    def __init__(self, shape: Shape) -> None:
        torch.manual_seed(0)
        self.network = AclNet(shape.config).train()
        losses = LossConfig(
            feature="graph",
            inter=InterConfig(mode="official", start_epoch=0, weight=WEIGHT),
            intra=IntraConfig(mode="official", bank=MEMORY, weight=WEIGHT),
        )
        self.objective = Objective(shape.config, losses, 1)
        self.clips, self.labels = shape.clips(), _labels(shape)
        self.precision = torch.float32
        self.optimiser = _sgd(self.network)
        with torch.no_grad():
            for name, parameter in self.network.backbone.named_parameters():
                if name.endswith(("alpha", "beta", "coefficient")):
                    parameter.normal_(0, 0.3)  # gates that are shut would prove nothing

    def move(self, device: str) -> None:
        """Everything to a device."""
        self.network.to(device)
        self.objective.to(device)
        self.clips, self.labels = self.clips.to(device), self.labels.to(device)

    def loss(self) -> Tensor:
        """Of the batch; counts it in the state of the losses."""
        with torch.autocast(self.clips.device.type, self.precision, enabled=self.precision != torch.float32):
            outputs = self.network(self.clips)
        total: Tensor = self.objective(outputs, self.labels).total
        return total

    def step(self) -> Tensor:
        """Loss, a scalar."""
        return _step(self.optimiser, self.loss)


class Plain:
    """The published network and losses in the state of ours, and a step."""

    def __init__(self, shape: Shape, ours: Ours) -> None:
        joints, config = shape.joints, shape.config
        backbone = PlainBackbone(3, joints, config.widths, config.strides)
        self.network = PlainNet(backbone, joints, config.widths[-1], CLASSES).train()
        backbone.load_state_dict(published(ours.network.backbone.state_dict()))
        self.network.head.load_state_dict(ours.network.head.state_dict())
        self.network.project.load_state_dict(ours.network.project_graph.state_dict())
        self.inter, self.intra = PlainInter(CLASSES, config.projection), PlainIntra(MEMORY)
        self.clips = ours.clips[..., :3] if shape.people > 1 else ours.clips[:, None, ..., :3]
        self.labels = ours.labels
        self.optimiser = _sgd(self.network)

    def loss(self) -> Tensor:
        """Of the batch; counts it in the state of the losses."""
        logits, features = self.network(self.clips)
        inter, intra = self.inter(features, self.labels, logits), self.intra(features, self.labels)
        return cross_entropy(logits, self.labels) + WEIGHT * inter + WEIGHT * intra

    def step(self) -> Tensor:
        """Loss, a scalar."""
        return _step(self.optimiser, self.loss)


def _labels(shape: Shape) -> Tensor:
    return torch.arange(shape.batch) % (shape.batch // 2)


def _sgd(network: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)


def _step(optimiser: torch.optim.Optimizer, loss_of: Callable[[], Tensor]) -> Tensor:
    optimiser.zero_grad()
    loss = loss_of()
    loss.backward()
    optimiser.step()
    return loss.detach()


def pair(shape: Shape) -> tuple[Ours, Plain]:
    """Both in one state: the same weights, confusions, prototypes and families, and full memories."""
    ours = Ours(shape)
    plain = Plain(shape, ours)
    inter, intra = ours.objective.inter, ours.objective.intra
    assert inter is not None
    assert intra is not None
    torch.manual_seed(2)
    confusion = torch.stack([torch.randperm(CLASSES) for _ in range(CLASSES)]).float().fill_diagonal_(0)
    inter.confusion.copy_(confusion)
    inter.prototypes.copy_(plain.inter.prototypes)
    inter.rebuild()
    plain.inter.families = [row.nonzero().flatten().tolist() for row in inter.families]
    for _ in range(MEMORY // shape.batch):
        features, labels = torch.randn(shape.batch, shape.config.projection), torch.randint(0, CLASSES, (shape.batch,))
        intra(features, labels)
        plain.intra(features, labels)
    return ours, plain


def check(ours: Ours, plain: Plain) -> None:
    """One step of each: equal losses, and gradients that differ by no more than float32 lets them: through ten blocks
    a rounding now and then moves a value to the other side of a ReLU. The tests compare gradients exactly."""
    assert torch.allclose(ours.step(), plain.step(), atol=TOLERANCE), "the two losses differ"
    mine = published({name: _gradient(each) for name, each in ours.network.backbone.named_parameters()})
    its = {name: _gradient(each) for name, each in plain.network.backbone.named_parameters()}
    apart = sum(float((mine[name] - gradient).square().sum()) for name, gradient in its.items())
    whole = sum(float(gradient.square().sum()) for gradient in its.values())
    assert apart <= ROUNDING**2 * whole, f"the gradients differ by {(apart / whole) ** 0.5:.2g} of their length"


def _gradient(parameter: nn.Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad


@dataclass(frozen=True)
class Times:
    """Median seconds of a step; `wall` by the clock, `cpu` of all threads of this process."""

    wall: float
    cpu: float


def by_turns(*steps: Callable[[], object], rounds: int = ROUNDS) -> list[Times]:
    """Each step's times, taken by turns so that all meet the same machine; one untimed round before."""
    kept: list[list[tuple[float, float]]] = [[] for _ in steps]
    for turn in range(rounds + 1):
        for step, times in zip(steps, kept, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            step()
            if turn:
                times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [Times(*(median(column) for column in zip(*times, strict=True))) for times in kept]


def run() -> list[Row]:
    """One thread and two, medians, ours and the transcription by turns."""
    before = torch.get_num_threads()
    try:
        return [_compare(shape, threads) for shape in SHAPES for threads in (1, 2)]
    finally:
        torch.set_num_threads(before)


def _compare(shape: Shape, threads: int) -> Row:
    """One thread by the time that it ran, which others on the machine disturb least; two by the clock."""
    torch.set_num_threads(threads)
    ours, plain = pair(shape)
    check(ours, plain)
    mine, its = by_turns(ours.step, plain.step)
    taken, other = (mine.cpu, its.cpu) if threads == 1 else (mine.wall, its.wall)
    detail = f"{shape.batch / taken:.1f} samples/s; by the other clock {_other_ratio(mine, its, threads):.2f}"
    name = f"training step, {shape.name}, {threads} thread{'s' if threads > 1 else ''}"
    return Row(name, 1e3 * taken, 1e3 * other, other / taken, FLOOR, "ms", detail)


def _other_ratio(mine: Times, its: Times, threads: int) -> float:
    """The ratio by the clock that the row does not use."""
    return its.wall / mine.wall if threads == 1 else its.cpu / mine.cpu


if __name__ == "__main__":
    show(run())
