"""The transcription that ours is timed against is the published network, and ours computes the same."""

import numpy as np
import pytest
import torch

from model.network.backbone import Backbone
from tests.bench.plain_network import PlainBackbone, published
from tests.recordings import recordings_dir

RECORDED = recordings_dir() / "reference/parity/backbone_coco17_base16.npz"
WIDTHS, STRIDES = (16, 16, 32), (1, 1, 2)
TOLERANCE = 1e-4


def _both(people=1):
    torch.manual_seed(0)
    ours, plain = Backbone(3, 17, WIDTHS, STRIDES), PlainBackbone(3, 17, WIDTHS, STRIDES)
    for name, parameter in ours.named_parameters():
        if name.endswith(("alpha", "beta", "coefficient")):
            torch.nn.init.normal_(parameter)
    plain.load_state_dict(published(ours.state_dict()))
    return ours, plain, torch.randn(3, people, 12, 17, 3)


def test_the_transcription_gives_the_published_outputs_with_the_published_weights():
    if not RECORDED.exists():
        pytest.skip(f"recorded tensors are not here ({RECORDED}); GAITKEEPER_RECORDINGS says where")
    with np.load(RECORDED, allow_pickle=False) as arrays:
        recorded = dict(arrays)
    network = PlainBackbone(3, 17, (16,) * 4 + (32,) * 3 + (64,) * 3, (1, 1, 1, 1, 2, 1, 1, 2, 1, 1))
    weights = {name.removeprefix("weight/"): torch.tensor(value) for name, value in recorded.items() if "/" in name}
    network.load_state_dict(weights)
    with torch.inference_mode():
        values, graph = network.eval()(torch.tensor(recorded["input"]))
    assert np.abs(values.numpy() - recorded["output_map"]).max() < TOLERANCE
    assert np.abs(graph.numpy() - recorded["output_graph"]).max() < TOLERANCE


@pytest.mark.parametrize("people", [1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_ours_and_the_transcription_give_the_same(training, people):
    ours, plain, clips = _both(people)
    for mine, its in zip(ours.train(training)(clips), plain.train(training)(clips), strict=True):
        torch.testing.assert_close(mine, its, atol=TOLERANCE, rtol=0)


def test_a_step_of_ours_moves_every_weight_and_every_statistic_as_the_transcriptions_does():
    ours, plain, clips = _both()
    for network in (ours, plain):
        values, graph = network(clips)
        (values.square().mean() + graph.sin().sum()).backward()
    expected = {name: parameter.grad for name, parameter in plain.named_parameters()}
    mine = published({name: parameter.grad for name, parameter in ours.named_parameters()})
    assert mine.keys() == expected.keys()
    for name, gradient in mine.items():
        torch.testing.assert_close(
            gradient, expected[name], atol=TOLERANCE, rtol=1e-3, msg=lambda m, n=name: f"{n}: {m}"
        )
    statistics = plain.state_dict()
    for name, tensor in published(ours.state_dict()).items():
        torch.testing.assert_close(tensor, statistics[name], atol=TOLERANCE, rtol=0)
