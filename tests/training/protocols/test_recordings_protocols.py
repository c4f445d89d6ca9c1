import numpy as np

from tests.recordings import recording
from training.data.recordings import load_recordings
from training.protocols import cbkings34, ucalgary
from training.protocols.cells import used


def test_cbkings34_searches_runs_1_and_2_by_run_3_and_the_gallery_set_by_the_probe_set():
    data = load_recordings(recording("cbkings34_mediapipe_gait.npz"))
    cells = cbkings34.cells(data)
    probes = {t: sum(len(c.probes) for c in cells if c.table == t) for t in dict.fromkeys(c.table for c in cells)}
    assert probes == {
        "run 3, same view": 130,
        "run 3, across views": 390,
        **{f"probe set, {condition}": 100 for condition in ("normal", "bag", "coat", "angle")},
    }
    for cell in cells:
        assert not set(cell.gallery) & set(cell.probes)
        assert set(data.part[cell.gallery]) == {"gallery_set"}
        assert (cell.gallery_view == cell.probe_view) == ("across" not in cell.table)


def test_the_tested_people_of_cbkings34_include_all_of_the_probe_set():
    assert set(cbkings34.IN_PROBE_SET) < set(cbkings34.TEST)
    assert not set(cbkings34.TEST) & set(cbkings34.TRAIN)
    assert (len(cbkings34.TRAIN), len(cbkings34.TEST)) == (17, 17)


def test_ucalgary_searches_the_normal_runs_and_leaves_run_7_alone():
    data = load_recordings(recording("ucalgary_kinect2_gait.npz"))
    cells = ucalgary.cells(data)
    assert {c.table: (len(c.gallery), len(c.probes)) for c in cells} == {
        "normal": (27, 26),
        "abnormal left": (53, 53),
        "abnormal right": (53, 53),
    }
    assert not np.isin(data.condition[used(cells)], ["experimental_run7"]).any()
