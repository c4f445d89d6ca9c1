"""What the simulated data sets of the tests hold: loaded by the real loaders, with their official splits."""

import numpy as np
import pytest

from tests.training import shapes
from training.data.load import load


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return shapes.write_all(folder), folder / "cache"


SPLITS = {
    "ntu60-pickle": {"xsub_train": 16, "xsub_val": 16, "xview_train": 20, "xview_val": 12},
    "ntu120-pickle": {"xsub_train": 16, "xsub_val": 16, "xset_train": 16, "xset_val": 16},
    "ntu60-raw": {"xsub_train": 16, "xsub_val": 16, "xview_train": 20, "xview_val": 12},
    "ntu120-raw": {"xsub_train": 16, "xsub_val": 16, "xset_train": 16, "xset_val": 16},
    "kinetics-pickle": {"train": 24, "val": 8},
    "pku-mmd-pickle": {"xsub_train": 16, "xsub_val": 16, "xview_train": 20, "xview_val": 12},
    "pku-mmd-raw": {"xsub_train": 16, "xsub_val": 16, "xview_train": 20, "xview_val": 12},
    "finegym-pickle": {"train": 24, "val": 8},
    "casia-b-gaitgraph": {"train": 180, "valid": 60, "test": 90},
    "casia-b-opengait": {"train": 40, "valid": 0, "test": 40},
    "casia-b-transg": {"train": 12, "test_nm": 12, "test_bg": 12, "test_cl": 12},
    "utd-mhad": {"xsub_train": 16, "xsub_test": 16},
    "nw-ucla": {"xview_train": 24, "xview_test": 8},
    "msr-action3d": {"xsub_train": 16, "xsub_test": 16},
    "kard": {"xsub_train": 16, "xsub_test": 16},
    "hdm05": {"xsub_train": 24, "xsub_test": 8},
}


@pytest.mark.parametrize("kind", SPLITS)
def test_every_data_set_is_recognised_and_has_its_official_splits(written, kind):
    paths, cache = written
    loaded = load(paths[kind], cache=cache)
    assert loaded.report.kind == kind
    assert {name: len(members) for name, members in loaded.splits.items()} == SPLITS[kind]
    if kind.startswith("casia"):
        return
    for name in loaded.splits:
        assert len(np.unique(loaded.split(name).class_labels)) == 4


def test_two_people_are_in_what_two_do(written):
    paths, cache = written
    for kind in ("ntu60-pickle", "ntu60-raw", "pku-mmd-pickle", "pku-mmd-raw", "kinetics-pickle"):
        assert set(load(paths[kind], cache=cache).data.people.tolist()) == {1, 2}, kind


def test_the_nearest_mean_motion_tells_the_classes_apart(written):
    paths, cache = written
    loaded = load(paths["ntu60-pickle"], cache=cache)

    def features(data):
        moved = [np.ptp(data.clip_frames(i)[0, :, :, :3].astype(float), axis=0).ravel() for i in range(len(data))]
        return np.stack(moved), data.class_labels

    known, labels = features(loaded.split("xsub_train"))
    asked, true = features(loaded.split("xsub_val"))
    nearest = np.linalg.norm(asked[:, None] - known, axis=-1).argmin(axis=1)
    assert (labels[nearest] == true).mean() > 0.9
