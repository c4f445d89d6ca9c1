import csv

import pytest

from gallery.manifest import read_manifest
from model.errors import InvalidDataSet
from model.readers import Hints, only_track, read
from tests.recordings import recording
from training.evaluate.manifest import HEADER, manifest_rows
from training.evaluate.sources import GaitProtocol


def test_the_gallery_of_a_protocol_can_be_enrolled_by_its_manifest(tmp_path):
    path = recording("ucalgary_kinect2_gait.npz")
    rows = list(manifest_rows(path, GaitProtocol.UCALGARY))
    with (tmp_path / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    entries = read_manifest(tmp_path / "m.csv")
    assert len(entries) == 27
    assert len({entry.subject for entry in entries}) == 27
    found = read(entries[3].file, hints=Hints(fps=entries[3].fps))
    assert only_track(found, entries[3].track).labels["subject"].zfill(3) == entries[3].subject


def test_a_figure_that_the_protocol_lacks_is_refused_with_those_it_has():
    path = recording("ucalgary_kinect2_gait.npz")
    with pytest.raises(InvalidDataSet, match="normal, abnormal left"):
        list(manifest_rows(path, GaitProtocol.UCALGARY, "jumping"))
