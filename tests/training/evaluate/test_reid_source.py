import numpy as np
import pytest

from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.errors import InvalidDataSet
from model.runtime import OnnxEncoder
from tests.training.data.written import transg
from training.data.cache import VARIABLE
from training.evaluate.reid import evaluate_reid
from training.evaluate.reid_source import open_windows
from training.protocols.reid import Variant


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return transg(tmp_path / "sets", train=("001", "002"), test=("101", "101", "102", "102"), length=40)


def test_windows_of_transg_come_cut_and_only_the_test_halves_people_are_taken(files):
    windows = open_windows(files)
    assert np.unique(windows.data.subject).tolist() == ["101", "102"]
    assert set(windows.data.lengths) == {40}
    assert set(windows.data.condition) == {"nm", "bg", "cl"}
    assert windows.too_short == 0


def test_windows_longer_than_those_in_the_files_are_not_there(files):
    with pytest.raises(InvalidDataSet, match="no sequence of 60 frames: the longest has 40"):
        open_windows(files, frames=60)


def test_the_shipped_encoder_takes_them_and_they_have_no_strict_figures(files):
    encoder = OnnxEncoder(open_bundle(shipped(DEFAULT_ENCODER)), threads=1)
    result = evaluate_reid(encoder, open_windows(files), draws=10)
    assert [one.setting.name for one in result.searches] == ["N-N", "B-B", "C-C", "C-N", "B-N"]
    assert {one.variant for one in result.searches} == {Variant.PUBLISHED}
    assert all(np.isnan(one.same_video) for one in result.searches)
