"""ONNX Runtime, imported from here only: since 1.32 it tells its maker of every session, over the network and with an
id of the machine that it keeps in the home directory, unless it is told not to before it is loaded."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

__all__ = ["ort"]
