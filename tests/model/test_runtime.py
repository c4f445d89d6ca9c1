import io

import numpy as np
import pytest

from model.bundle import CLASSIFIER, ENCODER, PARITY, Bundle
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.errors import InvalidBundle, InvalidRequest, InvalidSequence, ModelMissing
from model.execution import MOST_CLIPS
from model.runtime import OnnxClassifier, OnnxEncoder, check_parity

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
LABELS = ("walk", "run", "jump", "wave")


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    return _bundle(tmp_path)


def _bundle(tmp_path, encoder: bytes | None = None, **files: bytes) -> Bundle:
    contents = {ENCODER: encoder or onnx_files.mean_pose_model(), CLASSIFIER: onnx_files.mean_pose_model("classifier")}
    contents |= {PARITY: files["parity"]} if "parity" in files else {}
    return write_bundle(tmp_path / "b", contents, name="b", layout="coco-17", clip=ClipSpec(), dim=4, labels=LABELS)


def _clips(count: int = 3, frames: int = 60) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(count, frames, 17, 3)).astype(np.float32)


def test_an_encoder_gives_unit_vectors(bundle):
    encoder = OnnxEncoder(bundle, threads=1)
    embeddings = encoder.embed_clips(_clips())
    assert embeddings.shape == (3, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)
    assert encoder.fingerprint == bundle.fingerprint


def test_a_classifier_gives_probabilities(bundle):
    classifier = OnnxClassifier(bundle, threads=1, device="cpu")
    probabilities = classifier.probabilities(_clips())
    assert probabilities.shape == (3, len(classifier.labels))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_a_large_call_is_run_in_parts_with_the_same_answer(bundle):
    encoder = OnnxEncoder(bundle, threads=1)
    clips = _clips(2 * MOST_CLIPS + 3, frames=8)
    each = np.concatenate([encoder.embed_clips(clips[i : i + 1]) for i in range(len(clips))])
    np.testing.assert_allclose(encoder.embed_clips(clips), each, atol=1e-6)


def test_no_clips_give_no_embeddings(bundle):
    assert OnnxEncoder(bundle, threads=1).embed_clips(_clips(0)).shape == (0, 4)


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        (_clips().astype(np.float64), "float32"),
        (_clips()[0], "must be"),
        (_clips()[:, :, :16], "17, 3"),
        (_clips()[..., :2], "17, 3"),
        (_clips(frames=7), "at least 8 frames, got 7"),
    ],
)
def test_clips_of_another_shape_or_type_are_refused(bundle, clips, said):
    with pytest.raises(InvalidSequence, match=said):
        OnnxEncoder(bundle, threads=1).embed_clips(clips)


def _pair_bundle(tmp_path, people: int = 2) -> Bundle:
    files = {CLASSIFIER: onnx_files.mean_pose_model("classifier", people=2)}
    clip = ClipSpec(people=people)
    return write_bundle(tmp_path / "pair", files, name="pair", layout="coco-17", clip=clip, labels=LABELS)


def test_clips_of_two_people_go_in_together_in_parts_that_fit(tmp_path):
    classifier = OnnxClassifier(_pair_bundle(tmp_path), threads=1)
    clips = _clips(2 * (MOST_CLIPS + 3), frames=8).reshape(-1, 2, 8, 17, 3)
    probabilities = classifier.probabilities(clips)
    assert probabilities.shape == (MOST_CLIPS + 3, 4)
    np.testing.assert_allclose(probabilities[5:6], classifier.probabilities(clips[5:6]), atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 60, 17, 3), (3, 1, 60, 17, 3), (3, 3, 60, 17, 3)])
def test_clips_of_another_number_of_people_are_refused(tmp_path, shape):
    with pytest.raises(InvalidSequence, match=r"must be \(n, 2, frames, 17, 3\)"):
        OnnxClassifier(_pair_bundle(tmp_path), threads=1).probabilities(np.zeros(shape, np.float32))


@pytest.mark.parametrize("people", [1, 3])
def test_a_model_for_another_number_of_people_than_its_manifest_says_is_refused(tmp_path, people):
    with pytest.raises(InvalidBundle, match="does not fit layout and clips"):
        OnnxClassifier(_pair_bundle(tmp_path, people))


def test_a_bundle_without_a_classifier_says_so(tmp_path):
    files = {ENCODER: onnx_files.mean_pose_model()}
    bundle = write_bundle(tmp_path / "b", files, name="b", layout="coco-17", clip=ClipSpec(), dim=4)
    with pytest.raises(ModelMissing, match="holds no classifier"):
        OnnxClassifier(bundle)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (b"not onnx at all", "encoder cannot be loaded"),
        ({"output": "logits"}, "give 'embedding'"),
        ({"joints": 25}, "does not fit layout and clips"),
        ({"frames": 60}, "must be free"),
    ],
)
def test_a_model_that_is_not_what_the_manifest_says_is_refused(tmp_path, model, said):
    content = model if isinstance(model, bytes) else onnx_files.mean_pose_model(**model)
    with pytest.raises(InvalidBundle, match=said):
        OnnxEncoder(_bundle(tmp_path, content), threads=1)


def test_a_model_that_would_read_a_file_outside_the_bundle_is_refused(tmp_path):
    outside = tmp_path / "outside.bin"
    outside.write_bytes(bytes(4 * 51 * 4))
    for place in (str(outside), "../outside.bin"):
        with pytest.raises(InvalidBundle, match="encoder cannot be loaded"):
            OnnxEncoder(_bundle(tmp_path, onnx_files.mean_pose_model(weights_at=place)), threads=1)


def test_another_width_than_the_manifest_says_is_refused(tmp_path):
    encoder = OnnxEncoder(_bundle(tmp_path, onnx_files.mean_pose_model(width=5)), threads=1)
    with pytest.raises(InvalidBundle, match=r"\(3, 5\), not \(3, 4\)"):
        encoder.embed_clips(_clips())


def test_values_that_are_not_finite_are_not_passed_on(tmp_path):
    encoder = OnnxEncoder(_bundle(tmp_path, onnx_files.mean_pose_model(scale=np.inf)), threads=1)
    with pytest.raises(InvalidBundle, match="not finite"):
        encoder.embed_clips(_clips())


def test_a_device_that_is_not_there_is_refused_when_asked_for_and_passed_over_otherwise(bundle):
    encoder = OnnxEncoder(bundle, threads=1, device="auto")
    if encoder.providers[0] == "CUDAExecutionProvider":
        pytest.skip("there is a CUDA device here")
    with pytest.raises(InvalidRequest, match="no CUDA device"):
        OnnxEncoder(bundle, threads=1, device="cuda")


def _parity(shift: float = 0.0, **more: np.ndarray) -> bytes:
    clips = _clips()
    pose = clips.mean(axis=1).reshape(3, -1).astype(np.float64)
    weights = np.random.default_rng(0).normal(size=(51, 4)).astype(np.float32)
    projected = pose @ weights
    unit = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    softmax = np.exp(projected) / np.exp(projected).sum(axis=1, keepdims=True)
    arrays = {"encoder/0/clips": clips, "encoder/0/embedding": unit + shift}
    arrays |= {"classifier/0/clips": clips, "classifier/0/probabilities": softmax}
    with io.BytesIO() as file:
        np.savez(file, **{name: array.astype(np.float32) for name, array in (arrays | more).items()})
        return file.getvalue()


def test_parity_is_the_largest_difference_from_what_was_recorded(tmp_path):
    assert check_parity(_bundle(tmp_path, parity=_parity()), threads=1) < 1e-6
    assert check_parity(_bundle(tmp_path, parity=_parity(0.5)), threads=1) == pytest.approx(0.5, abs=1e-6)


def test_a_parity_file_that_says_nothing_or_nonsense_is_refused(tmp_path):
    for content in (b"", b"not an archive", _empty_archive()):
        with pytest.raises(InvalidBundle, match=r"parity\.npz"):
            check_parity(_bundle(tmp_path, parity=content), threads=1)


def _empty_archive() -> bytes:
    with io.BytesIO() as file:
        np.savez(file, nothing=np.zeros(1))
        return file.getvalue()
