import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from model.bundle import CLASSIFIER, ENCODER, Bundle
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.errors import InvalidDataSet, InvalidRequest
from model.execution import Execution, Plan, hardware, plan_for, read_tuned
from training.simulate.actions import simulate_actions
from training.simulate.walkers import simulate_walkers
from training.tune import exams
from training.tune.cli import tune_command
from training.tune.exams import Exam
from training.tune.quantise import quantised
from training.tune.tune import MOST_LOST, Tried, choose, runner, tune

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
LABELS = ("stand", "wave", "bend", "walk")


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    contents = {ENCODER: onnx_files.mean_pose_model(), CLASSIFIER: onnx_files.mean_pose_model("classifier")}
    return write_bundle(tmp_path / "b", contents, name="b", layout="coco-17", clip=ClipSpec(), dim=4, labels=LABELS)


def tried(execution: Execution, seconds: float, right: float) -> Tried:
    return Tried(execution, alone=seconds, each={1: seconds, 4: seconds / 2}, right={"walks": right})


def test_the_fastest_that_loses_nothing_is_chosen():
    slow, fast = tried(Execution.ONNX, 2.0, 0.9), tried(Execution.OPENVINO, 1.0, 0.9)
    assert choose([slow, fast]) is fast


def test_what_is_fast_for_one_alone_may_not_be_for_many():
    for_one = Tried(Execution.ONNX, alone=1.0, each={1: 1.0, 8: 1.0}, right={"walks": 0.9})
    for_many = Tried(Execution.OPENVINO, alone=1.5, each={1: 1.5, 8: 0.8}, right={"walks": 0.9})
    assert choose([for_one, for_many], "alone") is for_one
    assert choose([for_one, for_many], "many") is for_many
    assert choose([for_one, for_many], "both") is for_one


def test_a_faster_one_that_loses_more_than_a_fifth_of_a_point_is_not_chosen_and_says_why():
    base, lossy = tried(Execution.ONNX, 2.0, 0.9), tried(Execution.INT8, 1.0, 0.9 - MOST_LOST - 0.001)
    assert choose([base, lossy]) is base
    assert lossy.why_not == "loses 0.30 points on walks"


def test_a_fifth_of_a_point_may_be_lost():
    base, near = tried(Execution.ONNX, 2.0, 0.9), tried(Execution.INT8, 1.0, 0.9 - MOST_LOST)
    assert choose([base, near]) is near


def test_a_loss_on_one_of_several_sets_is_enough_to_be_refused():
    base, lossy = tried(Execution.ONNX, 2.0, 0.9), tried(Execution.INT8, 1.0, 0.95)
    base.right["actions"], lossy.right["actions"] = 0.5, 0.4
    assert choose([base, lossy]) is base


def test_every_execution_is_timed_and_examined_on_the_same_clips(bundle):
    walkers = exams.walkers(runner(bundle, "encoder", Plan(), 1), people=3)
    choice = tune(bundle, "encoder", [walkers], threads=1)
    assert {each.execution for each in choice.tried} == set(Execution)
    assert all(each.right and each.fastest > 0 for each in choice.tried)
    assert choice.tuned.hardware == hardware()
    assert choice.tuned.bundle == bundle.fingerprint


def test_an_exam_grades_by_the_protocol():
    right = np.eye(2, dtype=np.float32)
    exam = Exam("two", np.zeros((3, 1, 1, 1), np.float32), np.array([0, 0, 1]), 2, 2, lambda means: float(means[0, 0]))
    assert exam.taken_by(lambda clips: right[[0, 1, 1]][: len(clips)]) == 0.5


def test_actions_that_the_classifier_does_not_know_are_refused(bundle):
    classifier = runner(bundle, "classifier", Plan(), 1)
    classifier.labels = ("swim",)
    with pytest.raises(InvalidDataSet, match="--actions"):
        exams.actions(classifier, people=1)


def test_a_quantised_model_answers_nearly_alike(bundle):
    content = bundle.model("encoder")
    clips = np.random.default_rng(0).normal(size=(8, 60, 17, 3)).astype(np.float32)
    small = quantised(content, clips)
    assert small is not None
    plain, rough = (
        runner(bundle, "encoder", plan, 1).embed_clips(clips) for plan in (Plan(), Plan(Execution.INT8, model=small))
    )
    assert (plain * rough).sum(axis=1).min() > 0.99


def test_the_command_leaves_what_the_service_takes_up(bundle, tmp_path):
    walks, acts = tmp_path / "walks.npz", tmp_path / "acts.npz"
    simulate_walkers([75, 76, 77], seed=1).save_npz(walks)
    simulate_actions(2, seed=1).save_npz(acts)
    sets = ["--on", f"casia-b={walks}", "--actions", str(acts)]
    found = invoke(tmp_path, "--encoder", str(bundle.path), "--classifier", str(bundle.path), *sets)
    assert [each["task"] for each in json.loads(found.stdout)] == ["encoder", "classifier"]
    tuned = read_tuned(tmp_path, bundle, "encoder")
    assert tuned is not None
    assert plan_for(tmp_path, bundle, "encoder").execution is tuned.execution


@pytest.mark.parametrize("wrong", ["casia-b", "nonsense=there.npz", "=there.npz"])
def test_a_set_is_named_with_its_protocol(bundle, tmp_path, wrong):
    with pytest.raises(InvalidRequest, match="PROTOCOL=PATH"):
        invoke(tmp_path, "--encoder", str(bundle.path), "--classifier", str(bundle.path), "--on", wrong)


def invoke(data, *arguments):
    app = typer.Typer()
    app.command()(tune_command)
    result = CliRunner().invoke(app, [*arguments, "--data", str(data), "--json"])
    if result.exception is not None:
        raise result.exception
    return result
