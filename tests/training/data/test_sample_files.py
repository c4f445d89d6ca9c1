"""Files as other people's software wrote them, all the way to an embedding."""

import numpy as np
import pytest

from model.clips import ClipSpec
from model.inference import embed
from model.named_layouts import COCO_17
from model.prepare import prepare
from model.readers import Hints, only_track, read
from tests.fakes import FakeEncoder
from tests.recordings import recording
from training.data.recordings import load_recordings


@pytest.mark.parametrize(
    ("name", "format", "layout", "frames"),
    [
        ("samples/openpose_body25", "openpose", "body-25", 300),
        ("samples/ntu/S001C001P001R001A003.skeleton", "ntu-skeleton", "ntu-25", 104),
        ("samples/ntu/S001C001P001R001A004.skeleton", "ntu-skeleton", "ntu-25", 99),
    ],
)
def test_a_sample_of_one_person_is_read_and_embedded(name, format, layout, frames):
    found = read(recording(name), hints=Hints(fps=30.0))
    track = only_track(found)
    assert found.format == format
    assert (track.sequence.layout.name, track.sequence.frames) == (layout, frames)
    ready = prepare(track.sequence, COCO_17, ClipSpec()).sequence
    head, ankle = ready.joints[:, 0, 1], ready.joints[:, 15, 1]
    seen = (ready.confidence[:, 0] > 0) & (ready.confidence[:, 15] > 0)
    assert np.median((ankle - head)[seen]) > 50  # y runs down
    assert embed(FakeEncoder(), [ready]).shape == (1, 16)


@pytest.mark.parametrize("name", ["utd_mhad.npz", "ucalgary_kinect2_gait.npz", "hdm05_subset.npz"])
def test_recordings_are_read_alike_as_keypoint_files_and_as_data_sets(name):
    data = load_recordings(recording(name))
    tracks = read(recording(name)).tracks
    assert len(tracks) == len(data)
    for i in (0, len(data) // 2, len(data) - 1):
        assert tracks[i].sequence.layout == data.layout
        sure = data.sequence(i).confidence > 0
        assert np.allclose(tracks[i].sequence.joints[sure], data.sequence(i).joints[sure])
