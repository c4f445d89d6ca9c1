import numpy as np
import pytest

from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.protocols.casia_b import PROBES, SPLITS, TEST, TRAIN, VALIDATION, VIEWS, cells, found
from training.protocols.cells import used

RUNS = [f"nm-{i:02d}" for i in range(1, 7)] + ["bg-01", "bg-02", "cl-01", "cl-02"]


def a_set(people=3):
    rows = [(f"{75 + s:03d}", run, view) for s in range(people) for run in RUNS for view in VIEWS]
    subject, run, view = np.array(rows).T
    frames = np.zeros((len(rows), 17, 3), np.float32)
    return SequenceSet.of(frames, np.arange(len(rows) + 1), COCO_17, 25, subject=subject, sequence=run, view=view)


def test_every_other_view_is_searched_by_every_view():
    pairs = {(c.table, c.gallery_view, c.probe_view) for c in cells(a_set())}
    assert pairs == {(t, g, p) for t in PROBES for g in VIEWS for p in VIEWS if g != p}


@pytest.mark.parametrize("table", ["NM", "BG", "CL"])
def test_a_cell_holds_what_the_protocol_says(table):
    data = a_set()
    for cell in (c for c in cells(data) if c.table == table):
        assert set(data.view[cell.gallery]) == {cell.gallery_view}
        assert set(data.view[cell.probes]) == {cell.probe_view}
        assert set(data.sequence_name[cell.gallery]) == {"nm-01", "nm-02", "nm-03", "nm-04"}
        assert set(data.sequence_name[cell.probes]) == set(PROBES[table])
        assert (len(cell.gallery), len(cell.probes)) == (12, 6)


def test_no_sequence_is_both_probe_and_gallery():
    all_cells = cells(a_set())
    gallery = {i for c in all_cells for i in c.gallery}
    probes = {i for c in all_cells for i in c.probes}
    assert not gallery & probes
    assert len(used(all_cells)) == 3 * 10 * 11


def test_what_is_missing_is_counted():
    data = a_set()
    assert found(data) == {"gallery": (132, 132), "NM": (66, 66), "BG": (66, 66), "CL": (66, 66)}
    less = data.select(~((data.sequence_name == "nm-03") & (data.view == "090")))
    assert found(less)["gallery"] == (129, 132)


def test_people_of_the_test_set_never_train():
    assert not set(TRAIN) & set(TEST)
    assert set(VALIDATION) < set(TRAIN)
    assert (len(TRAIN), len(VALIDATION), len(TEST)) == (74, 15, 50)


@pytest.mark.parametrize(("name", "trained", "tested"), [("lt", 74, 50), ("mt", 62, 62), ("st", 24, 100)])
def test_a_split_divides_all_124_people(name, trained, tested):
    split = SPLITS[name]
    assert (len(split.train), len(split.test)) == (trained, tested)
    assert sorted(split.train + split.test) == [f"{number:03d}" for number in range(1, 125)]
    assert set(split.validation) < set(split.train)
    assert split.validation[-1] == split.train[-1]
