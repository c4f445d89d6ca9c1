"""Small ONNX files made without torch, for tests of what runs them."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

from model.bundle import Task
from model.runtime import INPUT, OUTPUT


def mean_pose_model(
    task: Task = "encoder",
    *,
    joints: int = 17,
    channels: int = 3,
    width: int = 4,
    frames: str | int = "frames",
    output: str | None = None,
    scale: float = 1.0,
    weights_at: str | None = None,
    people: int = 1,
) -> bytes:
    """Mean over people and time, then a fixed projection to `width`; unit length (encoder) or softmax (classifier).

    weights_at: leave the weights out and name this file for them.
    """
    weights = np.random.default_rng(0).normal(size=(joints * channels, width)).astype(np.float32) * scale
    output = output or OUTPUT[task]
    last = helper.make_node("Softmax", ["projected"], [output], axis=1)
    if task == "encoder":
        last = helper.make_node("LpNormalization", ["projected"], [output], axis=1, p=2)
    nodes = [
        helper.make_node("ReduceMean", [INPUT, "time"], ["pose"], keepdims=0),
        helper.make_node("Flatten", ["pose"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["projected"]),
        last,
    ]
    persons = () if people == 1 else (people,)
    averaged = np.arange(1, 2 + len(persons), dtype=np.int64)
    graph = helper.make_graph(
        nodes,
        "mean_pose",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", *persons, frames, joints, channels])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", width])],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(averaged, "time")],
    )
    if weights_at:
        set_external_data(graph.initializer[0], weights_at)
        graph.initializer[0].ClearField("raw_data")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content
