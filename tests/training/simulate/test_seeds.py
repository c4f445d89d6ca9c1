"""Names of random streams: what is trained on is never what is tested on."""

import numpy as np
import pytest

from training.simulate.seeds import SELECTION_SEEDS, TEST_SEEDS, TRAINING_SEEDS, Purpose, generator, role_of


def test_the_ranges_of_seeds_are_disjoint() -> None:
    ranges = [set(r) for r in (TEST_SEEDS, TRAINING_SEEDS, SELECTION_SEEDS)]
    assert sum(map(len, ranges)) == len(set.union(*ranges))


@pytest.mark.parametrize(("seed", "role"), [(0, "test"), (999, "test"), (1000, "training"), (2999, "selection")])
def test_a_seed_says_what_it_is_for(seed: int, role: str) -> None:
    assert role_of(seed) == role


def test_every_name_has_a_stream_of_its_own_and_always_the_same() -> None:
    names = [(7, p, s) for p in Purpose for s in (1, 2)] + [(8, Purpose.BODY, 1)]
    first = [float(generator(seed, purpose, subject).random()) for seed, purpose, subject in names]
    again = [float(generator(seed, purpose, subject).random()) for seed, purpose, subject in names]
    assert first == again
    assert len(np.unique(first)) == len(names)
