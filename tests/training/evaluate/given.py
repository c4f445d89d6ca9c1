"""Results as if a classifier had given them."""

import numpy as np

from training.evaluate.action_result import ActionResult


def given(true, probabilities, *, names=None, labels=None, subject=None, notes=()):
    """A result of these classes and probabilities; recordings are r0, r1, ... of people by turns."""
    table = np.asarray(probabilities, dtype=np.float32)
    number = np.arange(len(table))
    whose = np.char.mod("%03d", number % 3) if subject is None else np.asarray(subject)
    return ActionResult(
        tuple(labels or (f"c{i}" for i in range(table.shape[1]))),
        np.char.mod("r%d", number) if names is None else np.asarray(names),
        np.asarray(true, dtype=np.int64),
        table,
        groups=whose,
        subject=whose,
        notes=tuple(notes),
    )


def random_result(rng, recordings=12, classes=7):
    raw = rng.random((recordings, classes)) + 1e-3
    return given(rng.integers(classes, size=recordings), raw / raw.sum(axis=1, keepdims=True))
