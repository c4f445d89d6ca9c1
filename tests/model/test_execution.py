import json

import numpy as np
import pytest

from model.bundle import CLASSIFIER, ENCODER, Bundle, sha256
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.errors import InvalidBundle, InvalidRequest
from model.execution import Execution, Plan, Tuned, hardware, paths, plan_for, write_tuned
from model.runtime import OnnxClassifier, OnnxEncoder

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
BY_OPENVINO = [Execution.OPENVINO, Execution.OPENVINO_BF16]


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    return made(tmp_path)


def made(tmp_path, encoder: bytes | None = None) -> Bundle:
    contents = {ENCODER: encoder or onnx_files.mean_pose_model(), CLASSIFIER: onnx_files.mean_pose_model("classifier")}
    labels = ("walk", "run", "jump", "wave")
    return write_bundle(tmp_path / "b", contents, name="b", layout="coco-17", clip=ClipSpec(), dim=4, labels=labels)


def clips(count: int = 5) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, 60, 17, 3)).astype(np.float32)


def chosen(bundle: Bundle, **more) -> Tuned:
    values = {"execution": Execution.OPENVINO_BF16, "clips": 4, "file": None, "hardware": hardware(), "measured": []}
    return Tuned(bundle=bundle.fingerprint, task="encoder", **(values | more))


@pytest.mark.parametrize("execution", BY_OPENVINO)
def test_openvino_answers_as_onnx_runtime_does_in_its_precision(bundle, execution):
    by_onnx = OnnxEncoder(bundle, threads=1).embed_clips(clips())
    by_openvino = OnnxEncoder(bundle, threads=1, plan=Plan(execution, clips=2)).embed_clips(clips())
    np.testing.assert_allclose(by_openvino, by_onnx, atol=1e-5 if execution is Execution.OPENVINO else 0.03)


def test_a_classifier_can_be_run_by_openvino_too(bundle):
    plan = Plan(Execution.OPENVINO)
    np.testing.assert_allclose(
        OnnxClassifier(bundle, threads=1, plan=plan).probabilities(clips()),
        OnnxClassifier(bundle, threads=1).probabilities(clips()),
        atol=1e-5,
    )


@pytest.mark.parametrize("execution", BY_OPENVINO)
def test_weights_that_lie_outside_the_bundle_are_not_read(tmp_path, execution):
    (tmp_path / "weights").write_bytes(bytes(17 * 3 * 4 * 4))
    for place in (str(tmp_path / "weights"), "weights"):
        bundle = made(tmp_path, onnx_files.mean_pose_model(weights_at=place))
        with pytest.raises(InvalidBundle, match="cannot be loaded"):
            OnnxEncoder(bundle, threads=1, plan=Plan(execution))


def test_without_tuning_onnx_runtime_runs_it(bundle, tmp_path):
    assert plan_for(tmp_path, bundle, "encoder") == Plan(Execution.ONNX)


def test_a_file_where_the_folder_should_be_is_for_whoever_keeps_data_there(bundle, tmp_path):
    (tmp_path / "data").touch()
    assert plan_for(tmp_path / "data", bundle, "encoder").execution is Execution.ONNX


def test_what_was_tuned_here_is_how_it_is_run(bundle, tmp_path):
    write_tuned(tmp_path, bundle, chosen(bundle), None)
    assert plan_for(tmp_path, bundle, "encoder") == Plan(Execution.OPENVINO_BF16, 4)
    assert plan_for(tmp_path, bundle, "classifier") == Plan()


def test_what_was_tuned_on_other_hardware_does_not_count(bundle, tmp_path):
    write_tuned(tmp_path, bundle, chosen(bundle, hardware="another processor"), None)
    assert plan_for(tmp_path, bundle, "encoder") == Plan()


def test_what_is_asked_for_wins_over_what_was_tuned(bundle, tmp_path):
    write_tuned(tmp_path, bundle, chosen(bundle), None)
    assert plan_for(tmp_path, bundle, "encoder", "openvino") == Plan(Execution.OPENVINO)


def test_a_quantised_model_is_run_as_it_was_tuned_or_not_at_all(bundle, tmp_path):
    quantised = onnx_files.mean_pose_model(scale=2.0)
    write_tuned(tmp_path, bundle, chosen(bundle, execution=Execution.INT8, file=sha256(quantised)), quantised)
    assert plan_for(tmp_path, bundle, "encoder").model == quantised
    paths(tmp_path, bundle, "encoder")[1].write_bytes(quantised + b"x")
    with pytest.raises(InvalidBundle, match="wrong hash"):
        plan_for(tmp_path, bundle, "encoder")


def test_int8_without_a_quantised_model_says_how_to_make_one(bundle, tmp_path):
    with pytest.raises(InvalidRequest, match="gaitkeeper tune"):
        plan_for(tmp_path, bundle, "encoder", "int8")


@pytest.mark.parametrize("content", [b"", b"{}", b"[", json.dumps({"format": 2}).encode()])
def test_a_damaged_choice_is_named(bundle, tmp_path, content):
    path = write_tuned(tmp_path, bundle, chosen(bundle), None)
    path.write_bytes(content)
    with pytest.raises(InvalidBundle, match=path.name):
        plan_for(tmp_path, bundle, "encoder")
