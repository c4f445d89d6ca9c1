import collections

import numpy as np
import pytest

from model.named_layouts import COCO_17
from tests.recordings import recording
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


def test_people_stand_on_the_floor_near_the_origin_and_move_along_z(pieces):
    for piece in pieces:
        hips = piece.joints[:, 11:13].mean(axis=1)
        assert -0.1 < np.percentile(piece.joints[:, 15:17, 1].min(axis=1), 10) < 0.35
        assert np.abs(hips[:, [0, 2]]).max() < 3
        if piece.action == "run":
            assert hips[-1, 2] - hips[0, 2] > 3
            assert abs(hips[-1, 0] - hips[0, 0]) < 0.3


def test_the_face_looks_where_the_walk_goes(pieces):
    for piece in (p for p in pieces if p.action == "walk"):
        ahead = (piece.joints[:, 0] - piece.joints[:, 3:5].mean(axis=1)).mean(axis=0)
        assert ahead[2] > 0.05
        left = (piece.joints[:, 3] - piece.joints[:, 4]).mean(axis=0)
        assert left[0] > 0.05


def test_cameras_see_coco_joints_in_pixels(pieces):
    data = observed(recording(FILE), Part.TEST, cameras=2, seed=3, noise=NoiseModel.none())
    assert data.layout == COCO_17
    assert len(data) == 2 * sum(p.part is Part.TEST for p in pieces)
    assert set(data.part) == {"test"}
    assert set(data.action) == {"walk", "run", "jump"}
    sequence = data.sequence(0)
    assert np.median(sequence.joints[:, 15, 1] - sequence.joints[:, 0, 1]) > 50
    again = observed(recording(FILE), Part.TEST, cameras=2, seed=3, noise=NoiseModel.none())
    assert np.array_equal(data.frames, again.frames)


def test_samples_are_pieces_nobody_trained_on(pieces):
    kept_out = {p.name for p in pieces if p.part is Part.TEST}
    assert set(SAMPLES.values()) <= kept_out, sorted(kept_out)
    shown = samples(recording(FILE))
    assert list(shown) == list(SAMPLES)
    for sequence in shown.values():
        assert (sequence.confidence > 0.3).mean() > 0.9
