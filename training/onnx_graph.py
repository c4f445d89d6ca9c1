"""Trained networks as one ONNX file, and the proof that it is the same function."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from model.bundle import Task
from model.clips import ClipSpec
from model.errors import ExportRejected
from model.layout import Layout
from model.network.ensemble import graph_of
from model.network.folding import folded
from model.onnx_runtime import ort
from model.runtime import INPUT, LEAST_FRAMES, OUTPUT
from model.sequence import Floats
from training.ensemble import Ensemble

OPSET = 20
TOLERANCE = 1e-4
BATCHES, LENGTHS = (1, 2, 3, 8, 33), (8, 24, 60, 61, 100)
KEPT = ((1, 8), (2, 61), (3, 24), (8, 60), (1, 100))  # (clips, frames) that a bundle carries for later checks


def to_onnx(made: Ensemble) -> bytes:
    """One graph for the ensemble's task with free numbers of clips and frames; equal networks give equal bytes.

    Raises `ExportRejected` with the exporter's reason.
    """
    graph = graph_of(made.task, [folded(network) for network in made.networks], made.weights)
    clips = torch.from_numpy(trial_clips(made.layout, made.clip, 2, 60, seed=0))
    free = {0: torch.export.Dim("clips_count"), clips.ndim - 3: torch.export.Dim("frames", min=LEAST_FRAMES)}
    try:
        with _quiet():
            program = torch.onnx.export(
                graph,
                (clips,),
                input_names=[INPUT],
                output_names=[OUTPUT[made.task]],
                opset_version=OPSET,
                dynamo=True,
                dynamic_shapes=(free,),
                verbose=False,
            )
            assert program is not None
            model = program.model_proto
    except Exception as error:  # the exporter fails in as many ways as there are operators
        raise ExportRejected(
            f"the exporter failed: {(str(error).splitlines() or [type(error).__name__])[0]}"
        ) from error
    return _without_traces(model)


def check_equal(content: bytes, made: Ensemble) -> tuple[float, dict[str, Floats]]:
    """Largest difference between ONNX Runtime and torch, and some of the inputs and torch's outputs.

    Many pairs of `BATCHES` and `LENGTHS` are compared, since exporters have frozen an axis without a word. Raises
    `ExportRejected` above `TOLERANCE`.
    """
    task, session = made.task, _session(content)
    graph = graph_of(task, made.networks, made.weights)
    worst = 0.0
    kept: dict[str, Floats] = {}
    for seed, (count, frames) in enumerate(_cases(len(made.runs) * made.clip.people)):
        clips = trial_clips(made.layout, made.clip, count, frames, seed)
        with torch.inference_mode():
            expected = graph(torch.from_numpy(clips)).numpy()
        worst = max(worst, _difference(session, task, clips, expected))
        if (count, frames) in KEPT:
            case = f"{task}/{count}x{frames}"
            kept |= {f"{case}/{INPUT}": clips, f"{case}/{OUTPUT[task]}": expected}
    return worst, kept


def _cases(networks: int) -> list[tuple[int, int]]:
    """Batches by lengths to compare: all of one network; where many run, all batches at one length and the reverse."""
    if networks == 1:
        return sorted({*((count, frames) for count in BATCHES for frames in LENGTHS), *KEPT})
    return sorted({*((count, 24) for count in BATCHES), *((2, frames) for frames in LENGTHS), *KEPT})


def trial_clips(layout: Layout, clip: ClipSpec, count: int, frames: int, seed: int) -> Floats:
    """Clips like a camera's: bodies that swing, some joints missing in some frames, one in all.

    Of 2-D joints, in pixels; of 3-D joints, in metres about the origin. Of several people, the last is absent from
    every other clip.
    """
    bodies, joints, dims = count * clip.people, layout.count, clip.dims
    rng = np.random.default_rng(seed)
    near, far = (100, 900) if dims == 2 else (-200, 200)
    body = rng.normal(0, 60, (bodies, 1, joints, dims)) + rng.uniform(near, far, (bodies, 1, 1, dims))
    swing = rng.normal(0, 15, (bodies, 1, joints, dims))
    phase = 2 * np.pi * np.arange(frames) / 25 + rng.uniform(0, 6, (bodies, 1))
    places = body + swing * np.sin(phase)[:, :, None, None] + rng.normal(0, 1, (bodies, frames, joints, dims))
    confidence = rng.uniform(0.2, 1, (bodies, frames, joints, 1)) * (rng.random((bodies, frames, joints, 1)) > 0.1)
    confidence[:, :, rng.integers(joints)] = 0
    clips = np.concatenate([places / (1 if dims == 2 else 250), confidence], axis=-1).astype(np.float32)
    if clip.people == 1:
        return clips
    clips = clips.reshape(count, clip.people, *clips.shape[1:])
    clips[1::2, -1] = 0
    return clips


def _difference(session: ort.InferenceSession, task: Task, clips: Floats, expected: Floats) -> float:
    where = f"{len(clips)} clips of {clips.shape[-3]} frames"
    try:
        given = session.run([OUTPUT[task]], {INPUT: clips})[0]
    except Exception as error:  # ONNX Runtime has a type for each of its statuses, with no common base
        raise ExportRejected(f"ONNX Runtime cannot run {where}: {str(error).splitlines()[0]}") from error
    if given.shape != expected.shape or not np.isfinite(given).all():
        raise ExportRejected(f"{where} give {given.shape} or values that are not finite; torch gives {expected.shape}")
    difference = float(np.abs(given - expected).max())
    if difference > TOLERANCE:
        raise ExportRejected(f"ONNX Runtime and torch differ by {difference:.2g} at {where}, above {TOLERANCE:g}")
    return difference


def _session(content: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ExportRejected(f"ONNX Runtime cannot load the model: {str(error).splitlines()[0]}") from error


def _without_traces(model: Any) -> bytes:
    """Without the exporter's stack traces: they hold the paths of this machine, and change with every line of code."""
    model.ClearField("metadata_props")
    model.graph.ClearField("metadata_props")
    for each in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        each.ClearField("metadata_props")
        each.ClearField("doc_string")
    for function in model.functions:
        function.ClearField("metadata_props")
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells its user about its own deprecations and about packages that are not needed here."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)
