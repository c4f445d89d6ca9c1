"""A model in 8-bit integers: weights by channel, activations by what clips of simulated people reach (static, QDQ)."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from model.runtime import INPUT, Classifier, Encoder
from model.sequence import Floats
from training.simulate.actions import simulate_actions
from training.simulate.walkers import simulate_walkers
from training.tune.exams import clips_of

SHOWN = 256  # clips that the ranges of activations are taken from


def quantised(content: bytes, clips: Floats) -> bytes | None:
    """The ONNX file with convolutions in 8 bits; None where the package `onnx` is not there to make it.

    Only convolutions: what stays (normalisation of coordinates, attention) is little work, and loses most in 8 bits.
    """
    try:
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    except ImportError:
        return None

    class Shown(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._each = _spread(clips)

        def get_next(self) -> dict[str, Any] | None:
            return next(self._each, None)

    with tempfile.TemporaryDirectory(prefix="gaitkeeper-tune-") as folder:
        whole, small = Path(folder) / "model.onnx", Path(folder) / "int8.onnx"
        whole.write_bytes(content)
        with _quiet():
            quantize_static(
                whole, small, Shown(), quant_format=QuantFormat.QDQ, per_channel=True, op_types_to_quantize=["Conv"],
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            )  # fmt: skip
        return small.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without its advice to fold constants first, which ONNX Runtime does when it loads a model."""
    root = logging.getLogger()
    before = root.disabled
    root.disabled = True
    try:
        yield
    finally:
        root.disabled = before


def _spread(clips: Floats) -> Iterator[dict[str, Floats]]:
    at = np.unique(np.linspace(0, len(clips) - 1, min(SHOWN, len(clips))).astype(np.int64))
    return ({INPUT: clips[i : i + 1]} for i in at)


def shown_to(model: Encoder | Classifier) -> Floats:
    """Clips of simulated people, of a seed that no exam has."""
    walking = simulate_walkers(6, seed=41, walks={"nm": 1, "bg": 1, "cl": 1})
    acting = simulate_actions(6, seed=41)
    return np.concatenate([clips_of(model, data) for data in (walking, acting)])
