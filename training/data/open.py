"""Whatever data set lies at a path, recognised by its content."""

from pathlib import Path

from training.data.arrays import FORMAT, SequenceSet, load_npz, read_arrays
from training.data.casia_b import Progress, Split, load
from training.data.recordings import load_recordings


def open_set(path: Path, *, progress: Progress | None = None) -> SequenceSet:
    """A set of ours (npz), a recording (npz), CASIA-B's CSV files, or a directory of those or of walkers.

    Everything is kept in its own layout and units. Raises `InvalidDataSet` for anything else.
    """
    if path.is_dir() or path.suffix.lower() == ".csv":
        return load(path, Split.ALL, progress=progress)
    arrays = read_arrays(path, only=("format",))
    return load_npz(path) if str(arrays.get("format")) == FORMAT else load_recordings(path)
