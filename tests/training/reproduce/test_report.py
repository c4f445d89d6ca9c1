import json

import pytest

from model.errors import InvalidDataSet
from tests.training.reproduce import made_up
from training.reproduce.report import REPORT, Dose, digest, read_report, write_report


def test_a_report_is_read_as_it_was_written(tmp_path):
    report = made_up.actions({"reading": 0.5}, dose=Dose(epochs=(2, 150), limit=64))
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report
    assert "occlusion" not in json.loads((tmp_path / REPORT).read_text())


def test_no_report_is_none_and_a_damaged_one_names_what_is_wrong(tmp_path):
    assert read_report(tmp_path) is None
    write_report(tmp_path, made_up.actions())
    content = json.loads((tmp_path / REPORT).read_text())
    (tmp_path / REPORT).write_text(json.dumps(content | {"format": 2}))
    with pytest.raises(InvalidDataSet, match=r"report\.json: is no report \(format: .*\); delete it to test again"):
        read_report(tmp_path)
    (tmp_path / REPORT).write_text('{"format": 1, "ta')
    with pytest.raises(InvalidDataSet, match="is no report"):
        read_report(tmp_path)


def test_whatever_keeps_figures_from_being_compared_is_a_mark():
    assert made_up.actions().marks == ()
    marked = made_up.actions(
        simulated=True, dose=Dose(epochs=(2, 150), limit=64), selected_on="test", changes=("optim.lr=0.5",)
    )
    assert marked.marks == (
        "simulated data",
        "a smaller dose: 2 of 150 epochs",
        "a smaller dose: at most 64 recordings",
        "the recipe was changed: optim.lr=0.5",
        "checkpoint chosen by the test set",
    )


def test_fewer_recordings_alone_say_nothing_of_epochs():
    assert made_up.actions(dose=Dose(epochs=(150, 150), limit=64)).marks == ("a smaller dose: at most 64 recordings",)


def test_the_digest_is_that_of_the_files_bytes(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"abc")
    assert digest(tmp_path / "weights.pt") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
