"""What each change to the training step gives: the step with it and without it, one at a time, by turns.

python -P -m tests.bench.step_changes [--batch 16] [--rounds 5] [--compile]

The first row changes the transcription of the published network; the others take one change away from ours.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

import torch
from rich.console import Console
from torch import Tensor, nn
from torch.nn import functional

from model.network import backbone, gradients, spatial, temporal
from tests.bench.bench_step import SHAPES, Ours, Shape, by_turns, pair
from tests.bench.plain_network import PlainGraphUnit
from tests.bench.report import Row, show

Step = Callable[[], object]


@dataclass(frozen=True)
class Change:
    """A change, and how to make the steps without it and with it of two that are equal."""

    name: str
    steps: Callable[[Shape], tuple[Step, Step]]


def separate_norm(
    norm: nn.BatchNorm2d, values: Tensor, constant: Tensor | None = None, residual: Tensor | None = None, *,
    relu: bool = False,
) -> Tensor:  # fmt: skip
    """The library's batch normalisation, then the sum, then ReLU."""
    matrix = gradients.rows(values if constant is None else values + constant[:, None, None])
    normed = functional.batch_norm(
        matrix[None], norm.running_mean, norm.running_var, norm.weight, norm.bias, True, norm.momentum or 0.1, norm.eps
    )
    out = normed[0].view(len(matrix), len(values), *values.shape[2:]).transpose(0, 1)
    out = out if residual is None else out + residual
    return torch.relu(out) if relu else out


def separate_convolved(
    convolution: nn.Module, norm: nn.Module, values: Tensor, residual: Tensor | None = None, *, relu: bool = False
) -> Tensor:
    """A product and `separate_norm`."""
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    planes = gradients.product(values, convolution.weight.flatten(1))
    return separate_norm(norm, planes, convolution.bias, residual, relu=relu)


class MeanFirst(PlainGraphUnit):
    """The published spatial unit with the mean over time before the convolution of the relations."""

    def response(self, convolution: nn.Module, x: Tensor) -> Tensor:
        """Of each joint, averaged over time: (N, K, C / K, 1, V)."""
        responses: Tensor = convolution(x.mean(dim=2, keepdim=True))
        return responses.reshape(len(x), self.subsets, self.middle, 1, -1)


def _mean_first(shape: Shape) -> tuple[Step, Step]:
    (_, before), (_, after) = pair(shape), pair(shape)
    for module in after.network.modules():
        if isinstance(module, PlainGraphUnit):
            module.__class__ = MeanFirst
    return before.step, after.step


def _without(*replaced: tuple[object, str, object]) -> Callable[[Shape], tuple[Step, Step]]:
    """The step of ours with attributes replaced, and as it is."""

    def steps(shape: Shape) -> tuple[Step, Step]:
        before, after = pair(shape)[0], pair(shape)[0]
        return lambda: _replaced(before, replaced), after.step

    return steps


def _replaced(ours: Ours, replaced: Iterable[tuple[object, str, object]]) -> Tensor:
    with _patched(replaced):
        return ours.step()


@contextmanager
def _patched(replaced: Iterable[tuple[object, str, object]]) -> Iterator[None]:
    with ExitStack() as stack:
        for module, name, substitute in replaced:
            stack.enter_context(patch.object(module, name, substitute))
        yield


def _low_precision(shape: Shape) -> tuple[Step, Step]:
    before, after = pair(shape)[0], pair(shape)[0]
    after.precision = torch.bfloat16
    return before.step, after.step


def _compiled(shape: Shape) -> tuple[Step, Step]:
    before, after = pair(shape)[0], pair(shape)[0]
    after.network = torch.compile(after.network)  # type: ignore[assignment]
    return before.step, after.step


ALL = tuple((module, "in_training", lambda *_: False) for module in (backbone, spatial))
NORMS = (
    *((module, "convolved", separate_convolved) for module in (backbone, spatial, temporal)),
    (temporal, "normalised", separate_norm),
)
CHANGES = (
    Change("published: mean over time first", _mean_first),
    Change("ours: channel by channel in memory, and all below", _without(*ALL)),
    Change("norm, sum and ReLU at once, statistics in two passes", _without(*NORMS)),
    Change("bfloat16 (autocast)", _low_precision),
)
COMPILATION = Change("torch.compile (of the ordinary path) for ours", _compiled)


def measure(change: Change, shape: Shape, rounds: int) -> Row:
    """One thread, time that the process ran."""
    before, after = by_turns(*change.steps(shape), rounds=rounds)
    detail = f"{shape.name}; by the clock {before.wall / after.wall:.2f}"
    return Row(change.name, 1e3 * after.cpu, 1e3 * before.cpu, before.cpu / after.cpu, None, "ms", detail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=16, help="clips; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--only", type=int, help="the number of one change, from 0")
    parser.add_argument("--compile", action="store_true", help="compilation too, which takes minutes")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    shape = replace(SHAPES[0], batch=arguments.batch, name=f"17 joints x 60 frames, batch {arguments.batch}")
    changes = (*CHANGES, COMPILATION) if arguments.compile else CHANGES
    chosen = changes if arguments.only is None else changes[arguments.only :][:1]
    with Console(stderr=True).status("measuring ..."):
        rows = [measure(change, shape, arguments.rounds) for change in chosen]
    show(rows)


if __name__ == "__main__":
    main()
