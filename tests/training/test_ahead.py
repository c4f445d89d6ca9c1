import threading

import numpy as np
import pytest

from model.named_layouts import COCO_17
from tests.training.small import small_recipe, small_set
from training.ahead import Ahead
from training.batches import Batches
from training.pool import Pool


class Maker:
    """Remembers what was made, and in which thread."""

    def __init__(self):
        self.made: list[tuple[int, int]] = []
        self.threads: list[str] = []

    def __call__(self, epoch, step):
        self.made.append((epoch, step))
        self.threads.append(threading.current_thread().name)
        if step == 9:
            raise ValueError("no tenth batch")
        return f"{epoch}.{step}"


def test_batches_come_in_order_each_made_once():
    maker = Maker()
    ahead = Ahead(maker, steps=4, epochs=3)
    places = [(epoch, step) for epoch in range(3) for step in range(4)]
    assert [ahead.get(*place) for place in places] == [f"{e}.{s}" for e, s in places]
    assert maker.made == places
    assert all(name.startswith("batches") for name in maker.threads[2:])


def test_one_batch_alone_makes_no_other():
    maker = Maker()
    Ahead(maker, steps=4, epochs=3).get(0, 0)
    assert maker.made == [(0, 0)]
    assert maker.threads == [threading.current_thread().name]


def test_in_any_order_the_right_batch_comes():
    ahead = Ahead(Maker(), steps=5, epochs=4)
    for epoch, step in [(0, 0), (0, 1), (2, 3), (0, 2), (0, 3), (0, 3), (1, 0), (1, 1), (3, 4), (3, 4)]:
        assert ahead.get(epoch, step) == f"{epoch}.{step}"


def test_what_goes_wrong_is_raised_where_the_batch_is_asked_for():
    ahead = Ahead(Maker(), steps=12, epochs=1)
    for step in range(9):
        ahead.get(0, step)
    with pytest.raises(ValueError, match="no tenth batch"):
        ahead.get(0, 9)
    assert ahead.get(0, 10) == "0.10"


def test_made_ahead_a_batch_is_what_it_is_made_alone():
    recipe, data = small_recipe(augment={"noise": 0.1, "speed": 0.1}), small_set()
    pool = Pool.of(data, np.unique(data.subject, return_inverse=True)[1], COCO_17, recipe.clip)
    running = Batches(pool, COCO_17, recipe)
    for epoch in range(2):
        for step in range(running.steps):
            clips, labels = running.make(epoch, step)
            alone, theirs = Batches(pool, COCO_17, recipe).make(epoch, step)
            assert np.array_equal(clips, alone)
            assert np.array_equal(labels, theirs)
