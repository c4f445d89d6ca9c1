"""The transcription that ours is timed against is the published network, and ours computes the same."""

import numpy as np
import pytest
import torch

from model.network.backbone import Backbone
from tests.bench.plain_network import PlainBackbone, published
from tests.recordings import recordings_dir

RECORDED = recordings_dir() / "reference/parity/backbone_coco17_base16.npz"
WIDTHS, STRIDES = (16, 16, 32), (1, 1, 2)
TOLERANCE, EXACT = 1e-4, 1e-6  # float64, but for the mean over joints that ours keeps in float32


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


@pytest.mark.parametrize("people", [1, 2])
def test_a_step_of_ours_moves_every_weight_and_every_statistic_as_the_transcriptions_does(people):
    ours, plain, clips = (each.double() for each in _both(people))
    for network in (ours, plain):
        values, graph = network(clips)
        (values.square().mean() + graph.sin().sum()).backward()
    expected = {name: parameter.grad for name, parameter in plain.named_parameters()}
    mine = published({name: parameter.grad for name, parameter in ours.named_parameters()})
    torch.testing.assert_close(mine, expected, atol=EXACT, rtol=0)
    torch.testing.assert_close(published(ours.state_dict()), dict(plain.state_dict()), atol=EXACT, rtol=0)


def test_a_step_in_bfloat16_stays_close_to_one_in_float32():
    ours, plain, clips = _both()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values, graph = ours(clips)
    (values.float().square().mean() + graph.sum()).backward()
    values, graph = plain(clips)
    (values.square().mean() + graph.sum()).backward()
    rough = published({name: parameter.grad for name, parameter in ours.named_parameters()})
    exact = {name: parameter.grad for name, parameter in plain.named_parameters()}
    rough_whole, whole = (torch.cat([each[name].flatten() for name in exact]) for each in (rough, exact))
    assert torch.cosine_similarity(rough_whole, whole, dim=0) > 0.95
