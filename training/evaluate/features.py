"""What an encoder has to beat: nearest neighbour on bone lengths, and on motion with body size removed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.clips import ClipSpec, unit_length
from model.named_layouts import COCO_17
from model.prepare import prepare
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.evaluate.embedding import Progress
from training.evaluate.scoring import score
from training.protocols.cells import Cell, used
from training.simulate.realism import bone_features, motion_features

KINDS: Mapping[str, Callable[[Floats, float], NDArray[np.float64]]] = MappingProxyType(
    {"bones": bone_features, "motion": motion_features}
)


def simple_features(
    data: SequenceSet, usable: NDArray[np.bool_], cells: tuple[Cell, ...], *, progress: Progress | None = None
) -> dict[str, dict[str, float]]:
    """Rank-1 of each table by each kind of hand-made feature, over the same cells as the encoder's.

    Each feature is scaled to unit variance within its view; nothing is learned. usable: (n,) as for the encoder.
    """
    chosen = used(cells)
    chosen = chosen[usable[chosen]]
    values: dict[str, list[NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    for i in chosen.tolist():
        frames, fps = _frames(data, i)
        for kind, of in KINDS.items():
            values[kind].append(of(frames, fps))
        if progress:
            progress(1)
    return {kind: _scored(np.stack(made), data, chosen, cells) for kind, made in values.items() if made}


def _frames(data: SequenceSet, i: int) -> tuple[Floats, float]:
    """Sequence i as COCO-17 in an image, (T, 17, 3), x and y alike, and its frame rate."""
    ready = prepare(data.sequence(i), COCO_17, ClipSpec()).sequence
    joints = ready.joints * np.array([ready.aspect or 1.0, 1.0], dtype=np.float32)
    return np.concatenate([joints, ready.confidence[..., None]], axis=-1), ready.fps


def _scored(
    features: NDArray[np.float64], data: SequenceSet, chosen: NDArray[np.int64], cells: tuple[Cell, ...]
) -> dict[str, float]:
    values = np.nan_to_num(features)
    for view in np.unique(data.view[chosen]):
        here = data.view[chosen] == view
        values[here] = (values[here] - values[here].mean(axis=0)) / (values[here].std(axis=0) + 1e-9)
    vectors = np.zeros((len(data), values.shape[1]), dtype=np.float32)
    vectors[chosen] = unit_length(values.astype(np.float32))
    there = np.zeros(len(data), dtype=bool)
    there[chosen] = True
    return {table.name: table.accuracy() for table in score(vectors, there, data.subject, cells)}
