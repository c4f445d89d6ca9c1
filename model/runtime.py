"""Running a bundle's models; what serves needs ONNX Runtime, and no torch."""

import io
import zipfile
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np

from model.bundle import PARITY, Bundle, Task
from model.clips import ClipSpec
from model.errors import InvalidBundle, InvalidRequest, InvalidSequence
from model.execution import CLIPS_ON_CPU, MOST_CLIPS, Execution, Plan
from model.graph import CUDA, Device, Graph, OnnxGraph, OpenVinoGraph
from model.layout import Layout
from model.sequence import Floats

INPUT = "clips"
OUTPUT: dict[Task, str] = {"encoder": "embedding", "classifier": "probabilities"}
LEAST_FRAMES = 8
_BY_ONNX_RUNTIME = Plan()


class Encoder(Protocol):
    """Clips (n, T, V, C), or (n, M, T, V, C) with `clip.people` M above 1, to embeddings (n, dim) of unit length."""

    fingerprint: str
    layout: Layout
    clip: ClipSpec
    dim: int

    def embed_clips(self, clips: Floats) -> Floats: ...


class Classifier(Protocol):
    """Clips as an `Encoder` takes them to probabilities (n, labels)."""

    fingerprint: str
    layout: Layout
    clip: ClipSpec
    labels: tuple[str, ...]

    def probabilities(self, clips: Floats) -> Floats: ...


class _Opened:
    """A model of a bundle. dim: of an encoder's embeddings; labels: of a classifier. threads: of one run, by default as
    many as this process may use. plan: what runs it on the processor. Safe to share by threads. Raises `ModelMissing`,
    `InvalidBundle`, and `InvalidRequest` for a device or an execution that is not there."""

    _task: ClassVar[Task]

    def __init__(
        self,
        bundle: Bundle,
        *,
        threads: int | None = None,
        device: Device = "auto",
        plan: Plan = _BY_ONNX_RUNTIME,
    ) -> None:
        self.fingerprint, self.layout, self.clip = bundle.fingerprint, bundle.layout, bundle.manifest.clip
        self.dim, self.labels = bundle.manifest.dim or 0, bundle.manifest.labels
        self._model = _OnnxModel(bundle, self._task, threads, device, plan)

    @property
    def providers(self) -> tuple[str, ...]:
        """What this is run by, first choice first."""
        return self._model.providers

    @property
    def at_once(self) -> int:
        """How many clips are run at a time: more of them take as much longer."""
        return self._model.at_once


class OnnxEncoder(_Opened):
    """A bundle's encoder."""

    _task = "encoder"

    def embed_clips(self, clips: Floats) -> Floats:
        """Raises `InvalidSequence` for clips of another shape or type."""
        return self._model.run(clips)


class OnnxClassifier(_Opened):
    """A bundle's classifier."""

    _task = "classifier"

    def probabilities(self, clips: Floats) -> Floats:
        """Raises `InvalidSequence` for clips of another shape or type."""
        return self._model.run(clips)


def clip_shape(layout: Layout, clip: ClipSpec, count: int, frames: int) -> tuple[int, ...]:
    """The shape of that many clips of so many frames, as a model takes them.

    >>> from model.named_layouts import COCO_17
    >>> clip_shape(COCO_17, ClipSpec(people=2), 5, 60)
    (5, 2, 60, 17, 3)
    """
    people = () if clip.people == 1 else (clip.people,)
    return (count, *people, frames, layout.count, clip.channels)


def check_clips(clips: Floats, layout: Layout, clip: ClipSpec) -> None:
    """Raises `InvalidSequence` for clips of another shape or type than a model takes."""
    if not isinstance(clips, np.ndarray) or clips.dtype != np.float32:
        raise InvalidSequence(INPUT, f"must be a float32 array, got {getattr(clips, 'dtype', type(clips))}")
    if not _fits(clips.shape, layout, clip):
        _, *people, _, joints, channels = clip_shape(layout, clip, 0, 0)
        needed = ", ".join(str(size) for size in ("n", *people, "frames", joints, channels))
        raise InvalidSequence(INPUT, f"must be ({needed}), got {clips.shape}")
    if clips.shape[-3] < LEAST_FRAMES:
        raise InvalidSequence(INPUT, f"must have at least {LEAST_FRAMES} frames, got {clips.shape[-3]}")


def _fits(shape: Sequence[object], layout: Layout, clip: ClipSpec) -> bool:
    """Whether it is a shape of clips, whatever the numbers of clips and frames."""
    sizes = clip_shape(layout, clip, 0, 0)
    return len(shape) == len(sizes) and (*shape[1:-3], *shape[-2:]) == (*sizes[1:-3], *sizes[-2:])


def check_parity(bundle: Bundle, *, threads: int | None = None, device: Device = "cpu") -> float:
    """Largest difference between what the bundle's models give here and what the trained network gave.

    Raises `InvalidBundle` if the bundle has no parity file or one that does not fit its models.
    """
    recorded, worst = _recorded(bundle), 0.0
    for task in bundle.tasks:
        model = _OnnxModel(bundle, task, threads, device, _BY_ONNX_RUNTIME)
        inputs = sorted(name for name in recorded if name.startswith(f"{task}/") and name.endswith(f"/{INPUT}"))
        if not inputs:
            raise InvalidBundle(str(bundle.path), f"{PARITY} has nothing about its {task}")
        for name in inputs:
            expected = recorded.get(name.removesuffix(INPUT) + OUTPUT[task])
            given = model.run(recorded[name])
            if expected is None or expected.shape != given.shape:
                raise InvalidBundle(str(bundle.path), f"{PARITY} has no output that fits {name}")
            worst = max(worst, float(np.abs(given - expected).max()))
    return worst


def _recorded(bundle: Bundle) -> dict[str, Floats]:
    try:
        with np.load(io.BytesIO(bundle.read(PARITY)), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise InvalidBundle(str(bundle.path), f"{PARITY} is not an npz of arrays ({error})") from error


class _OnnxModel:
    def __init__(self, bundle: Bundle, task: Task, threads: int | None, device: Device, plan: Plan) -> None:
        self.width = bundle.manifest.dim or 0 if task == "encoder" else len(bundle.manifest.labels)
        self._path, self._output = str(bundle.path), OUTPUT[task]
        self._layout, self._clip = bundle.layout, bundle.manifest.clip
        content = bundle.model(task)
        try:
            self._graph = _graph(plan.model or content, threads, device, plan.execution)
        except InvalidRequest:
            raise
        except Exception as error:  # ONNX Runtime has a type for each of its statuses, with no common base
            raise InvalidBundle(self._path, f"its {task} cannot be loaded ({_first_line(error)})") from error
        self.providers = self._graph.providers
        most = plan.clips or (MOST_CLIPS if CUDA in self.providers else CLIPS_ON_CPU)
        self.at_once = max(1, most // bundle.manifest.clip.people)
        self._check_signature(task)

    def run(self, clips: Floats) -> Floats:
        check_clips(clips, self._layout, self._clip)
        if len(clips) == 0:
            return np.empty((0, self.width), np.float32)
        parts = [self._run(clips[at : at + self.at_once]) for at in range(0, len(clips), self.at_once)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _run(self, clips: Floats) -> Floats:
        values = self._graph.run(INPUT, np.ascontiguousarray(clips), self._output)
        if values.shape != (len(clips), self.width):
            raise InvalidBundle(self._path, f"the model gave {values.shape}, not {(len(clips), self.width)}")
        if not np.isfinite(values).all():
            raise InvalidBundle(self._path, "the model gave values that are not finite")
        return values

    def _check_signature(self, task: Task) -> None:
        if set(self._graph.inputs) != {INPUT} or self._output not in self._graph.outputs:
            raise InvalidBundle(self._path, f"its {task} must take {INPUT!r} and give {self._output!r}")
        shape = self._graph.inputs[INPUT]
        if not _fits(shape, self._layout, self._clip):
            raise InvalidBundle(self._path, f"its {task} takes {shape}, which does not fit layout and clips")
        if isinstance(shape[0], int) or isinstance(shape[-3], int):
            raise InvalidBundle(self._path, f"its {task} takes {shape}: number of clips and of frames must be free")


def _graph(content: bytes, threads: int | None, device: Device, execution: Execution) -> Graph:
    if execution is Execution.OPENVINO:
        return OpenVinoGraph(content, threads, "f32")
    if execution is Execution.OPENVINO_BF16:
        return OpenVinoGraph(content, threads, "bf16")
    return OnnxGraph(content, threads, device)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
