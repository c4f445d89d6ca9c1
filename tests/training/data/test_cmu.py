import collections
import json

import numpy as np
import pytest

from model.named_layouts import COCO_17
from tests.recordings import recording
from training.data.arrays import load_npz
from training.data.cli import capture
from training.data.cmu import SAMPLES, Part, observed, samples, trials
from training.simulate.noise import NoiseModel

FILE = "cmu_mocap.npz"


@pytest.fixture(scope="module")
def pieces():
    return trials(recording(FILE))


def test_every_class_has_trials_to_train_on_and_others_to_test(pieces):
    counts = collections.Counter((p.action, p.part) for p in pieces)
    for action in ("walk", "run", "jump"):
        assert counts[action, Part.TRAIN] >= 5
        assert counts[action, Part.TEST] >= 2


def test_nobody_with_a_name_both_trains_and_tests(pieces):
    people = {part: {p.subject for p in pieces if p.part is part} for part in Part}
    assert people[Part.TRAIN] & people[Part.TEST] == {"cmu-unknown"}
    trials_of = {part: {p.name.partition("#")[0] for p in pieces if p.part is part} for part in Part}
    assert not trials_of[Part.TRAIN] & trials_of[Part.TEST]


def test_walkers_and_runners_go_ahead_and_jumpers_leave_the_ground(pieces):
    for piece in pieces:
        hips = piece.joints[:, 11:13].mean(axis=1)
        way = (hips[-1] - hips[0]) * [1, 0, 1]
        nose = (piece.joints[:, 0] - piece.joints[:, 3:5].mean(axis=1)).mean(axis=0)
        if piece.action == "jump":
            assert np.ptp(hips[:, 1]) > 0.2
        else:
            assert np.linalg.norm(way) > (3 if piece.action == "run" else 1)
            assert nose @ way > 0.06 * np.linalg.norm(way)


def test_cameras_see_coco_joints_in_pixels(pieces):
    few = pieces[:4]
    data = observed(few, cameras=2, seed=3, noise=NoiseModel.none())
    assert data.layout == COCO_17
    assert len(data) == 8
    assert data.part[0] == few[0].part
    sequence = data.sequence(0)
    assert np.median(sequence.joints[:, 15, 1] - sequence.joints[:, 0, 1]) > 50
    assert np.array_equal(data.frames, observed(few, cameras=2, seed=3, noise=NoiseModel.none()).frames)


def test_samples_are_pieces_nobody_trained_on(pieces):
    assert set(SAMPLES.values()) <= {p.name for p in pieces if p.part is Part.TEST}
    shown = samples(pieces)
    assert list(shown) == list(SAMPLES)
    for sequence in shown.values():
        assert (sequence.confidence > 0.3).mean() > 0.9


def test_the_command_writes_the_set_and_the_samples_with_their_acknowledgement(tmp_path):
    capture(recording(FILE), tmp_path / "cmu.npz", cameras=1, samples_dir=tmp_path / "samples")
    data = load_npz(tmp_path / "cmu.npz")
    assert set(data.part) == {"train", "test"}
    assert set(data.action) == {"walk", "run", "jump"}
    names = {path.name for path in (tmp_path / "samples").iterdir()}
    assert names == {*(f"{name}.json" for name in SAMPLES), "ACKNOWLEDGEMENT.txt", "samples.json"}
    assert "mocap.cs.cmu.edu" in (tmp_path / "samples" / "ACKNOWLEDGEMENT.txt").read_text()
    sample = json.loads((tmp_path / "samples" / "run-1.json").read_text())
    assert sample["layout"] == "coco-17"
    assert np.array(sample["joints"]).shape == (44, 17, 2)
