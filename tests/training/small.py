"""A data set and a recipe small enough to train in a second."""

from typing import Any

from tests.fakes import walking
from training.data.arrays import SequenceSet
from training.recipe import Recipe

CONDITIONS = (("nm", 5), ("bg", 1), ("cl", 1))


def small_set(subjects=6, views=("000", "090"), frames=30):
    """Subjects 001, 002, ... with five nm runs, one bg and one cl, from every view; actions alternate."""
    rows = [
        (subject, condition, run, view)
        for subject in range(subjects)
        for condition, runs in CONDITIONS
        for run in range(1, runs + 1)
        for view in views
    ]
    sequences = [walking(subject, frames, seed=i) for i, (subject, *_) in enumerate(rows)]
    return SequenceSet.of_sequences(
        sequences,
        subject=[f"{subject + 1:03d}" for subject, *_ in rows],
        condition=[condition for _, condition, *_ in rows],
        sequence=[f"{condition}-{run:02d}" for _, condition, run, _ in rows],
        view=[view for *_, view in rows],
        action=["walk" if subject % 2 else "run" for subject, *_ in rows],
    )


def small_recipe(**sections):
    values: dict[str, Any] = {
        "name": "small",
        "data": {"paths": ["set.npz"], "validation_subjects": 2},
        "network": {"widths": [8, 16], "strides": [2, 2], "dim": 16, "dropout": 0.1, "head": "cosine"},
        "clip": {"frames": 16, "minimum": 8},
        "sampler": {"classes": 4, "per_class": 2},
        "augment": {"speed": 0.1, "noise": 0.01, "drop_limb": 0.2},
        "loss": {"inter": {"start_epoch": 1, "neighbours": 2, "overlap": 1}, "intra": {"bank": 24}},
        "optim": {"epochs": 4, "steps": 3, "lr": 0.01, "ema": 0.9},
    }
    merged = {key: {**values.get(key, {}), **section} for key, section in sections.items()}
    return Recipe.model_validate(values | merged)
