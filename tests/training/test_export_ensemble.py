"""Bundles of several networks, and of networks for several people: from runs to what ONNX Runtime answers."""

import json

import numpy as np
import pytest
import torch

from model import inference
from model.bundle import CLASSIFIER, MANIFEST, open_bundle
from model.clips import ClipSpec
from model.errors import ExportRejected, InvalidRequest
from model.named_layouts import COCO_17, NTU_25
from model.readers import Track
from model.runtime import OnnxClassifier, OnnxEncoder, check_parity
from model.sequence import SkeletonSequence, Units
from model.writing import to_json
from tests.e2e.command import call, serving
from tests.fakes import walking
from tests.service.conftest import as_json
from tests.training.random_runs import random_recipe, random_run
from training.ensemble import Ensemble
from training.export import Converted, Exported, convert, default_name, export_run, write
from training.onnx_graph import check_equal, trial_clips
from training.torch_runtime import TorchClassifier, TorchEncoder

SMALL = {"widths": [16], "strides": [2]}
PAIR = SMALL | {
    "layout": "ntu-25",
    "dims": 3,
    "normalisation": {"centre": "none", "scale": "none"},
    "confidence": False,
}
PAIR_CLIP = {"dims": 3, "sampling": "uniform", "clips": 3, "origin": "spine"}
WEIGHTS = (2.0, 3.0)


def _pair(path, stream, seed=3):
    recipe = random_recipe(
        "action",
        people=2,
        name=f"pair-{stream}",
        network=PAIR | {"streams": [stream]},
        clip=PAIR_CLIP,
        data={"split": "xsub_train", "limit": 500},
    )
    return random_run(path, recipe, seed=seed)


def _walker(path, stream, seed=3, **network):
    return random_run(path, random_recipe(network=SMALL | {"streams": [stream]} | network), seed=seed)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    at = tmp_path_factory.mktemp("pairs")
    return [_pair(at / stream, stream, seed) for seed, stream in enumerate(("joint", "k-bone-motion"))]


@pytest.fixture(scope="module")
def walkers(tmp_path_factory):
    at = tmp_path_factory.mktemp("walkers")
    return [_walker(at / "joint", "joint", 1), _walker(at / "bone", "bone", 2, dim=12)]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory, pairs) -> Exported:
    return export_run([run.path for run in pairs], tmp_path_factory.mktemp("bundles") / "pairs", weights=WEIGHTS)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, walkers) -> Exported:
    return write(convert(Ensemble.of(walkers, WEIGHTS)), tmp_path_factory.mktemp("bundles") / "walkers")


def _outputs(run, clips):
    with torch.inference_mode():
        return run.network(torch.from_numpy(clips))


def test_a_bundle_of_streams_gives_the_weighted_mean_of_their_probabilities(classifier, pairs):
    clips = trial_clips(NTU_25, pairs[0].recipe.clip, 5, 16, seed=77)
    each = [_outputs(run, clips).logits.softmax(1).numpy() for run in pairs]
    assert np.abs(each[0] - each[1]).max() > 0.1  # they do not agree anyhow
    given = OnnxClassifier(open_bundle(classifier.bundle.path), threads=1).probabilities(clips)
    np.testing.assert_allclose(given, np.average(each, axis=0, weights=WEIGHTS), atol=1e-5)
    assert check_parity(classifier.bundle, threads=1) < 1e-5


def test_cosines_of_a_bundle_of_streams_are_the_weighted_means_of_theirs(encoder, walkers):
    clips = trial_clips(COCO_17, ClipSpec(), 6, 30, seed=78)
    each = [_outputs(run, clips).embedding.numpy() for run in walkers]
    embeddings = OnnxEncoder(open_bundle(encoder.bundle.path), threads=1).embed_clips(clips)
    assert embeddings.shape == (6, encoder.bundle.manifest.dim) == (6, 20)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    cosines = np.average([one @ one.T for one in each], axis=0, weights=WEIGHTS)
    np.testing.assert_allclose(embeddings @ embeddings.T, cosines, atol=1e-5)


def test_who_of_two_people_comes_first_changes_nothing(classifier):
    model = OnnxClassifier(classifier.bundle, threads=1)
    clips = trial_clips(NTU_25, classifier.bundle.manifest.clip, 3, 24, seed=79)
    swapped = np.ascontiguousarray(clips[:, ::-1])
    np.testing.assert_allclose(model.probabilities(swapped), model.probabilities(clips), atol=1e-5)


def test_a_manifest_names_the_streams_and_their_weights(classifier):
    about = json.loads((classifier.bundle.path / MANIFEST).read_text())
    assert about["streams"] == [
        {"name": "pair-joint", "streams": ["joint"], "weight": 2.0},
        {"name": "pair-k-bone-motion", "streams": ["k-bone-motion"], "weight": 3.0},
    ]
    assert about["clip"]["people"] == 2
    assert [one["recipe"]["name"] for one in about["trained"]["members"]] == ["pair-joint", "pair-k-bone-motion"]
    assert classifier.bundle.name == "pair-joint-2s"


def test_a_card_says_how_much_each_stream_counts_and_what_a_clip_is(classifier):
    text = classifier.bundle.card()
    for said in (
        "2 networks over the same clips",
        "weighted mean of each one's probability",
        "| pair-joint | joint | 2 | 40.0 % |",
        "| pair-k-bone-motion | k-bone-motion | 3 | 60.0 % |",
        "of up to 2 people at a time, 3 times 16 frames spread over the whole recording",
        "### pair-k-bone-motion: k-bone-motion",
        "`walkers.npz`, split `xsub_train`; a smaller dose: at most 500 recordings of it",
    ):
        assert said in text


def test_a_single_networks_manifest_says_nothing_of_streams(tmp_path, walkers):
    made = Ensemble.of(walkers[0])
    assert default_name(made) == "tiny"
    assert made.members[0].streams == ("joint",)
    bundle = write(Converted(made, b"not looked at here", 0.0, {}), tmp_path / "b").bundle
    assert "streams" not in json.loads((bundle.path / MANIFEST).read_text())
    assert "networks over the same clips" not in bundle.card()


def test_runs_that_do_not_fit_are_refused_before_the_slow_part_and_nothing_is_written(tmp_path, walkers, pairs):
    with pytest.raises(InvalidRequest, match="label action"):
        export_run([walkers[0].path, pairs[0].path], tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_whose_weights_were_exchanged_is_refused(pairs, classifier):
    exchanged = Ensemble.of(pairs, WEIGHTS[::-1])
    with pytest.raises(ExportRejected, match="differ by"):
        check_equal(classifier.bundle.read(CLASSIFIER), exchanged)


@pytest.fixture(scope="module")
def service(tmp_path_factory, encoder, classifier):
    """The two bundles, served by a process of its own."""
    bundles = {"GAITKEEPER_ENCODER": str(encoder.bundle.path), "GAITKEEPER_CLASSIFIER": str(classifier.bundle.path)}
    with serving(tmp_path_factory.mktemp("served") / "data", **bundles) as running:
        yield running


def _actor(number: int, frames: int = 60, at: float = 0.0) -> SkeletonSequence:
    """Somebody before a depth camera, in metres."""
    seen = walking(number, frames, layout=NTU_25)
    depth = np.full((*seen.joints.shape[:2], 1), 3.0) + 0.1 * np.random.default_rng(number).normal(size=(1, 25, 1))
    joints = np.concatenate([seen.joints[..., :1] / 100 + at, -seen.joints[..., 1:] / 100, depth], axis=-1)
    return SkeletonSequence(joints, seen.confidence, NTU_25, 25.0, Units.METRES)


def test_classify_over_http_answers_for_two_people_as_the_networks_do(service, pairs):
    hands, other = _actor(1), _actor(2, at=0.7)
    answer = service.http.post("/classify", json={"sequence": as_json(hands), "others": [as_json(other)], "top_k": 3})
    assert answer.status_code == 200, answer.text
    given = {each["action"]: each["probability"] for each in answer.json()["actions"]}
    expected = inference.classify(TorchClassifier(pairs, WEIGHTS), [(hands, other)])[0]
    assert given == pytest.approx(dict(zip(("a", "b", "c"), expected.tolist(), strict=True)), abs=1e-5)
    alone = service.http.post("/classify", json={"sequence": as_json(hands), "top_k": 3}).json()
    by_itself = inference.classify(TorchClassifier(pairs, WEIGHTS), [hands])[0]
    assert alone["probability"] == pytest.approx(by_itself.max(), abs=1e-5)
    assert np.abs(by_itself - expected).max() > 0.001


def test_identify_over_http_scores_with_the_weighted_mean_of_the_networks_cosines(service, walkers):
    one, two = walking(1, 16), walking(2, 16)  # of one clip each
    for name, sequence in (("ada", one), ("ben", two)):
        assert service.enroll(name, as_json(sequence)).status_code == 201
    found = service.identify(as_json(one)).json()
    scores = {candidate["subject"]: candidate["score"] for candidate in found["candidates"]}
    each = [inference.embed(TorchEncoder(run), [one, two]) for run in walkers]
    expected = np.average([float(embeddings[0] @ embeddings[1]) for embeddings in each], weights=WEIGHTS)
    assert scores == pytest.approx({"ada": 1.0, "ben": expected}, abs=1e-5)


def test_a_command_classifies_a_file_of_two_people_as_the_service_does(service, classifier, tmp_path):
    hands, other = _actor(1), _actor(2, at=0.7)
    (tmp_path / "film.json").write_bytes(to_json([Track("1", hands), Track("2", other)]))
    done = call("classify", "film.json", "--bundle", classifier.bundle.path, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = service.http.post("/classify", json={"sequence": as_json(hands), "others": [as_json(other)]}).json()
    typed = json.loads(done.stdout)
    assert typed["action"] == answer["action"]
    assert typed["actions"][0]["probability"] == pytest.approx(answer["probability"], abs=1e-4)
