import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from model.bundle import ENCODER, Bundle, open_bundle
from model.clips import ClipSpec
from model.errors import ExportRejected, InvalidRecipe, InvalidRequest
from model.named_layouts import COCO_17
from model.network.folding import folded
from model.runtime import OnnxEncoder, check_parity
from tests.training.random_runs import random_network, random_recipe, random_run
from training.ensemble import Ensemble
from training.export import Attached, Converted, Exported, convert, export_run, write
from training.onnx_graph import check_equal, trial_clips
from training.recipe import Recipe

STREAMS = ["joint", "bone", "motion", "relative", "long-motion", "angle"]


def _recipe(label: str = "subject") -> Recipe:
    return random_recipe(label, network={"streams": STREAMS, "tap": "both"})


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> Converted:
    return convert(random_run(tmp_path_factory.mktemp("run"), _recipe()))


@pytest.fixture(scope="module")
def exported(tmp_path_factory, converted) -> Exported:
    return write(converted, tmp_path_factory.mktemp("export") / "bundle")


def test_folding_changes_no_answer():
    network = random_network(_recipe())
    clips = torch.from_numpy(trial_clips(COCO_17, ClipSpec(), 4, 33, seed=0))
    with torch.inference_mode():
        for ours, expected in zip(folded(network)(clips), network(clips), strict=True):
            torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)


def test_a_bundle_answers_as_the_network_that_was_trained(exported, converted):
    bundle = open_bundle(exported.bundle.path)
    clips = trial_clips(COCO_17, ClipSpec(), 5, 40, seed=99)
    with torch.inference_mode():
        expected = converted.made.networks[0](torch.from_numpy(clips)).embedding.numpy()
    np.testing.assert_allclose(OnnxEncoder(bundle, threads=1).embed_clips(clips), expected, atol=1e-4)
    assert exported.difference < 1e-4
    assert check_parity(bundle, threads=1) < 1e-4
    assert bundle.manifest.dim == 8
    assert bundle.manifest.trained["recipe"]["name"] == "tiny"


def test_a_bundle_holds_no_path_of_the_machine_that_made_it(exported):
    content = exported.bundle.model("encoder")
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b"site-packages" not in content


def test_a_bundle_is_small(exported):
    assert sum(file.stat().st_size for file in exported.bundle.path.iterdir()) < 1_000_000


def test_a_card_says_what_it_learned_from_and_that_nothing_was_measured(exported):
    text = exported.bundle.card()
    for said in ("walkers.npz", "3 people", "rank1_nm 0.5000", "Nothing was measured", "the best was 5", "## Limits"):
        assert said in text


def _results(bundle: Bundle, fingerprint: str | None = None) -> dict[str, object]:
    table = {"name": "NM", "rank1": 0.876, "interval_95": [0.8, 0.9], "rank5": 0.95, "people_probing": 50}
    return {
        "kind": "gait",
        "bundle": {"name": bundle.name, "fingerprint": fingerprint or bundle.fingerprint},
        "data": {"name": "walkers", "simulated": True},
        "protocol": "casia-b",
        "people": 50,
        "tables": [table | {"probes": 1000}],
        "simple_features_rank1": {"bones": {"NM": 0.3}},
    }


def test_written_again_a_bundle_is_the_same_model_with_results_and_thresholds(exported, converted, tmp_path):
    row = {"subjects": 10, "fpir": 0.05, "threshold": 0.71, "fnir": 0.1}
    thresholds = {"id": "x", "made_on": "held-out walkers", "subjects": 50, "table": [row]}
    (tmp_path / "results.json").write_text(json.dumps(_results(exported.bundle)))
    (tmp_path / "calibration.json").write_text(json.dumps(thresholds))
    (tmp_path / "notes.md").write_text("Simulated people only.")
    attached = Attached.read(tmp_path / "calibration.json", [tmp_path / "results.json"], tmp_path / "notes.md")
    again = write(converted, tmp_path / "again", attached=attached).bundle
    assert again.fingerprint == exported.bundle.fingerprint
    assert again.manifest.files[ENCODER] == exported.bundle.manifest.files[ENCODER]
    calibration = again.calibration_json()
    assert calibration is not None
    assert calibration["table"] == [row]
    for said in (
        "| NM | 87.6 % | 80.0 % to 90.0 % |",
        "bones: NM 30.0 %",
        "simulated",
        "0.710",
        "Simulated people only",
    ):
        assert said in again.card()


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1}'])
def test_a_calibration_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "calibration.json").write_text(content)
    with pytest.raises(InvalidRequest, match="calibration"):
        Attached.read(tmp_path / "calibration.json", [], None)


def test_results_that_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(InvalidRequest, match=r"results.*cannot be read"):
        Attached.read(None, [tmp_path / "nothing.json"], None)


def test_results_of_another_model_are_refused_and_nothing_is_written(exported, converted, tmp_path):
    foreign = Attached(results=(_results(exported.bundle, "0" * 64),))
    with pytest.raises(InvalidRequest, match="is about model 0000"):
        write(converted, tmp_path / "bundle", attached=foreign)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_learned_actions_gives_a_classifier_and_its_card_says_where_people_were_few(converted, tmp_path):
    run = replace(converted.made.runs[0], recipe=_recipe("action"), labels=("walk", "run", "jump"))
    shape = replace(converted, made=Ensemble.of(run), kept={})
    one = {"accuracy": 0.5, "sequences": 9, "people": 1}
    bundle = write(shape, tmp_path / "b").bundle
    assert bundle.tasks == ("classifier",)
    assert bundle.manifest.labels == ("walk", "run", "jump")
    result = {
        "kind": "actions",
        "bundle": {"fingerprint": bundle.fingerprint},
        "data": {"name": "held out"},
        "protocol": "other people",
        "people": 7,
        "sequences": 90,
        "accuracy": 0.9,
        "mean_class_accuracy": 0.8,
        "classes": {"walk": one | {"people": 6}, "jump": one},
    }
    text = write(shape, tmp_path / "b", attached=Attached(results=(result,))).bundle.card()
    assert "fewer than two people, so that little is known about them: jump." in text
    assert "walk, run, jump" in text


def test_a_model_that_differs_from_the_trained_one_is_refused(converted, tmp_path):
    run = converted.made.runs[0]
    other = replace(run, network=random_network(_recipe()))
    with torch.no_grad():
        other.network.project_pooled.bias.add_(0.1)
    with pytest.raises(ExportRejected, match=r"differ by .* at 1 clips of 8 frames, above 0\.0001"):
        check_equal(converted.model, Ensemble.of(other))


def test_a_model_with_a_frozen_axis_is_refused(converted):
    model = onnx.load_from_string(converted.model)
    frames = model.graph.input[0].type.tensor_type.shape.dim[1]
    frames.dim_value = 8
    with pytest.raises(ExportRejected, match="cannot run 1 clips of 24 frames"):
        check_equal(model.SerializeToString(), converted.made)


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(InvalidRecipe, match="is not the directory of a trained run"):
        export_run(tmp_path, tmp_path / "bundle")


def test_a_card_says_that_the_epoch_was_chosen_on_the_test(converted, tmp_path):
    run = converted.made.runs[0]
    on_test = replace(run, about=run.about | {"selected_on": "test"})
    text = write(replace(converted, made=Ensemble.of(on_test)), tmp_path / "b").bundle.card()
    assert "The epoch was chosen on the test data, so figures on these are too good: rank1_nm 0.5000." in text
