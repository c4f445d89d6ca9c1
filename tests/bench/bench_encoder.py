"""The shipped encoder in ONNX Runtime against the same architecture in torch eager, one thread each, side by side;
and its share of what a matrix product reaches here. Torch's weights are random: that changes no time.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.network.aclnet import AclNet, EncoderGraph
from model.network.config import NetworkConfig
from model.runtime import OnnxEncoder
from model.sequence import Floats
from tests.bench.report import Row, alternate, show

FLOORS = {1: 2.0, 8: 1.7}  # batch size: times faster than torch
ROUNDS = {1: 101, 8: 31}
MATRIX = 1024


def run(bundle: Path | None = None) -> list[Row]:
    """The rows of this benchmark, for the shipped encoder or another bundle."""
    opened = open_bundle(bundle or shipped(DEFAULT_ENCODER))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _rows(opened)
    finally:
        torch.set_num_threads(before)


def _rows(bundle: Bundle) -> list[Row]:
    encoder = OnnxEncoder(bundle, threads=1, device="cpu")
    network = AclNet(NetworkConfig.model_validate(bundle.manifest.trained["recipe"]["network"]))
    graph = EncoderGraph(network).eval()
    rows = []
    for batch, floor in FLOORS.items():
        clips = _clips(bundle, batch)
        ours, theirs = alternate(
            partial(encoder.embed_clips, clips), partial(_eager, graph, clips), rounds=ROUNDS[batch]
        )
        name = f"encoder, {batch} clip{'s' if batch > 1 else ''}: ONNX Runtime / torch eager"
        detail = f"{bundle.name}, {batch / ours:.0f} clips/s, one thread"
        rows.append(Row(name, 1e3 * ours, 1e3 * theirs, theirs / ours, floor, "ms", detail))
    return [*rows, _share(bundle, encoder, graph)]


def _eager(graph: EncoderGraph, clips: Floats) -> None:
    with torch.inference_mode():
        graph(torch.from_numpy(clips))


def _share(bundle: Bundle, encoder: OnnxEncoder, graph: EncoderGraph) -> Row:
    """Floating-point operations a second, beside those of a large product by the same number of threads."""
    clips = _clips(bundle, 8)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        graph(torch.from_numpy(clips))
    work = counter.get_total_flops() / 1e9
    matrix = torch.rand(MATRIX, MATRIX)
    ceiling = 2 * MATRIX**3 / 1e9
    ours, product = alternate(lambda: encoder.embed_clips(clips), lambda: matrix @ matrix, rounds=ROUNDS[8])
    reached, most = work / ours, ceiling / product
    detail = f"{work / len(clips):.3f} GFLOP a clip; share of a {MATRIX} x {MATRIX} product, fp32"
    return Row("encoder, arithmetic speed", reached, most, reached / most, None, "GFLOP/s", detail)


def _clips(bundle: Bundle, batch: int) -> Floats:
    shape = (batch, bundle.manifest.clip.frames, bundle.layout.count, bundle.manifest.clip.channels)
    return np.random.default_rng(0).uniform(0.1, 1, shape).astype(np.float32)


if __name__ == "__main__":
    show(run())
