"""What a run's network makes of single recordings: its last features and the graphs that it draws between joints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.clips import mean_over_clips, to_clips
from model.errors import InvalidDataSet, UnusableSequence
from model.named_layouts import layout_named
from model.network.aclnet import Outputs
from model.prepare import prepare
from model.sequence import Floats, SkeletonSequence
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet
from training.evaluate.progress import bar
from training.protocols.actions import class_names
from training.recipe import Recipe
from training.run import Run
from training.split import load_test_data

BATCH = 16


@dataclass(frozen=True, eq=False)
class Look:
    """which: (n,) indices of the recordings that the network could take. pooled: (n, width) of unit length, what is
    classified; graph: (n, V, V), mean over channels of the last block's learned graph, from joint (row) to joint."""

    which: NDArray[np.int64]
    pooled: Floats
    graph: Floats

    @property
    def weights(self) -> NDArray[np.float64]:
        """How much of each joint is used for all others (n, V): the mean size of what leaves it."""
        return np.asarray(np.abs(self.graph.astype(np.float64)).mean(axis=2))


def recordings_of(recipe: Recipe) -> ActionSet:
    data = load_test_data(recipe)
    return ActionSet.of_sequences(data) if isinstance(data, SequenceSet) else data


def of_classes(data: ActionSet, labels: Sequence[str], most: int) -> NDArray[np.int64]:
    """Indices of at most `most` recordings of each class, spread evenly over those there are."""
    names = class_names(data)
    chosen = [np.empty(0, np.int64)]
    for label in labels:
        there = np.flatnonzero(names == label)
        if len(there) > most:
            there = there[np.linspace(0, len(there) - 1, most).round().astype(np.int64)]
        chosen.append(there)
    return np.concatenate(chosen)


def look_at(run: Run, data: ActionSet, which: Sequence[int], text: str = "looking") -> Look:
    """Puts the recordings through the network, mean over the clips of each; those too short for a clip are left out.

    Raises `InvalidDataSet` where none is left, `LayoutMismatch` for joints that the network cannot take.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = run.network.to(device).eval()
    taken, pooled, graph = [], [], []
    with bar(text) as line, torch.inference_mode():
        advance = line.of(len(which))
        for start in range(0, len(which), BATCH):
            block = list(_clips(run, data, which[start : start + BATCH]))
            advance(min(BATCH, len(which) - start))
            if not block:
                continue
            owner = np.repeat(np.arange(len(block)), [len(clips) for _, clips in block])
            clips = torch.from_numpy(np.concatenate([clips for _, clips in block])).to(device)
            outputs: Outputs = network(clips)
            taken += [i for i, _ in block]
            pooled.append(mean_over_clips(outputs.pooled.float().cpu().numpy(), owner))
            graph.append(mean_over_clips(outputs.graph.float().cpu().numpy(), owner))
    run.network.to("cpu")
    if not taken:
        raise InvalidDataSet(data.name, "holds no recording that the network could look at")
    joints = layout_named(run.recipe.network.layout).count
    features = np.concatenate(pooled)
    features /= np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    return Look(np.array(taken, np.int64), features, np.concatenate(graph).reshape(-1, joints, joints))


def _clips(run: Run, data: ActionSet, block: Sequence[int]) -> Iterator[tuple[int, Floats]]:
    layout, spec = layout_named(run.recipe.network.layout), run.recipe.clip
    if spec.sampling == "uniform":
        spec = spec.model_copy(update={"clips": 1})  # what ten show of a recording one does, in a tenth of the time
    for i in block:
        try:
            yield int(i), to_clips(tuple(people_of(run, data, int(i))), spec, layout)
        except UnusableSequence:
            continue


def people_of(run: Run, data: ActionSet, i: int) -> list[SkeletonSequence]:
    """Everybody in recording i, in the network's layout and number of coordinates."""
    layout, spec = layout_named(run.recipe.network.layout), run.recipe.clip
    each = [data.sequence(i, person) for person in range(int(data.people[i]))]
    return [prepare(sequence, layout, spec).sequence for sequence in each]
