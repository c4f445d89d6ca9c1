"""An ONNX graph that can be run: by ONNX Runtime, or by OpenVINO, which alone computes in bfloat16 on processors."""

import os
import threading
from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from model.errors import InvalidRequest
from model.onnx_runtime import ort
from model.sequence import Floats

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
Precision: TypeAlias = Literal["f32", "bf16"]
# Of an input: a number where it is fixed, something else where it is free.
Shape: TypeAlias = tuple[object, ...]
CUDA = "CUDAExecutionProvider"


class Graph(Protocol):
    """Inputs by name, names of outputs, and who runs it, first choice first. Any thread may run it."""

    inputs: Mapping[str, Shape]
    outputs: frozenset[str]
    providers: tuple[str, ...]

    def run(self, name: str, values: Floats, wanted: str) -> Floats: ...


class OnnxGraph:
    """By ONNX Runtime, on CUDA where it is there. Raises what it raises, and `InvalidRequest` for a device that is not
    there. threads: of one run, by default as many as this process may use."""

    def __init__(self, content: bytes, threads: int | None, device: Device) -> None:
        self._session = _session(content, threads, device)
        self.inputs: Mapping[str, Shape] = {each.name: tuple(each.shape) for each in self._session.get_inputs()}
        self.outputs = frozenset(each.name for each in self._session.get_outputs())
        self.providers: tuple[str, ...] = tuple(self._session.get_providers())

    def run(self, name: str, values: Floats, wanted: str) -> Floats:
        found: Floats = self._session.run([wanted], {name: values})[0]
        return found


class OpenVinoGraph:
    """By OpenVINO on the processor. Raises what it raises, and `InvalidRequest` where it is not installed."""

    def __init__(self, content: bytes, threads: int | None, precision: Precision) -> None:
        openvino = _openvino()
        core = openvino.Core()
        model = core.read_model(content)
        self.inputs: Mapping[str, Shape] = {
            each.any_name: tuple(_free(size) for size in each.partial_shape) for each in model.inputs
        }
        self.outputs = frozenset(name for each in model.outputs for name in each.names)
        self.providers: tuple[str, ...] = (f"OpenVINO {precision}",)
        self._compiled = core.compile_model(
            model,
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads or len(os.sched_getaffinity(0)),
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": precision,
                # Threads are the system's to place: several processes share a small machine.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._of_thread = threading.local()

    def run(self, name: str, values: Floats, wanted: str) -> Floats:
        request = getattr(self._of_thread, "request", None)
        if request is None:  # a request has room for one run at a time
            request = self._of_thread.request = self._compiled.create_infer_request()
        found: Floats = np.array(request.infer({name: values})[wanted], np.float32)
        return found


def _openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise InvalidRequest("execution", "OpenVINO is not installed (pip install 'gaitkeeper[openvino]')") from error
    return openvino


def _free(size: Any) -> object:
    return size.get_length() if size.is_static else str(size)


def _session(content: bytes, threads: int | None, device: Device) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or len(os.sched_getaffinity(0))
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processor from whoever shares it: a hundredfold on a busy machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 4  # what fails is raised; its log would say it twice
    providers = ["CPUExecutionProvider"]
    if device != "cpu" and CUDA in ort.get_available_providers():
        providers.insert(0, CUDA)
    session = ort.InferenceSession(content, options, providers=providers)
    # The list of available providers is that of the build; only the session knows what it runs on.
    if device == "cuda" and CUDA not in session.get_providers():
        raise InvalidRequest("device", "CUDA was asked for, and ONNX Runtime has no CUDA device here")
    return session
