"""A data set at a path, parsed once and kept; or only looked at."""

from pathlib import Path

from model.errors import InvalidDataSet
from training.data.cache import default_cache, kept
from training.data.collect import Collector, Loaded
from training.data.kind import Kind
from training.data.kinds import kind_named, sets_at
from training.data.report import Report
from training.data.stream import Progress


def load(
    path: Path,
    kind: str | None = None,
    *,
    cache: Path | None = None,
    verify: bool = True,
    progress: Progress | None = None,
) -> Loaded:
    """The data set at `path` from memory-mapped arrays, its splits and what was found and left out.

    kind: its name in `training.data.kinds.KINDS`; None where its content tells. cache: default `default_cache()`.
    verify: compare the checksums of what is kept there, which reads all of it once; a second process need not.
    Raises `InvalidDataSet`.
    """
    found, source = one_set(path, kind)
    return kept(found, source, cache or default_cache(), verify=verify, progress=progress)


def check(kind: Kind, path: Path, *, progress: Progress | None = None) -> Report:
    """The report alone: the same pass, and nothing is kept. Raises `InvalidDataSet`."""
    collector = Collector(kind, path)
    collector.run(progress)
    return collector.result().report


def one_set(path: Path, kind: str | None) -> tuple[Kind, Path]:
    """The one data set at `path`; raises `InvalidDataSet` where there are several."""
    if kind is not None:
        if not path.exists():
            raise InvalidDataSet(str(path), "there is no such file or directory")
        return kind_named(kind), path
    found = sets_at(path)
    if len(found) > 1:
        raise InvalidDataSet(str(path), f"holds {len(found)} data sets; name one of the files")
    return found[0]
