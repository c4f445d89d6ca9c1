"""Walks, runs and jumps of the CMU motion capture database, seen by simulated cameras as a pose estimator sees them.

The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from NSF
EIA-0196217.

Many of these skeletons were rebuilt on shared bodies, so the data teach and test actions, never identity. Trials
whose subject the source does not know count as one unknown person.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import CMU_20, COCO_17
from model.sequence import SkeletonSequence
from training.data.arrays import SequenceSet, read_arrays
from training.data.recordings import load_recordings
from training.simulate.cameras import around, looking
from training.simulate.mocap import cmu_to_coco17_3d, film
from training.simulate.noise import NoiseModel

ACKNOWLEDGEMENT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
CLASSES: Mapping[str, str] = MappingProxyType(
    {"walk": "walk", "slow walk": "walk", "fast walk": "walk", "run": "run", "jump": "jump", "jumping": "jump"}
)
TEST_SUBJECTS = ("002", "005", "006", "007", "012", "043", "055")
TEST_TRIALS = ("test/running/running_1", "train/jumping/jumping_3")
"""Trials of the unknown person that are kept out too, so that there are two runs and two jumps nobody trained on."""

LONGEST = 130
"""Frames of a piece, some four seconds: a walker stays in the picture."""
_LEAP_M = 0.2
"""A piece of a jumping trial in which the hips rise less than this is standing about, and is left out."""
_AHEAD = 0.8
"""A piece of a walk or run in which this share of the way was not made ahead holds a turn, and is left out."""


class Part(StrEnum):
    """Trials that may be trained on, and those of other people (or, of the unknown person, other trials)."""

    TRAIN = "train"
    TEST = "test"


@dataclass(frozen=True, eq=False)
class Trial:
    """One piece of a trial. joints: (T, 17, 3) COCO joints in metres, y up, where they were recorded."""

    name: str
    subject: str
    action: str
    part: Part
    fps: float
    joints: NDArray[np.float64]


def trials(path: Path) -> tuple[Trial, ...]:
    """All pieces of walks, runs and jumps in the file, one source a trial. Raises `InvalidDataSet`."""
    data = load_recordings(path)
    if data.layout != CMU_20:
        raise InvalidDataSet(str(path), f"holds layout {data.layout.name}, not the motion capture")
    primary = read_arrays(path, only=("primary",)).get("primary", np.ones(len(data), bool))
    chosen = np.flatnonzero(primary & np.isin(data.action, list(CLASSES)))
    return tuple(piece for i in chosen.tolist() for piece in _pieces(data, i))


def _pieces(data: SequenceSet, i: int) -> Iterator[Trial]:
    name, subject = str(data.sequence_name[i]), str(data.subject[i])
    action = CLASSES[str(data.action[i])]
    part = Part.TEST if subject in TEST_SUBJECTS or name in TEST_TRIALS else Part.TRAIN
    joints = cmu_to_coco17_3d(data.clip_frames(i)[..., :3])
    count = -(-len(joints) // LONGEST)
    for number, piece in enumerate(np.array_split(joints, count), start=1):
        if not (_leaps(piece) if action == "jump" else _goes_ahead(piece)):
            continue
        named = name if count == 1 else f"{name}#{number}"
        yield Trial(named, f"cmu-{subject or 'unknown'}", action, part, data.fps_of(i), piece)


def _leaps(joints: NDArray[np.float64]) -> bool:
    return bool(np.ptp(joints[:, 11:13, 1].mean(axis=1)) >= _LEAP_M)


def _goes_ahead(joints: NDArray[np.float64]) -> bool:
    """Whether the hips face where the way leads, over the whole piece."""
    hips = joints[:, 11:13].mean(axis=1)[:, [0, 2]]
    way = hips[-1] - hips[0]
    steps = np.linalg.norm(np.diff(hips, axis=0), axis=1).sum()
    left = joints[:, 11] - joints[:, 12]
    facing = np.stack([-left[:, 2], left[:, 0]], axis=1)
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
    return bool(np.linalg.norm(way) >= _AHEAD * steps and (facing @ way).mean() >= _AHEAD * np.linalg.norm(way))


def observed(
    pieces: Sequence[Trial], *, cameras: int = 8, seed: int = 1000, noise: NoiseModel | None = None
) -> SequenceSet:
    """Every piece through `cameras` random cameras of its own: COCO-17, pixels, with an estimator's errors.

    Labels: subject "cmu-035", action, sequence the trial, view the camera's angle, part.
    """
    seen, labels = [], []
    for number, trial in enumerate(pieces):
        for k in range(cameras):
            rng = np.random.default_rng([seed, number, k])
            frames, camera = film(trial.joints, rng, fps=trial.fps, noise=noise)
            seen.append(SkeletonSequence(frames[..., :2], frames[..., 2], COCO_17, trial.fps))
            labels.append((trial.subject, trial.action, trial.name, f"{float(camera.view):03.0f}", trial.part.value))
    if not seen:
        raise InvalidDataSet("motion capture", "has no walk, run or jump")
    subject, action, name, view, part = np.array(labels).T
    return SequenceSet.of_sequences(
        seen, name="cmu", subject=subject, action=action, sequence=name, view=view, part=part
    )


SAMPLES: Mapping[str, str] = MappingProxyType(
    {
        "walk-1": "02_01", "walk-2": "train/walking/walking_4", "walk-3": "train/walking_extra/walking_47",
        "run-1": "02_03", "run-2": "test/running/running_1",
        "jump-1": "02_04", "jump-2": "train/jumping/jumping_3",
    }
)  # fmt: skip
"""Name of a sample file to the piece it shows; all of them are of part `TEST`."""


def samples(pieces: Sequence[Trial], *, seed: int = 0) -> dict[str, SkeletonSequence]:
    """Short recordings of real people for a demo, by name: one simulated camera each, with an estimator's errors."""
    named = {trial.name: trial for trial in pieces if trial.part is Part.TEST}
    shown = {}
    for number, (name, piece) in enumerate(SAMPLES.items()):
        rng = np.random.default_rng([seed, number])
        camera = looking(around(rng.uniform(30, 75), 7.0, 1.5), [0.0, 0.9, 0.0], 1000.0, (1280, 720))
        frames, _ = film(named[piece].joints, rng, fps=named[piece].fps, camera=camera)
        shown[name] = SkeletonSequence(frames[..., :2], frames[..., 2], COCO_17, named[piece].fps)
    return shown
