from dataclasses import replace

import numpy as np

from model.inspection import inspect_recording, ways_from
from model.named_layouts import COCO_17, KARD_15
from model.readers import Recording, Track
from model.sequence import Units
from tests.fakes import walking


def recording(*sequences, notes=()):
    return Recording("test", tuple(Track(str(i), s) for i, s in enumerate(sequences, 1)), notes, "walk.json")


def test_every_track_is_judged():
    found = inspect_recording(recording(walking(1, 60), walking(2, 5)))
    assert [each.quality.usable for each in found.judged] == [True, False]
    assert found.usable == 1
    tracks = found.facts()["tracks"]
    assert isinstance(tracks, list)
    assert tracks[1]["reasons"] == ["too_short"]


def test_warnings_say_what_to_give():
    normalised = replace(walking(), joints=(walking().joints / 1000).astype(np.float32), units=Units.NORMALISED)
    warnings = inspect_recording(recording(normalised, walking(), notes=("fps_unknown: assumed 25",))).warnings
    assert [word in said for word, said in zip(("--aspect", "--fps", "--track"), warnings, strict=True)] == [True] * 3
    assert inspect_recording(recording(walking())).warnings == ()


def test_layouts_that_lose_least_come_first_and_impossible_ones_are_left_out():
    ways = ways_from(COCO_17)
    assert ways[0].layout == "openpose-18"
    assert ways[0].interpolated == ("neck",)
    assert [len(way.missing) for way in ways] == sorted(len(way.missing) for way in ways)
    assert "mediapipe-33" not in {way.layout for way in ways_from(KARD_15)}
    assert all(way.layout != "coco-17" for way in ways)
