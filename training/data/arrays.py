"""Many labelled sequences in a few arrays: the shape in which data sets are stored, split and trained on."""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.errors import GaitkeeperError, InvalidDataSet
from model.layout import Layout
from model.named_layouts import layout_named
from model.sequence import Floats, SkeletonSequence, Units

Strings: TypeAlias = NDArray[np.str_]
Frames: TypeAlias = NDArray[np.float32] | NDArray[np.float16]

LABELS = ("subject", "condition", "view", "sequence", "action", "part")
FORMAT = "gaitkeeper-sequences-1"


@dataclass(frozen=True, eq=False)
class SequenceSet:
    """Sequences of one layout, end to end, with their labels.

    frames: (total, joints, dims + 1), float16 or float32, finite; the last channel is confidence in [0, 1].
    offsets: (n + 1,); sequence i is `frames[offsets[i]:offsets[i + 1]]`, never empty.
    subject, condition, view, sequence (the run, "nm-01" or so), action, part: (n,) strings; "" where unknown.
    fps: frames a second of all of them, or of each by `fps_each` (n,) where they differ.

    Raises `InvalidDataSet` for arrays that do not fit together. Arrays are taken, not copied.
    """

    frames: Frames
    offsets: NDArray[np.int64]
    subject: Strings
    condition: Strings
    view: Strings
    sequence_name: Strings
    action: Strings
    part: Strings
    layout: Layout
    fps: float
    units: Units = Units.PIXELS
    aspect: float | None = None
    fps_each: NDArray[np.float64] | None = None
    name: str = "sequences"

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or self.frames.shape[1:] not in ((self.layout.count, 3), (self.layout.count, 4)):
            self._refuse(f"frames must be (total, {self.layout.count}, 3 or 4), got {self.frames.shape}")
        if self.frames.dtype not in (np.float32, np.float16):
            self._refuse(f"frames must be float16 or float32, got {self.frames.dtype}")
        offsets = self.offsets
        if offsets.ndim != 1 or len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(self.frames):
            self._refuse("offsets must begin at 0 and end at the number of frames")
        if (np.diff(offsets) <= 0).any():
            self._refuse(f"sequence {int(np.argmax(np.diff(offsets) <= 0))} has no frames")
        for label in LABELS:
            if self.labels(label).shape != (len(self),):
                self._refuse(f"{label}: {len(self)} labels are needed, got {self.labels(label).shape}")
        if self.fps_each is not None and self.fps_each.shape != (len(self),):
            self._refuse(f"fps_each: {len(self)} values are needed, got {self.fps_each.shape}")
        if not np.isfinite(self.frames).all():
            self._refuse("frames must be finite (no NaN, no infinity)")
        confidence = self.frames[..., -1]
        if len(confidence) and (confidence.min() < 0 or confidence.max() > 1):
            self._refuse("confidence, the last channel of frames, must lie in [0, 1]")

    def _refuse(self, reason: str) -> None:
        raise InvalidDataSet(self.name, reason)

    @classmethod
    def of(
        cls,
        frames: Frames,
        offsets: ArrayLike,
        layout: Layout,
        fps: float,
        *,
        units: Units = Units.PIXELS,
        aspect: float | None = None,
        fps_each: ArrayLike | None = None,
        name: str = "sequences",
        **labels: ArrayLike,
    ) -> Self:
        """A set from arrays; labels by name (`subject=...`, `sequence=...`), those not given are ""."""
        assert set(labels) <= set(LABELS), f"labels are {LABELS}"
        places = np.asarray(offsets, dtype=np.int64)
        count = max(len(places) - 1, 0)
        strings = {label: np.asarray(labels.get(label, np.full(count, "")), dtype=np.str_) for label in LABELS}
        strings["sequence_name"] = strings.pop("sequence")
        each = None if fps_each is None else np.asarray(fps_each, dtype=np.float64)
        return cls(
            frames, places, layout=layout, fps=fps, units=units, aspect=aspect, fps_each=each, name=name, **strings
        )

    @classmethod
    def of_sequences(
        cls, sequences: Sequence[SkeletonSequence], *, name: str = "sequences", **labels: ArrayLike
    ) -> Self:
        """A set from single sequences of one layout, units, aspect and number of coordinates."""
        if not sequences:
            raise InvalidDataSet(name, "there are no sequences")
        first = sequences[0]
        if any(
            (s.layout, s.units, s.aspect, s.dims) != (first.layout, first.units, first.aspect, first.dims)
            for s in sequences
        ):
            raise InvalidDataSet(name, "layout, units, aspect and number of coordinates differ between sequences")
        frames = np.concatenate([np.concatenate([s.joints, s.confidence[..., None]], axis=-1) for s in sequences])
        offsets = np.cumsum([0, *(s.frames for s in sequences)])
        each = [s.fps for s in sequences]
        return cls.of(
            frames, offsets, first.layout, first.fps, units=first.units, aspect=first.aspect,
            fps_each=each if len(set(each)) > 1 else None, name=name, **labels,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def dims(self) -> int:
        return int(self.frames.shape[2]) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Frames of each sequence, (n,)."""
        return np.diff(self.offsets)

    def labels(self, label: str) -> Strings:
        """The label array of that name (one of `LABELS`)."""
        value: Strings = self.sequence_name if label == "sequence" else getattr(self, label)
        return value

    def fps_of(self, i: int) -> float:
        return self.fps if self.fps_each is None else float(self.fps_each[i])

    def clip_frames(self, i: int) -> Floats:
        """Frames of sequence i as float32, (T, joints, dims + 1)."""
        return np.asarray(self.frames[self.offsets[i] : self.offsets[i + 1]], dtype=np.float32)

    def sequence(self, i: int) -> SkeletonSequence:
        """Sequence i; raises `InvalidSequence` where its values are not a skeleton's."""
        frames = self.clip_frames(i)
        return SkeletonSequence(frames[..., :-1], frames[..., -1], self.layout, self.fps_of(i), self.units, self.aspect)

    def sequences(self) -> Iterator[SkeletonSequence]:
        return (self.sequence(i) for i in range(len(self)))

    def select(self, which: ArrayLike) -> Self:
        """The sequences of a boolean mask (n,), or of indices, in that order."""
        mask = np.asarray(which)
        index = np.flatnonzero(mask) if mask.dtype == bool else mask.astype(np.int64)
        assert mask.dtype != bool or len(mask) == len(self), "a mask has one value for each sequence"
        lengths = self.lengths[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], lengths)
        labels: dict[str, Any] = {_field(label): self.labels(label)[index] for label in LABELS}
        each = None if self.fps_each is None else self.fps_each[index]
        return replace(self, frames=self.frames[rows], offsets=offsets, fps_each=each, **labels)

    def save_npz(self, path: Path, *, compress: bool = True) -> None:
        """Write to `path`, whole or not at all."""
        arrays: dict[str, Any] = {label: self.labels(label) for label in LABELS}
        arrays |= {"frames": self.frames, "offsets": self.offsets, "format": FORMAT, "name": self.name}
        arrays |= {"layout": self.layout.name, "joints": np.array(self.layout.joints)}
        arrays |= {"fps": self.fps, "units": self.units.value, "aspect": np.nan if self.aspect is None else self.aspect}
        if self.fps_each is not None:
            arrays["fps_seq"] = self.fps_each
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            try:
                (np.savez_compressed if compress else np.savez)(file, **arrays)
                file.close()
                Path(file.name).chmod(0o644)
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise


def _field(label: str) -> str:
    return "sequence_name" if label == "sequence" else label


def concatenate(sets: Sequence[SequenceSet], *, name: str | None = None) -> SequenceSet:
    """One set of several that share layout, units, aspect and number of coordinates; frame rates may differ."""
    first = sets[0]
    for other in sets[1:]:
        if (other.layout, other.units, other.aspect, other.dims) != (
            first.layout,
            first.units,
            first.aspect,
            first.dims,
        ):
            raise InvalidDataSet(other.name, f"differs from {first.name} in layout, units, aspect or coordinates")
    starts = np.cumsum([0, *(len(s.frames) for s in sets)])
    offsets = np.concatenate([[0], *(s.offsets[1:] + start for s, start in zip(sets, starts, strict=False))])
    each = np.concatenate([[s.fps_of(i) for i in range(len(s))] for s in sets])
    labels: dict[str, Any] = {_field(k): np.concatenate([s.labels(k) for s in sets]) for k in LABELS}
    frames: Frames = np.concatenate([s.frames for s in sets])
    fps_each = each if len(np.unique(each)) > 1 else None
    return replace(first, frames=frames, offsets=offsets, fps_each=fps_each, name=name or first.name, **labels)


def load_npz(path: Path) -> SequenceSet:
    """A set written by `save_npz`; raises `InvalidDataSet` for anything else. No pickles."""
    arrays = read_arrays(path)
    if str(arrays.get("format")) != FORMAT:
        raise InvalidDataSet(str(path), f"is not of format {FORMAT}")
    missing = {"frames", "offsets", "layout", "fps", "units", "aspect", *LABELS} - set(arrays)
    if missing:
        raise InvalidDataSet(str(path), f"lacks {', '.join(sorted(missing))}")
    try:
        aspect = float(arrays["aspect"])
        return SequenceSet.of(
            arrays["frames"], arrays["offsets"], layout_named(str(arrays["layout"])), float(arrays["fps"]),
            units=Units(str(arrays["units"])), aspect=None if np.isnan(aspect) else aspect,
            fps_each=arrays.get("fps_seq"), name=str(path), **{label: arrays[label] for label in LABELS},
        )  # fmt: skip
    except InvalidDataSet:
        raise
    except (GaitkeeperError, ValueError, TypeError) as error:
        raise InvalidDataSet(str(path), str(error)) from error


def read_arrays(path: Path, only: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of an npz (or `only` some), read once and without pickles; raises `InvalidDataSet`."""
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InvalidDataSet(str(path), "is one array, not an npz")
            return {key: archive[key] for key in archive if only is None or key in only}
    except FileNotFoundError:
        raise InvalidDataSet(str(path), "there is no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        # NumPy takes whatever it does not know for a pickle, and advises to load that unsafely.
        why = "it is none, or holds pickled objects" if "pickle" in str(error) else error
        raise InvalidDataSet(str(path), f"is not a readable npz ({why})") from error
