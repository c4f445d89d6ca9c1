"""Data sets kept as memory-mapped arrays, so that a source is parsed once.

A directory a source: `frames.npy`, `numbers.npy`, one array a label and a split, and `index.json` with the checksum
of each, of itself, and of what it was made from. Written beside and moved into place; its name is made of the
source's state, so that a source that changed finds nothing, and two processes at once make the same directory.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.sequence import Units
from training.data.action_set import COLUMNS, ActionSet, field_of
from training.data.arrays import LABELS
from training.data.collect import Collector, Loaded
from training.data.kind import Kind
from training.data.report import Report
from training.data.stream import Progress

FORMAT = "gaitkeeper-cache-1"
INDEX, FRAMES, NUMBERS = "index.json", "frames.npy", "numbers.npy"
OPTIONAL: Mapping[str, str] = MappingProxyType({"fps_each": "fps.npy", "sizes": "sizes.npy"})
VARIABLE = "GAITKEEPER_CACHE"
_CHUNK = 1 << 22


def default_cache() -> Path:
    """What the environment names (GAITKEEPER_CACHE), or the user's cache directory."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gaitkeeper"


def state_of(kind: Kind, path: Path) -> str:
    """A digest of kind, version and name, size and time of every file of the source: equal while nothing changed."""
    digest = hashlib.sha256(f"{FORMAT} {kind.name} {kind.version} {path.resolve()}".encode(errors="surrogateescape"))
    for file in kind.files(path):
        about = file.stat()
        digest.update(f"\n{file}\t{about.st_size}\t{about.st_mtime_ns}".encode(errors="surrogateescape"))
    return digest.hexdigest()


def kept(kind: Kind, path: Path, root: Path, *, verify: bool = True, progress: Progress | None = None) -> Loaded:
    """The data set at `path` from the cache below `root`, parsed into it first where it is not there yet.

    verify: read all of it to compare the checksums; what was damaged is made again. Raises `InvalidDataSet` for a
    source that is not of `kind`.
    """
    state = state_of(kind, path)
    place = root / f"{kind.name}-{state[:24]}"
    if place.is_dir():
        try:
            return opened(place, kind, str(path), verify=verify)
        except InvalidDataSet:
            shutil.rmtree(place)
    _make(kind, path, place, progress)
    return opened(place, kind, str(path), verify=False)


def _make(kind: Kind, path: Path, place: Path, progress: Progress | None) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-"))
    try:
        with (beside / FRAMES).open("wb") as file:
            collector = Collector(kind, path, file)
            collector.run(progress)
            collector.close_frames()
            _flush(file.fileno())
        _write(beside, collector.result(), str(path.resolve()))
        _move(beside, place)
        _drop_former(place, kind, str(path.resolve()))
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(place: Path, loaded: Loaded, source: str) -> None:
    data = loaded.data
    arrays: dict[str, NDArray[Any]] = {NUMBERS: np.stack([getattr(data, column) for column in COLUMNS])}
    arrays |= {f"{label}.npy": data.labels(label) for label in LABELS}
    arrays |= {f"split-{number}.npy": members for number, members in enumerate(loaded.splits.values())}
    arrays |= {file: getattr(data, field) for field, file in OPTIONAL.items() if getattr(data, field) is not None}
    for name, array in arrays.items():
        with (place / name).open("wb") as file:
            np.save(file, array, allow_pickle=False)
            _flush(file.fileno())
    index: dict[str, Any] = {"format": FORMAT, "layout": data.layout.name, "fps": data.fps, "units": data.units.value}
    index |= {"aspect": data.aspect, "source": source, "splits": list(loaded.splits), "report": loaded.report.to_json()}
    index["sums"] = {name: _sum(place / name) for name in (FRAMES, *arrays)}
    index["sum"] = _sum_of(index)
    with (place / INDEX).open("w", encoding="utf-8") as text:
        json.dump(index, text, indent=1)
        _flush(text.fileno())


def _flush(descriptor: int) -> None:
    os.fsync(descriptor)


def _move(beside: Path, place: Path) -> None:
    beside.chmod(0o755)
    try:
        beside.rename(place)
    except OSError:
        if not (place / INDEX).is_file():  # else another process has just made the same
            raise


def _drop_former(place: Path, kind: Kind, source: str) -> None:
    """Remove what was kept of the same source in an earlier state; who has it mapped keeps it until he ends."""
    for other in place.parent.glob(f"{kind.name}-*"):
        try:
            former = other != place and _index(other).get("source") == source
        except InvalidDataSet:
            continue
        if former:
            shutil.rmtree(other, ignore_errors=True)


def opened(place: Path, kind: Kind, name: str, *, verify: bool = True) -> Loaded:
    """What lies at `place`, frames memory-mapped; `verify` reads all of it once to compare the checksums.

    Raises `InvalidDataSet` for anything that was not written by `kept` for this kind, or was damaged since.
    """
    index = _index(place)
    for file, expected in index["sums"].items() if verify else ():
        if not (place / file).is_file() or _sum(place / file) != expected:
            raise InvalidDataSet(str(place / file), "is not what was written there (its checksum differs)")
    if index["layout"] != kind.layout.name:
        raise InvalidDataSet(str(place), f"is in layout {index['layout']}, not {kind.layout.name}")
    columns: dict[str, Any] = dict(zip(COLUMNS, np.load(place / NUMBERS, allow_pickle=False), strict=True))
    columns |= {
        field: np.load(place / file, allow_pickle=False) for field, file in OPTIONAL.items() if file in index["sums"]
    }
    columns |= {field_of(label): np.load(place / f"{label}.npy", allow_pickle=False) for label in LABELS}
    data = ActionSet(
        np.load(place / FRAMES, mmap_mode="r", allow_pickle=False), layout=kind.layout, fps=index["fps"],
        units=Units(index["units"]), aspect=index["aspect"], name=name,
        **columns,
    )  # fmt: skip
    splits = {
        split: np.load(place / f"split-{number}.npy", allow_pickle=False)
        for number, split in enumerate(index["splits"])
    }
    return Loaded(data, splits, Report.from_json(index["report"]))


def _index(place: Path) -> dict[str, Any]:
    try:
        index = json.loads((place / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidDataSet(str(place), f"has no readable {INDEX} ({error})") from error
    if not isinstance(index, dict) or index.get("format") != FORMAT or index.get("sum") != _sum_of(index):
        raise InvalidDataSet(str(place), f"its {INDEX} is damaged or of another version")
    return index


def _sum_of(index: Mapping[str, Any]) -> str:
    plain = {key: value for key, value in index.items() if key != "sum"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _sum(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
