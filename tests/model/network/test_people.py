"""A network for several people: each by themselves, then their mean."""

import pytest
import torch

from model.network.aclnet import AclNet, ClassifierGraph
from model.network.config import NetworkConfig
from model.network.folding import folded

SMALL = {"widths": (16, 16), "strides": (2, 1), "classes": 5, "dim": 12, "tap": "both", "layout": "ntu-25", "dims": 3}


def _network(people: int, **changes: object) -> AclNet:
    """The same weights whatever the number of people, with every branch at work."""
    torch.manual_seed(0)
    network = AclNet(NetworkConfig.model_validate(SMALL | {"people": people} | changes)).eval()
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if name.endswith(("alpha", "beta", "coefficient", "running_mean")):
            torch.nn.init.normal_(tensor, 0, 0.5)
        elif name.endswith("running_var"):
            torch.nn.init.uniform_(tensor, 0.5, 2)
    return network


def test_people_change_no_name_of_a_weight():
    assert _network(2).state_dict().keys() == _network(1).state_dict().keys()


def test_features_of_two_people_are_the_mean_of_those_of_each():
    one, two = _network(1), _network(2)
    clips = torch.rand(3, 2, 20, 25, 4)
    both, each = two(clips), [one(clips[:, person]) for person in range(2)]
    torch.testing.assert_close(both.pooled, (each[0].pooled + each[1].pooled) / 2, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(both.graph, (each[0].graph + each[1].graph) / 2, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(both.logits, one.head(both.pooled))


def test_an_absent_person_counts_like_the_others_as_published():
    one, two = _network(1), _network(2)
    clips = torch.rand(3, 2, 20, 25, 4)
    clips[:, 1] = 0
    nobody = one(torch.zeros(1, 20, 25, 4)).pooled
    torch.testing.assert_close(two(clips).pooled, (one(clips[:, 0]).pooled + nobody) / 2, atol=1e-6, rtol=1e-5)


def test_who_is_named_first_changes_nothing():
    clips, network = torch.rand(3, 2, 20, 25, 4), _network(2)
    torch.testing.assert_close(network(clips).logits, network(clips.flip(1)).logits, atol=1e-6, rtol=1e-5)


def test_recordings_do_not_mix():
    clips, network = torch.rand(4, 3, 20, 25, 4), _network(3)
    torch.testing.assert_close(network(clips).embedding[2:3], network(clips[2:3]).embedding, atol=1e-5, rtol=0)


def test_folding_changes_no_answer_for_two_people():
    clips, network = torch.rand(4, 2, 20, 25, 4), _network(2)
    torch.testing.assert_close(
        ClassifierGraph(folded(network))(clips), ClassifierGraph(network)(clips), atol=1e-5, rtol=1e-4
    )


def test_every_parameter_learns_from_two_people():
    network = _network(2).train()
    outputs = network(torch.rand(4, 2, 16, 25, 4))
    (outputs.logits.square().sum() + outputs.embedding[:, 0].sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize(("people", "shape"), [(1, (2, 2, 16, 25, 4)), (2, (2, 16, 25, 4)), (2, (2, 3, 16, 25, 4))])
def test_clips_of_another_number_of_people_are_a_mistake(people, shape):
    with pytest.raises(AssertionError):
        _network(people)(torch.rand(shape))
