"""The commands about bundles for several people and of several networks."""

import json

import numpy as np
import pytest

from model import inference
from model.bundle import Member
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.readers import Track
from model.runtime import OnnxClassifier
from model.writing import to_json
from tests.fakes import walking
from tests.model.onnx_files import mean_pose_model

LABELS = ("shake hands", "hug", "wave", "walk apart")
STREAMS = (Member(name="pair", streams=("joint",), weight=2), Member(name="pair", streams=("bone", "motion"), weight=1))


@pytest.fixture
def bundle(tmp_path):
    files = {"classifier.onnx": mean_pose_model("classifier", people=2, scale=0.001)}
    clip = ClipSpec(people=2, sampling="uniform", frames=20, clips=4)
    return write_bundle(
        tmp_path / "pair", files, name="pair", layout="coco-17", clip=clip, labels=LABELS, streams=STREAMS
    )


def _film(path, *tracks):
    path.write_bytes(to_json([Track(str(i), walking(i, frames), first) for i, (first, frames) in enumerate(tracks, 1)]))
    return path


def _answers(found):
    return {each["action"]: each["probability"] for each in found["actions"]}


def test_two_tracks_at_the_same_time_are_classified_as_one_recording(run, bundle, tmp_path):
    film = _film(tmp_path / "two.json", (0, 60), (0, 60))
    code, out, err = run("classify", film, "--bundle", bundle.path, "--top", "4", "--json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["notes"] == ["together: 2 people are one recording (tracks 1; 2)"]
    model = OnnxClassifier(bundle, threads=1)
    pair = inference.classify(model, [(walking(1, 60), walking(2, 60))])[0]
    expected = dict(zip(LABELS, np.round(pair, 4).tolist(), strict=True))
    assert _answers(found) == pytest.approx(expected, abs=1e-4)
    alone = inference.classify(model, [walking(1, 60)])[0]
    assert np.abs(alone - pair).max() > 0.01


def test_a_track_that_is_chosen_is_classified_alone(run, bundle, tmp_path):
    film = _film(tmp_path / "two.json", (0, 60), (0, 60))
    found = json.loads(run("classify", film, "--bundle", bundle.path, "--track", "2", "--top", "4", "--json")[1])
    alone = inference.classify(OnnxClassifier(bundle, threads=1), [walking(2, 60)])[0]
    assert _answers(found) == pytest.approx(dict(zip(LABELS, alone.tolist(), strict=True)), abs=1e-4)
    assert found["notes"] == []


def test_tracks_one_after_the_other_want_a_choice(run, bundle, tmp_path):
    film = _film(tmp_path / "two.json", (0, 60), (100, 60))
    code, out, err = run("classify", film, "--bundle", bundle.path)
    assert (code, out) == (2, "")
    assert "--track" in err


def test_a_model_of_one_person_wants_a_choice_still(run, tmp_path):
    files = {"classifier.onnx": mean_pose_model("classifier")}
    one = write_bundle(tmp_path / "one", files, name="one", layout="coco-17", clip=ClipSpec(), labels=LABELS)
    film = _film(tmp_path / "two.json", (0, 60), (0, 60))
    assert run("classify", film, "--bundle", one.path)[0] == 2


def test_a_bundle_is_shown_with_its_networks_and_how_many_people_it_takes(run, bundle):
    code, out, _ = run("bundle", "show", bundle.path)
    assert code == 0
    assert "takes        coco-17, 2-D, 20 frames of the whole recording, 4 times, up to 2 people" in out
    assert "networks     2 x pair (joint)" in out
    assert "             1 x pair (bone, motion)" in out
    assert json.loads(run("bundle", "show", bundle.path, "--json")[1])["streams"][1]["weight"] == 1
