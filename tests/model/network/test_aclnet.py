import pytest
import torch
from pydantic import ValidationError

from model.named_layouts import LAYOUTS
from model.network.aclnet import AclNet, ClassifierGraph, EncoderGraph
from model.network.backbone import Backbone
from model.network.config import NetworkConfig
from model.network.spatial import GraphConvolution
from model.network.temporal import TemporalConvolution

SMALL = {"widths": (16, 32), "strides": (2, 1), "classes": 5, "dim": 12}


def _parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _small(**changes) -> AclNet:
    torch.manual_seed(0)
    return AclNet(NetworkConfig.model_validate(SMALL | changes)).eval()


@pytest.mark.parametrize(("joints", "published"), [(25, 3_705_696), (17, 3_678_768)])
def test_the_backbone_has_as_many_parameters_as_the_published_one(joints, published):
    default = NetworkConfig(classes=60)
    assert _parameters(Backbone(3, joints, default.widths, default.strides)) == published


def test_heads_have_as_many_parameters_as_the_published_ones():
    network = AclNet(NetworkConfig(layout="ntu-25", dims=3, confidence=False, classes=60))
    assert _parameters(network.backbone) == 3_705_696
    assert _parameters(network.head) == 23_100
    assert _parameters(network.project_graph) == 160_256


@pytest.mark.parametrize("frames", [8, 9, 60])
def test_outputs_have_the_shapes_they_promise(frames):
    outputs = _small()(torch.rand(3, frames, 17, 3))
    assert [tuple(each.shape) for each in outputs] == [(3, 5), (3, 32), (3, 289), (3, 12), (3, 12), (3, 12)]


@pytest.mark.parametrize("tap", ["pooled", "graph", "both"])
@pytest.mark.parametrize("head", ["linear", "cosine"])
def test_embeddings_are_of_unit_length_and_of_one_dimension_whatever_the_tap(tap, head):
    outputs = _small(tap=tap, head=head)(torch.rand(3, 20, 17, 3))
    assert outputs.embedding.shape == (3, 12)
    torch.testing.assert_close(outputs.embedding.norm(dim=1), torch.ones(3))


def test_a_cosine_head_gives_scaled_cosines():
    network = _small(head="cosine", cosine_scale=16.0)
    logits = network(torch.rand(4, 20, 17, 3)).logits
    assert logits.abs().max() <= 16
    assert network.head.weight.shape == (5, 12)


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_every_layout_can_be_learned(layout):
    network = _small(layout=layout, streams=("joint", "bone"))
    assert network(torch.rand(1, 8, LAYOUTS[layout].count, 3)).embedding.isfinite().all()


def test_a_clip_in_which_nothing_was_seen_gives_a_finite_answer():
    for value in _small(streams=("joint", "bone", "motion"))(torch.zeros(2, 8, 17, 3)):
        assert value.isfinite().all()


def test_a_clip_is_answered_alike_alone_and_in_company():
    network, clips = _small(), torch.rand(5, 24, 17, 3)
    torch.testing.assert_close(network(clips).embedding[2:3], network(clips[2:3]).embedding, atol=1e-5, rtol=0)


def test_every_parameter_learns_once_the_gates_are_open():
    network = _small(tap="both", streams=("joint", "bone")).train()
    for name, parameter in network.named_parameters():
        if name.endswith(("alpha", "beta", "coefficient")):
            torch.nn.init.ones_(parameter)
    outputs = network(torch.rand(4, 16, 17, 3))
    (outputs.logits.square().sum() + outputs.embedding[:, 0].sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_graph_feature_says_nothing_before_the_gates_have_moved():
    graph = _small()(torch.rand(3, 16, 17, 3)).graph
    assert graph.abs().max() == 0


def test_training_under_bfloat16_stays_close_to_float32():
    network, clips = _small(), torch.rand(4, 24, 17, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = network(clips).embedding
    assert rough.dtype == torch.float32
    assert torch.cosine_similarity(rough, network(clips).embedding).min() > 0.99


def test_topology_from_the_mean_over_time_equals_the_mean_of_topologies_inputs():
    unit, values = GraphConvolution(6, 16, 5, 8), torch.rand(2, 6, 7, 5)
    frames = torch.stack([unit.relation(values[:, :, t]) for t in range(7)])
    torch.testing.assert_close(unit.relation(values.mean(2)), frames.mean(0), atol=1e-5, rtol=1e-5)


def test_a_graph_convolution_is_the_sum_over_source_joints():
    unit, values = GraphConvolution(16, 16, 5, 8).eval(), torch.rand(2, 16, 7, 5)
    torch.nn.init.constant_(unit.alpha, 0.5)
    torch.nn.init.constant_(unit.beta, -0.3)
    first, second = unit.relation(values.mean(2)).chunk(2, dim=1)
    graphs = torch.empty(2, 16, 5, 5)
    for channel in range(16):
        group = channel // 2
        mine = slice(2 * group, 2 * group + 2)
        products = torch.einsum("ncu,ncv->nuv", first[:, mine], second[:, mine])
        difference = first[:, channel, :, None] - second[:, channel, None, :]
        graphs[:, channel] = unit.static[group] + 0.5 * difference.tanh() - 0.3 * products.softmax(dim=1)
    mixed = torch.einsum("nctu,ncuv->nctv", unit.pre(values), graphs)
    expected = torch.relu(unit.norm(unit.post(mixed)) + values)
    torch.testing.assert_close(unit(values).values, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("stride", "frames", "left"), [(1, 9, 9), (2, 9, 5), (2, 10, 5)])
def test_a_stride_halves_the_frames_rounding_up(stride, frames, left):
    assert TemporalConvolution(16, stride, 17, 25)(torch.rand(2, 16, frames, 17)).shape == (2, 16, left, 17)


def test_what_is_exported_gives_unit_vectors_and_probabilities():
    network, clips = _small(), torch.rand(3, 16, 17, 3)
    torch.testing.assert_close(EncoderGraph(network)(clips), network(clips).embedding)
    torch.testing.assert_close(ClassifierGraph(network)(clips).sum(1), torch.ones(3))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"widths": (16,)}, "as many strides"),
        ({"strides": (3, 1)}, "strides must be 1 or 2"),
        ({"widths": (12, 32)}, "divisible by the 8 subsets"),
        ({"streams": ("joint", "joint")}, "named twice"),
        ({"tap": "both", "dim": 13}, "must be even"),
        ({"layout": "octopus-8"}, "unknown layout"),
        ({"normalisation": {"window": 24}}, "must be odd"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_a_configuration_that_cannot_be_built_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        NetworkConfig.model_validate(SMALL | changes)
