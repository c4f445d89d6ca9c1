"""A trained network as an ONNX file, and the proof that it is the same function."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from model.bundle import Task
from model.errors import ExportRejected
from model.network.aclnet import AclNet, ClassifierGraph, EncoderGraph
from model.network.folding import folded
from model.runtime import INPUT, LEAST_FRAMES, OUTPUT
from model.sequence import Floats

OPSET = 20
TOLERANCE = 1e-4
BATCHES, LENGTHS = (1, 2, 3, 8, 33), (8, 24, 60, 61, 100)
KEPT = ((1, 8), (2, 61), (3, 24), (8, 60), (1, 100))  # (clips, frames) that a bundle carries for later checks


def to_onnx(network: AclNet, task: Task) -> bytes:
    """The network's graph for that task with free numbers of clips and frames; equal networks give equal bytes.

    Raises `ExportRejected` with the exporter's reason.
    """
    graph = _graph(folded(network), task)
    shape = (2, 60, network.backbone.joints, network.config.dims + 1)
    free = {0: torch.export.Dim("clips_count"), 1: torch.export.Dim("frames", min=LEAST_FRAMES)}
    try:
        with _quiet():
            program = torch.onnx.export(
                graph,
                (torch.rand(shape),),
                input_names=[INPUT],
                output_names=[OUTPUT[task]],
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


def check_equal(content: bytes, network: AclNet, task: Task) -> tuple[float, dict[str, Floats]]:
    """Largest difference between ONNX Runtime and torch, and some of the inputs and torch's outputs.

    Every pair of `BATCHES` and `LENGTHS` is compared, since exporters have frozen an axis without a word. Raises
    `ExportRejected` above `TOLERANCE`.
    """
    graph, session = _graph(network.eval(), task), _session(content)
    joints, channels = network.backbone.joints, network.config.dims + 1
    worst = 0.0
    kept: dict[str, Floats] = {}
    cases = [(count, frames) for count in BATCHES for frames in LENGTHS]
    for seed, (count, frames) in enumerate(sorted({*cases, *KEPT})):
        clips = trial_clips(count, frames, joints, channels, seed)
        with torch.inference_mode():
            expected = graph(torch.from_numpy(clips)).numpy()
        worst = max(worst, _difference(session, task, clips, expected))
        if (count, frames) in KEPT:
            case = f"{task}/{count}x{frames}"
            kept |= {f"{case}/{INPUT}": clips, f"{case}/{OUTPUT[task]}": expected}
    return worst, kept


def trial_clips(count: int, frames: int, joints: int, channels: int, seed: int) -> Floats:
    """Clips like a camera's: bodies that swing, in pixels, some joints missing in some frames, one in all."""
    rng = np.random.default_rng(seed)
    body = rng.normal(0, 60, (count, 1, joints, channels - 1)) + rng.uniform(100, 900, (count, 1, 1, channels - 1))
    swing = rng.normal(0, 15, (count, 1, joints, channels - 1))
    phase = 2 * np.pi * np.arange(frames) / 25 + rng.uniform(0, 6, (count, 1))
    places = body + swing * np.sin(phase)[:, :, None, None] + rng.normal(0, 1, (count, frames, joints, channels - 1))
    confidence = rng.uniform(0.2, 1, (count, frames, joints, 1)) * (rng.random((count, frames, joints, 1)) > 0.1)
    confidence[:, :, rng.integers(joints)] = 0
    return np.concatenate([places, confidence], axis=-1).astype(np.float32)


def _difference(session: ort.InferenceSession, task: Task, clips: Floats, expected: Floats) -> float:
    where = f"{len(clips)} clips of {clips.shape[1]} frames"
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


def _graph(network: AclNet, task: Task) -> nn.Module:
    return (EncoderGraph(network) if task == "encoder" else ClassifierGraph(network)).eval()


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
