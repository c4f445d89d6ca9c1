"""Embeddings of people whose likeness is planted: how near walks of one person are, and how near people are."""

import numpy as np

from model.clips import unit_length
from training.evaluate.openset_data import Walks


def people_walking(people=40, walks=6, spread=0.3, dim=24, seed=0, hard=0.0):
    """Each person is a random direction, each walk that with noise. hard: further noise in walks of condition "cl".

    Two cameras see every walk; people of even number have sex "f".
    """
    rng = np.random.default_rng(seed)
    subject = np.repeat([f"{i:03d}" for i in range(people)], 2 * walks)
    walk = np.repeat(np.arange(people * walks), 2)
    condition = np.where(walk % walks >= walks - 2, "cl", "nm")
    centre = np.repeat(rng.standard_normal((people, dim)), 2 * walks, axis=0)
    noise = spread * np.sqrt(dim) * unit_length(rng.standard_normal(centre.shape).astype(np.float32))
    noise += (condition == "cl")[:, None] * hard * rng.standard_normal(centre.shape)
    columns = {
        "condition": condition,
        "view": np.tile(["000", "090"], people * walks),
        "sex": np.where(subject.astype(int) % 2, "m", "f"),
    }
    return Walks("planted", unit_length((centre + noise).astype(np.float32)), subject, walk, columns, walks_known=True)
