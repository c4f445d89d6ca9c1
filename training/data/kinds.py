"""The kinds of data sets that are known, and which one lies at a path."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

from model.errors import InvalidDataSet
from model.named_layouts import NTU_25
from model.readers.pickle_arrays import Array
from training.data import casia_b_counts, finegym, kinetics, npz_sets, ntu, opengait, pku_mmd, pyskl, transg
from training.data.casia_b import PEOPLE_FILE, TEST_FILE, TRAIN_FILE
from training.data.kind import Kind
from training.data.pickled import entries

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for module in (ntu, kinetics, pku_mmd, finegym, casia_b_counts, opengait, transg, npz_sets)
        for kind in module.KINDS
    }
)
_SETS = (".npz", ".pkl", ".pickle", ".csv")


def kind_named(name: str) -> Kind:
    """The kind of that name; raises `InvalidDataSet` with the names there are."""
    if name not in KINDS:
        raise InvalidDataSet(name, f"is no kind of data set; known are {', '.join(KINDS)}")
    return KINDS[name]


def sets_at(path: Path) -> list[tuple[Kind, Path]]:
    """The data set at `path`, recognised by its content; or each of several files that are sets of their own.

    Raises `InvalidDataSet` where nothing is known.
    """
    if not path.exists():
        raise InvalidDataSet(str(path), "there is no such file or directory")
    if path.is_file():
        return [(_of_file(path), path)]
    if kind := _of_directory(path):
        return [(kind, path)]
    files = sorted(f for f in path.iterdir() if f.suffix in _SETS and f.name != PEOPLE_FILE and f.is_file())
    if not files:
        raise InvalidDataSet(str(path), f"holds no data set that is known by its files; `--as` takes {_names()}")
    return [(_of_file(file), file) for file in files]


def _names() -> str:
    return ", ".join(KINDS)


def _of_file(path: Path) -> Kind:
    match path.suffix.lower():
        case ".npz":
            return npz_sets.recognised(path)
        case ".csv":
            return KINDS["casia-b-gaitgraph"]
        case ".pkl" | ".pickle":
            return _of_pickle(path)
        case _:
            raise InvalidDataSet(str(path), f"is of no known kind; `--as` takes {_names()}")


def _of_directory(path: Path) -> Kind | None:
    """The kind of a directory that is one data set together; None where its files stand for themselves, if at all."""
    if any((path / name).is_file() for name in (TRAIN_FILE, TEST_FILE)):
        return KINDS["casia-b-gaitgraph"]
    if any(True for pattern in ("", "*/", "*/*/") for _ in path.glob(f"{pattern}{transg.TRAIN}")):
        return KINDS["casia-b-transg"]
    if next(path.glob("*.npz"), None):  # walkers of ours, or recordings
        return None
    if kind := _of_raw_ntu(path):
        return kind
    if pku_mmd.files(path):
        return KINDS["pku-mmd-raw"]
    pickles = sorted(path.glob("*.pkl"))
    if not pickles and next(path.glob("*/*/*/*.pkl"), None):
        return KINDS["casia-b-opengait"]
    if len(pickles) == 1:
        return _of_pickle(pickles[0])
    return None


def _of_raw_ntu(path: Path) -> Kind | None:
    names = (file.stem for file in path.rglob("*.skeleton"))
    actions = [ntu.action_number(name) for name in names if ntu.NAME.fullmatch(name)]
    if not actions:
        return None
    return KINDS["ntu120-raw" if max(actions) > ntu.SMALL else "ntu60-raw"]


def _of_pickle(path: Path) -> Kind:
    splits: set[str] = set()
    for key, value in pyskl.first_entries(path):
        if key == "split" and isinstance(value, dict):
            splits |= set(value)
        elif key is None:
            return KINDS[_of_annotation(path, value, splits)]
    raise InvalidDataSet(str(path), f"is a pickle without annotations; `--as` takes {_names()}")


def _of_annotation(path: Path, value: Any, splits: set[str]) -> str:
    if not isinstance(value, dict):
        raise InvalidDataSet(str(path), f"is a pickle of {type(value).__name__}s, not of annotations")
    name = str(value.get("frame_dir", value.get("filename", "")))
    keypoint = value.get("keypoint")
    if keypoint is None and ("raw_file" in value or "frame_inds" in value):
        return "kinetics-pickle"
    if not isinstance(keypoint, Array) or keypoint.values.ndim != 4:
        raise InvalidDataSet(str(path), "annotations[0]: keypoint is no array (people, frames, joints, coordinates)")
    solid = keypoint.values.shape[2] == NTU_25.count
    if ntu.NAME.fullmatch(name):
        large = any(split.startswith("xset") for split in splits) or _beyond_small(path)
        return f"ntu{120 if large else 60}-{'pickle' if solid else 'hrnet'}"
    if solid:
        return "pku-mmd-pickle"
    return "finegym-pickle" if finegym.NAME.fullmatch(name) else "pyskl-pickle"


def _beyond_small(path: Path) -> bool:
    """Whether one of the first recordings is of a class that NTU RGB+D 60 does not have."""
    first = islice((value for key, value in entries(path, start=True) if key is None), 1000)
    names = (str(value.get("frame_dir", "")) for value in first if isinstance(value, dict))
    return any(ntu.action_number(name) > ntu.SMALL for name in names if ntu.NAME.fullmatch(name))
