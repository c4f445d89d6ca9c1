"""ONNX Runtime sends nothing about us, and leaves no mark of the machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import gaitkeeper

ROOT = Path(gaitkeeper.__file__).parent
RUN = """
import numpy as np
from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.runtime import OnnxEncoder
OnnxEncoder(open_bundle(shipped(DEFAULT_ENCODER)), threads=1).embed_clips(np.zeros((1, 60, 17, 3), np.float32))
"""


def test_a_model_that_is_run_leaves_nothing_in_the_home_directory(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    given = {**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-P", "-c", RUN], env=given, cwd=tmp_path, check=True, timeout=120)
    assert not [path for path in tmp_path.rglob("*") if "icrosoft" in str(path) or "onnx" in path.name]


def test_nobody_imports_it_past_that() -> None:
    # What belongs to it may be imported where model/runtime.py was.
    importing = re.compile(r"^\s*(import onnxruntime|from onnxruntime import)", re.MULTILINE)
    files = [path for room in ("model", "gallery", "service", "training") for path in (ROOT / room).rglob("*.py")]
    assert [path.name for path in files if importing.search(path.read_text())] == ["onnx_runtime.py"]
