"""Where every random number of the simulator comes from.

A simulated thing is named by numbers: (seed, purpose, subject, walk, view). Each name has a generator of its own, so
subject 5 is the same person whatever the number of subjects, and one more view changes no other.

Seeds name worlds; two worlds share no walker, no body and no camera. By convention what is trained on, chosen on and
reported on comes from three disjoint ranges, and `role_of` tells which:

    test         0 ..  999   what `gaitkeeper simulate` writes by default, what cards report
    training  1000 .. 1999   recipes
    selection 2000 .. 2999   choosing checkpoints, thresholds and settings
"""

from enum import IntEnum

import numpy as np

TEST_SEEDS = range(0, 1000)
TRAINING_SEEDS = range(1000, 2000)
SELECTION_SEEDS = range(2000, 3000)


class Purpose(IntEnum):
    """First number of the name below the seed."""

    BODY = 0
    STYLE = 1
    WALK = 2
    CAMERA = 3
    NOISE = 4
    ACTION = 5


def generator(seed: int, purpose: Purpose, *name: int) -> np.random.Generator:
    """The generator that belongs to this name and to no other."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(int(purpose), *name))))


def role_of(seed: int) -> str:
    """What a seed may be used for.

    >>> role_of(7), role_of(1001), role_of(2000), role_of(9999)
    ('test', 'training', 'selection', 'free')
    """
    for name, seeds in (("test", TEST_SEEDS), ("training", TRAINING_SEEDS), ("selection", SELECTION_SEEDS)):
        if seed in seeds:
            return name
    return "free"
