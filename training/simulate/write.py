"""Simulated data on disk: CASIA-B's form in two CSV files, npz, and what it was made with; whole or not at all."""

import csv
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.data.casia_b import PEOPLE_FILE, TEST_FILE, TRAIN_FILE, WALKERS_FILE

ACTIONS_FILE = "actions.npz"
PARAMETERS_FILE = "simulation.json"
WALKERS_FILES = (TRAIN_FILE, TEST_FILE, WALKERS_FILE, PEOPLE_FILE, PARAMETERS_FILE)
ACTIONS_FILES = (ACTIONS_FILE, PARAMETERS_FILE)
LAST_TRAINING_SUBJECT = 74

HEADER = ",".join(["image_name", *(f"{joint}_{axis}" for joint in COCO_17.joints for axis in ("x", "y", "conf"))])
_CELLS = ",%.2f,%.2f,%.3f" * COCO_17.count + "\n"

Written = Callable[[int], object]
"""Called with the sequences written since the last call."""


def refuse_existing(out: Path, files: tuple[str, ...], *, force: bool) -> None:
    """Raise `InvalidDataSet` if `out` is a file, or holds one of `files` and `force` was not given."""
    if out.exists() and not out.is_dir():
        raise InvalidDataSet(str(out), "is a file, not a directory")
    there = [name for name in files if (out / name).exists()]
    if there and not force:
        raise InvalidDataSet(str(out), f"holds {', '.join(there)} already; --force replaces them")


@contextmanager
def replacing(out: Path, files: tuple[str, ...]) -> Iterator[Path]:
    """A temporary directory whose content takes the place of `files` in `out` when the block ends well.

    After an error or Ctrl-C nothing of it remains, and what was there before is untouched.
    """
    parent = out.resolve().parent
    parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=parent))
    try:
        yield draft
        draft.chmod(0o755)
        out.mkdir(exist_ok=True)
        for name in files:
            if (draft / name).exists():
                (draft / name).replace(out / name)
            else:
                (out / name).unlink(missing_ok=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_casia_b(folder: Path, walkers: SequenceSet, *, written: Written | None = None) -> None:
    """GaitGraph's two CSV files: subjects 1-74, and those above; a file without subjects is not written."""
    training = walkers.subject.astype(np.int64) <= LAST_TRAINING_SUBJECT
    for name, chosen in ((TRAIN_FILE, training), (TEST_FILE, ~training)):
        if chosen.any():
            write_csv(folder / name, walkers, np.flatnonzero(chosen), written=written)


def write_csv(
    path: Path, walkers: SequenceSet, which: np.ndarray, *, folder: str = "walkers", written: Written | None = None
) -> None:
    """Sequences as GaitGraph has them: a row a frame, named `<folder>/<sss>-<cc>-<nn>-<vvv>/<frame>.jpg`.

    A frame in which nothing was seen has no row, as where a person detector found nobody.
    """
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(HEADER + "\n")
        for i in which:
            file.write(_rows(walkers, int(i), folder))
            if written is not None:
                written(1)


def _rows(walkers: SequenceSet, i: int, folder: str) -> str:
    frames = walkers.clip_frames(i)
    name = f"{folder}/{walkers.subject[i]}-{walkers.sequence_name[i]}-{walkers.view[i]}/"
    seen = np.flatnonzero((frames[..., 2] > 0).any(axis=1))
    # One format of the whole sequence is several times faster than one a row.
    lines = "".join(f"{name}{number + 1:06d}.jpg{_CELLS}" for number in seen.tolist())
    return lines % tuple(frames[seen].ravel().tolist())


def write_people(folder: Path, people: Sequence[Mapping[str, str]]) -> None:
    """One line a subject; the keys of the first are the columns."""
    with (folder / PEOPLE_FILE).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(people[0]))
        writer.writeheader()
        writer.writerows(people)


def write_parameters(folder: Path, parameters: Mapping[str, Any]) -> None:
    text = json.dumps(parameters, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / PARAMETERS_FILE).write_text(text + "\n", encoding="utf-8")
