"""The training step on a GPU, in bfloat16: samples a second, and its share of what a large product reaches there."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from torch.utils.flop_counter import FlopCounterMode

from tests.bench.bench_step import SHAPES, Ours, Shape
from tests.bench.report import Row

BATCH, ROUNDS, MATRIX = 64, 20, 8192


def run(device: str = "cuda", *, batch: int = BATCH, rounds: int = ROUNDS, matrix: int = MATRIX) -> list[Row]:
    """A row for each shape; none where there is no such device."""
    if device == "cuda" and not torch.cuda.is_available():
        return []
    factor = torch.rand(matrix, matrix, device=device, dtype=torch.bfloat16)
    most = 2 * matrix**3 / _seconds(lambda: factor @ factor, device, rounds)
    return [_share(replace(shape, batch=batch), device, rounds, most) for shape in SHAPES]


def _share(shape: Shape, device: str, rounds: int, most: float) -> Row:
    ours = Ours(shape)
    ours.move(device)
    ours.precision = torch.bfloat16
    with FlopCounterMode(display=False) as counter:
        ours.step()
    seconds = _seconds(ours.step, device, rounds)
    reached = counter.get_total_flops() / seconds
    detail = f"batch {shape.batch}: {shape.batch / seconds:.0f} samples/s, {1e3 * seconds:.1f} ms a step"
    where = torch.cuda.get_device_name() if device == "cuda" else device
    name = f"training step, bfloat16, {shape.joints} joints x {shape.frames} frames x {shape.people}, {where}"
    return Row(name, reached / 1e12, most / 1e12, reached / most, None, "TFLOP/s", detail)


def _seconds(work: Callable[[], object], device: str, rounds: int) -> float:
    """Median; three untimed rounds before."""
    times: list[float] = []
    for turn in range(rounds + 3):
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        if turn >= 3:
            times.append(time.perf_counter() - began)
    return median(times)
