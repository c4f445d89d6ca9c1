"""Files that programs and sensors wrote, not we; they are not in the repository."""

import numpy as np
import pytest

from model.quality import assess
from model.readers import Hints, only_track, read
from tests.recordings import recording


def test_a_folder_that_openpose_wrote_is_one_walking_person():
    found = read(recording("samples/openpose_body25"), hints=Hints(fps=25))
    track = only_track(found)
    assert (track.sequence.frames, track.sequence.layout.name) == (300, "body-25")
    quality = assess(track.sequence)
    assert quality.usable
    assert quality.measures["empty_share"] < 0.01
    assert 1.2 < quality.measures["step_frequency_hz"] < 2.4


@pytest.mark.parametrize(("action", "frames"), [("003", 104), ("004", 99)])
def test_ntu_s_own_samples_are_one_standing_person(action, frames):
    found = read(recording(f"samples/ntu/S001C001P001R001A{action}.skeleton"))
    track = only_track(found)
    assert (track.sequence.frames, track.labels["action"], found.notes) == (frames, action, ())
    neck, hip = (track.sequence.joints[:, track.sequence.layout.index(joint)] for joint in ("neck", "mid_hip"))
    assert 0.35 < np.median(np.linalg.norm(neck - hip, axis=1)) < 0.7
    assert "not_walking" in assess(track.sequence).advice
