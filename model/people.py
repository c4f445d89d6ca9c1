"""The people of one recording, in the order and the place in which a model takes them.

Frames here are (people, T, V, dims + 1), confidence last; somebody is in a frame who has a joint of confidence above 0.
"""

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats


def in_frame(people: Floats) -> NDArray[np.bool_]:
    """Who is in which frame, (people, T)."""
    return np.asarray((people[..., -1] > 0).any(axis=2))


def main_first(people: Floats) -> Floats:
    """Whoever is in most frames comes first; who are in as many stay in their order."""
    if len(people) == 1:
        return people
    order = np.argsort(-in_frame(people).sum(axis=1), kind="stable")
    return people[order]


def without_empty_frames(people: Floats) -> Floats:
    """Frames of nobody left out; a recording of nobody stays as it is."""
    kept = in_frame(people).any(axis=0)
    return people[:, kept] if kept.any() and not kept.all() else people


def about_spine(people: Floats, spine: int) -> Floats:
    """Coordinates from where the first person's joint `spine` is in the first frame in which that joint is seen.

    One origin for all people and all frames, so that who walks towards whom is not lost. Missing joints come out as 0.
    Where the joint is never seen nothing is moved.
    """
    seen = people[0, :, spine, -1] > 0
    if not seen.any():
        return people
    origin = people[0, int(np.argmax(seen)), spine, :-1]
    moved = np.where(people[..., -1:] > 0, people[..., :-1] - origin, 0)
    return np.concatenate([moved, people[..., -1:]], axis=-1).astype(np.float32, copy=False)


def padded(people: Floats, most: int) -> Floats:
    """Exactly `most` people: those beyond are left out, absent ones are zeros without confidence."""
    if len(people) == most:
        return people
    out = np.zeros((most, *people.shape[1:]), dtype=np.float32)
    out[: len(people)] = people[:most]
    return out
