"""What CASIA-B should hold in whatever form it comes, its people's halves, and GaitGraph's CSV files as a kind."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.casia_b import FPS, TEST_FILE, TRAIN_FILE, read_csv
from training.data.kind import Kind, Mask
from training.data.sequences import from_sequences
from training.data.stream import Items, Progress

SHORT = 61
"""GaitGraph deletes sequences with fewer frames, of training, gallery and probes alike."""
EXPECTED: Mapping[str, int] = MappingProxyType({"subjects": 124, "views": 11})
NOMINAL = 124 * 10 * 11
NOTE = f"{NOMINAL:,} sequences nominally (124 people, 10 runs, 11 views); all known copies lack some"


def splits(data: ActionSet) -> dict[str, Mask]:
    """LT 74/50, and the last 15 of the 74 as GaitGraph validates on."""
    known = np.array([name.isdigit() for name in data.subject.tolist()], dtype=bool)
    number = np.where(known, data.subject, "0").astype(np.int64)
    train = known & (number <= 74)
    return {"train": train, "valid": train & (number >= 60), "test": known & (number > 74)}


def counts(data: ActionSet) -> dict[str, int]:
    """Sequences of each condition, and those that are too short for GaitGraph."""
    out = {name: int((data.condition == name).sum()) for name in ("nm", "bg", "cl")}
    return out | {f"under {SHORT} frames": int((data.lengths < SHORT).sum())}


def files(path: Path) -> Sequence[Path]:
    """The CSV files: `path` itself, or those of the two that are in the directory. Raises `InvalidDataSet`."""
    found = [path] if path.is_file() else [path / name for name in (TRAIN_FILE, TEST_FILE) if (path / name).is_file()]
    if not found:
        raise InvalidDataSet(str(path), f"holds neither {TRAIN_FILE} nor {TEST_FILE}")
    return found


def items(path: Path, progress: Progress | None = None) -> Items:
    for file in files(path):
        data = read_csv(file, progress=progress)
        names = ["-".join(parts) for parts in zip(data.subject, data.sequence_name, data.view, strict=True)]
        yield from from_sequences(data, names)


KINDS = (
    Kind(
        "casia-b-gaitgraph",
        "CASIA-B poses, GaitGraph's CSV files",
        COCO_17,
        FPS,
        Units.PIXELS,
        files=files,
        items=items,
        dims=2,
        splits=splits,
        counts=counts,
        expected=EXPECTED,
        notes=(NOTE,),
    ),
)
