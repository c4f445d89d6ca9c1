"""Recordings of one or two people in space, small, as an `ActionSet`."""

import numpy as np

from model.named_layouts import NTU_25
from model.sequence import Units
from training.data.action_set import ActionSet


def recordings(shapes, *, layout=NTU_25, dims=3, units=Units.METRES, seed=0, **changes):
    """shapes: (people, frames, class) of each recording; every tenth joint is missing, here and there."""
    people, lengths, classes = np.array(shapes, dtype=np.int64).reshape(-1, 3).T
    starts = np.cumsum(people * lengths) - people * lengths
    count = len(people)
    unknown = np.full(count, "")
    given = {
        "starts": starts, "lengths": lengths, "people": people, "class_labels": classes,
        "subject": np.array([f"{i % 5 + 1:03d}" for i in range(count)]), "condition": unknown, "view": unknown,
        "sequence_name": np.array([f"{i:04d}" for i in range(count)]), "part": unknown,
        "action": np.array([f"A{label:03d}" for label in classes]), "layout": layout, "fps": 30.0, "units": units,
    }  # fmt: skip
    if "frames" not in changes:
        given["frames"] = _frames(int((people * lengths).sum()), layout, dims, seed)
    return ActionSet(**given | changes)


def _frames(rows, layout, dims, seed):
    rng = np.random.default_rng(seed)
    frames = np.empty((rows, layout.count, dims + 1), np.float16)
    frames[..., :-1] = rng.uniform(1, 2, (rows, layout.count, dims))
    frames[..., -1] = rng.random((rows, layout.count)) < 0.9
    frames[..., layout.index("spine") if "spine" in layout else 0, -1] = 1
    return frames
