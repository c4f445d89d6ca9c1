"""CASIA-B as TranSG re-identifies people in it: windows of 14 joints in three dimensions, as .npy files.

`<f>/CASIA_B_train_npy_data/` and `<f>/CASIA_B_test_npy_data/{nm,bg,cl}/` hold `source_{x,y,z}_CASIA_B_<f>.npy` (of the
test, `t_source_...`), each (windows, f, 14) in any shape; `frame_id_CASIA_B_<f>.npy`, the person of each window; and
`ids_CASIA_B_<f>.npy`, a pickled dict of each person's windows, which must say the same. f is the frames of a window.
The joints were lifted from images by the makers, in units and axes of their own; the test's people are not trained on.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import CASIA_14
from model.readers.pickle_arrays import Array
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.kind import Kind, Mask
from training.data.pickled import entries, object_of
from training.data.stream import Items, Progress, Taken, with_confidence

FPS = 25.0
CONDITIONS = ("nm", "bg", "cl")
TRAIN, TEST = "CASIA_B_train_npy_data", "CASIA_B_test_npy_data"
_X = re.compile(r"(t_)?source_x_CASIA_B_(\d{1,3})\.npy", re.ASCII)


def root_of(path: Path) -> Path:
    """The directory that holds the two halves: `path`, or the one below it for the longest windows."""
    found = [place.parent for place in (*path.glob(TRAIN), *path.glob(f"*/{TRAIN}"), *path.glob(f"*/*/{TRAIN}"))]
    if not found:
        raise InvalidDataSet(str(path), f"holds no {TRAIN}")
    return max(found, key=lambda place: int(place.name) if place.name.isdigit() else 0)


def _parts(path: Path) -> list[tuple[str, str, Path]]:
    """(part, condition, directory) of what is there."""
    root = root_of(path)
    parts = [("train", "", root / TRAIN), *(("test", name, root / TEST / name) for name in CONDITIONS)]
    return [part for part in parts if part[2].is_dir()]


def files(path: Path) -> Sequence[Path]:
    return sorted(file for _, _, place in _parts(path) for file in place.glob("*_CASIA_B_*.npy"))


def items(path: Path, progress: Progress | None = None) -> Items:
    """Windows, each a recording; raises `InvalidDataSet` naming the file that does not fit the others."""
    for part, condition, place in _parts(path):
        length, prefix = _window(place)
        arrays = [_coordinates(place / f"{prefix}source_{axis}_CASIA_B_{length}.npy", length) for axis in "xyz"]
        if len({len(array) for array in arrays}) > 1:
            raise InvalidDataSet(str(place), f"x, y, z have {', '.join(str(len(array)) for array in arrays)} windows")
        people = _people(place, length, len(arrays[0]))
        if progress:
            progress(sum(file.stat().st_size for file in place.glob("*_CASIA_B_*.npy")))
        for i, person in enumerate(people):
            joints = np.stack([array[i] for array in arrays], axis=-1).astype(np.float32)
            labels = {"subject": person, "condition": condition, "part": part, "action": "walk"}
            yield Taken(f"{part}-{condition}-{i:06d}".replace("--", "-"), with_confidence(joints)[None], labels)


def _window(place: Path) -> tuple[int, str]:
    """Frames of a window and what names begin with, by the file of x."""
    found = [match for file in place.iterdir() if (match := _X.fullmatch(file.name))]
    if len(found) != 1:
        raise InvalidDataSet(str(place), f"holds {len(found)} files [t_]source_x_CASIA_B_<f>.npy where one is expected")
    length = int(found[0][2])
    if not length:
        raise InvalidDataSet(str(place), "has windows of 0 frames")
    return length, found[0][1] or ""


def _coordinates(file: Path, length: int) -> NDArray[Any]:
    values = _plain(file)
    if values.dtype.kind != "f" or values.size % (length * CASIA_14.count):
        raise InvalidDataSet(
            str(file), f"{values.size} numbers ({values.dtype}) are no windows of {length} frames of 14 joints"
        )
    return values.reshape(-1, length, CASIA_14.count)


def _plain(file: Path) -> NDArray[Any]:
    """An array of numbers or text, memory-mapped."""
    try:
        values: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise InvalidDataSet(str(file), "there is no such file") from None
    except (ValueError, OSError, EOFError) as error:
        raise InvalidDataSet(str(file), f"is no array of numbers ({str(error).splitlines()[0][:80]})") from error
    if not isinstance(values, np.ndarray):
        raise InvalidDataSet(str(file), "is no single array")
    return values


def _people(place: Path, length: int, windows: int) -> list[str]:
    """The person of each window."""
    file = place / f"frame_id_CASIA_B_{length}.npy"
    given = _plain(file).reshape(-1)
    if len(given) != windows or given.dtype.kind not in "iuU":
        raise InvalidDataSet(str(file), f"names {len(given)} people ({given.dtype}) for {windows} windows")
    people = [_name(value) for value in given.tolist()]
    index = place / f"ids_CASIA_B_{length}.npy"
    for person, members in _ids(index).items():
        for member in members:
            if not 0 <= member < windows or people[member] != person:
                raise InvalidDataSet(str(index), f"gives window {member} to person {person}, {file.name} does not")
    return people


def _name(value: object) -> str:
    """A person's number as CASIA-B writes it.

    >>> _name(7), _name("007"), _name("x")
    ('007', '007', 'x')
    """
    text = str(value)[:40]
    return f"{int(text):03d}" if text.isdecimal() else text


def _ids(file: Path) -> dict[str, list[int]]:
    """Windows by person, out of the pickled dict."""
    try:
        with file.open("rb") as opened:
            version = npy.read_magic(opened)
            (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(opened)
            skip = opened.tell()
        found = object_of([value for _, value in entries(file, objects=True, skip=skip)][-1])
    except FileNotFoundError:
        raise InvalidDataSet(str(file), "there is no such file") from None
    except (ValueError, IndexError) as error:
        raise InvalidDataSet(str(file), f"is no .npy of a dict ({str(error).splitlines()[0][:80]})") from error
    if not isinstance(found, dict):
        raise InvalidDataSet(str(file), f"holds a {type(found).__name__}, not a dict of people's windows")
    out = {}
    for person, given in found.items():
        members = given.values.reshape(-1).tolist() if isinstance(given, Array) else given
        if not isinstance(members, list) or not all(isinstance(member, int) for member in members):
            raise InvalidDataSet(str(file), f"the windows of person {str(person)[:40]!r} are no list of numbers")
        out[_name(person)] = members
    return out


def splits(data: ActionSet) -> dict[str, Mask]:
    """What trains, and the test's windows by condition: probes and gallery come from those."""
    test = {f"test_{name}": (data.part == "test") & (data.condition == name) for name in CONDITIONS}
    return {"train": data.part == "train", **test}


def counts(data: ActionSet) -> dict[str, int]:
    return {f"subjects of {part}": len(np.unique(data.subject[data.part == part])) for part in ("train", "test")}


KINDS = (
    Kind(
        "casia-b-transg",
        "CASIA-B for re-identification, TranSG's .npy files",
        CASIA_14,
        FPS,
        Units.METRES,
        files=files,
        items=items,
        splits=splits,
        counts=counts,
        expected={"subjects of train": 62, "subjects of test": 62},
        notes=("units and axes are the source's own",),
    ),
)
