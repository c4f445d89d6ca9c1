import numpy as np
import pytest
import torch

from model import inference
from model.clips import ClipSpec
from model.errors import InvalidRequest, InvalidSequence
from model.named_layouts import COCO_17
from tests.fakes import walking
from tests.training.random_runs import random_recipe, random_run
from training.onnx_graph import trial_clips
from training.torch_runtime import TorchClassifier, TorchEncoder


@pytest.fixture
def run(tmp_path):
    return random_run(tmp_path / "run", random_recipe())


@pytest.fixture
def streams(tmp_path):
    return [
        random_run(tmp_path / stream, random_recipe(network={"streams": [stream]}), seed=seed)
        for seed, stream in enumerate(("joint", "bone", "motion"))
    ]


def _clips(count, people=1):
    return trial_clips(COCO_17, ClipSpec(people=people), count, 16, seed=1)


def _outputs(run, clips):
    with torch.inference_mode():
        return run.network(torch.from_numpy(clips))


def test_a_runs_answers_are_those_of_its_network(run):
    clips = _clips(70)  # more than go into one call
    expected = _outputs(run, clips)
    np.testing.assert_allclose(TorchEncoder(run).embed_clips(clips), expected.embedding.numpy(), atol=1e-5)
    probabilities = TorchClassifier(run).probabilities(clips)
    np.testing.assert_allclose(probabilities, expected.logits.softmax(1).numpy(), atol=1e-5)


def test_an_ensembles_probabilities_are_the_weighted_mean_of_its_members(streams):
    clips, weights = _clips(4), (2.0, 3.0, 1.0)
    each = [TorchClassifier(run).probabilities(clips) for run in streams]
    assert np.abs(each[0] - each[1]).max() > 0.1  # they do not agree anyhow
    expected = np.average(each, axis=0, weights=weights)
    np.testing.assert_allclose(TorchClassifier(streams, weights).probabilities(clips), expected, atol=1e-5)


def test_cosines_of_an_ensembles_embeddings_are_the_weighted_mean_of_its_members_cosines(streams):
    clips, weights = _clips(5), (2.0, 3.0, 1.0)
    each = [TorchEncoder(run).embed_clips(clips) for run in streams]
    whole = TorchEncoder(streams, weights)
    embeddings = whole.embed_clips(clips)
    assert embeddings.shape == (5, whole.dim) == (5, 24)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    cosines = np.average([one @ one.T for one in each], axis=0, weights=weights)
    np.testing.assert_allclose(embeddings @ embeddings.T, cosines, atol=1e-5)


def test_it_serves_where_an_exported_model_would(run):
    embeddings = inference.embed(TorchEncoder(run), [walking(1, 40), walking(2, 20)])
    assert embeddings.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)


def test_two_people_go_in_together(tmp_path):
    run = random_run(tmp_path / "pair", random_recipe("action", people=2))
    clips = _clips(3, people=2)
    expected = _outputs(run, clips).logits.softmax(1).numpy()
    np.testing.assert_allclose(TorchClassifier(run).probabilities(clips), expected, atol=1e-5)
    with pytest.raises(InvalidSequence, match=r"must be \(n, 2, frames, 17, 3\), got \(3, 16, 17, 3\)"):
        TorchClassifier(run).probabilities(clips[:, 0])


@pytest.mark.parametrize(
    ("shape", "dtype", "said"),
    [
        ((1, 16, 17, 3), np.float64, "float32"),
        ((1, 16, 17, 2), np.float32, r"must be \(n, frames, 17, 3\)"),
        ((1, 2, 16, 17, 3), np.float32, r"must be \(n, frames, 17, 3\)"),
        ((1, 7, 17, 3), np.float32, "at least 8 frames, got 7"),
    ],
)
def test_clips_of_another_shape_or_type_are_refused(run, shape, dtype, said):
    with pytest.raises(InvalidSequence, match=said):
        TorchEncoder(run).embed_clips(np.zeros(shape, dtype))


def test_no_clips_give_no_answers(run):
    assert TorchEncoder(run).embed_clips(np.empty((0, 16, 17, 3), np.float32)).shape == (0, 8)


def test_the_runs_own_network_is_left_as_it_was(run):
    before = {name: tensor.clone() for name, tensor in run.network.state_dict().items()}
    TorchEncoder(run).embed_clips(_clips(2))
    after = run.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_fingerprint_names_weights_and_their_shares(streams):
    first, second, _ = streams
    assert TorchEncoder(first).fingerprint == TorchEncoder(first).fingerprint
    assert TorchEncoder(first).fingerprint != TorchEncoder(second).fingerprint
    both = [first, second]
    assert TorchEncoder(both, (1, 1)).fingerprint == TorchEncoder(both, (3, 3)).fingerprint
    assert TorchEncoder(both, (1, 1)).fingerprint != TorchEncoder(both, (2, 1)).fingerprint


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(run):
    with pytest.raises(InvalidRequest, match="no CUDA device"):
        TorchEncoder(run, device="cuda")
