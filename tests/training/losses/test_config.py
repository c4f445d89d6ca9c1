"""What a recipe may say about the losses, and what it may not."""

import pytest
from pydantic import ValidationError

from tests.training.small import small_recipe
from training.losses.config import InterConfig, IntraConfig, LossConfig

ABLATIONS = {
    "baseline": {"inter": {"enabled": False}, "intra": {"enabled": False}},
    "inter": {"intra": {"enabled": False}, "inter": {"temperature": "fixed"}},
    "dynamic": {"intra": {"enabled": False}},
    "intra": {"inter": {"enabled": False}},
    "pairwise": {"intra": {"enabled": False}, "inter": {"affinity": "pairwise"}},
    "n_a": {"inter": {"overlap": 2}},
    "epsilon": {"intra": {"epsilon": 0.2}},
    "lambda 1": {"inter": {"weight": 0.2}},
    "lambda 2": {"intra": {"weight": 0.2}},
    "K": {"inter": {"neighbours": 5}},
    "gamma": {"inter": {"momentum": 0.5}},
    "memory": {"intra": {"bank": 2048}},
    "no memory": {"intra": {"bank": 0}},
    "start": {"inter": {"start_epoch": 30}, "intra": {"start_epoch": 0.2}},
    "published": {"feature": "graph", "inter": {"mode": "official"}, "intra": {"mode": "official"}},
}


@pytest.mark.parametrize("name", ABLATIONS)
def test_every_ablation_of_the_paper_is_a_recipe(name):
    recipe = small_recipe(loss=ABLATIONS[name])
    assert type(recipe).model_validate(recipe.model_dump(mode="json")) == recipe


def test_a_memory_smaller_than_the_batch_is_refused_and_none_at_all_is_not():
    with pytest.raises(ValidationError, match=r"bank \(7\) must hold a batch"):
        small_recipe(loss={"intra": {"bank": 7}})


def test_each_difference_follows_the_mode_unless_it_is_said_apart():
    official = InterConfig(mode="official")
    assert official.official_neighbourhood
    assert official.raw_means
    assert official.noisy_start
    assert official.through_prototypes
    mended = InterConfig(
        mode="official", neighbourhood="paper", prototype_mean="unit", prototype_start="first",
        prototype_gradient=False, counting="row", decay=0.9,
    )  # fmt: skip
    assert not any((mended.official_neighbourhood, mended.raw_means, mended.noisy_start, mended.through_prototypes))
    assert mended.counts == "row"
    assert InterConfig(symmetric=True).counts == "symmetric"


def test_the_margin_of_the_exponent_is_epsilon_or_epsilon_by_temperature():
    assert IntraConfig(epsilon=0.1, temperature=0.2).exponent == pytest.approx(0.5)
    assert IntraConfig(epsilon=0.1, temperature=0.2, margin="exponent").exponent == pytest.approx(0.1)
    assert IntraConfig(mode="official", epsilon=0.1, temperature=0.2).exponent == pytest.approx(0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"inter": {"mode": "official", "decay": 0.9}},
        {"inter": {"neighbourhood": "official", "affinity": "pairwise"}},
        {"inter": {"temperatures": (0.1, 0.5)}},
        {"inter": {"fixed_temperature": 0.01}},
        {"intra": {"margin": "angle"}},
        {"intra": {"marging": "cosine"}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError):
        LossConfig.model_validate(wrong)
