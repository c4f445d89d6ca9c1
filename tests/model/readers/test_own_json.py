import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.errors import GaitkeeperError, InvalidSequence, LayoutMismatch, LimitExceeded, UnknownLayout, UnreadableFile
from model.named_layouts import CASIA_14, KARD_15
from model.readers import Hints, Track, only_track, read
from model.sequence import SkeletonSequence, Units
from model.writing import to_json, to_npz
from tests.fakes import walking
from tests.model.readers.files import dumped

FLOATS = st.floats(-9e4, 9e4, width=32)


@st.composite
def sequences(draw):
    """Any valid sequence."""
    units = draw(st.sampled_from(Units))
    dims = 3 if units is Units.METRES else 2
    layout = draw(st.sampled_from([CASIA_14, KARD_15]))
    frames = draw(st.integers(1, 4))
    joints = draw(arrays(np.float32, (frames, layout.count, dims), elements=FLOATS))
    confidence = draw(arrays(np.float32, (frames, layout.count), elements=st.floats(0, 1, width=32)))
    fps = draw(st.floats(0.5, 1000))
    aspect = draw(st.none() | st.floats(0.1, 10))
    return SkeletonSequence(joints, confidence, layout, fps, units, aspect)


@settings(max_examples=40, deadline=None)
@given(sequences(), st.sampled_from([lambda s: to_json([Track("1", s)]), to_npz]))
def test_what_was_written_is_read_back_to_the_last_bit(sequence, writer):
    again = only_track(read(writer(sequence))).sequence
    np.testing.assert_array_equal(again.joints, sequence.joints)
    np.testing.assert_array_equal(again.confidence, sequence.confidence)
    assert (again.layout, again.fps, again.units, again.aspect) == (
        sequence.layout,
        sequence.fps,
        sequence.units,
        sequence.aspect,
    )


def test_several_tracks_keep_their_names_frames_and_labels():
    tracks = [Track("ann", walking(1, 30), 7, {"view": "090"}), Track("bea", walking(2, 40))]
    recording = read(to_json(tracks))
    assert recording.format == "gaitkeeper"
    assert [(t.name, t.first_frame, dict(t.labels), t.sequence.frames) for t in recording.tracks] == [
        ("ann", 7, {"view": "090"}, 30),
        ("bea", 0, {}, 40),
    ]


def document(**changes):
    joints = [[[float(i), float(2 * i)] for i in range(14)] for _ in range(5)]
    full = {"layout": "casia-14", "fps": 25.0, "units": "pixels", "joints": joints}
    return {key: value for key, value in (full | changes).items() if value != "left out"}


def test_confidence_may_be_left_out_and_is_then_full():
    assert (only_track(read(dumped(document()))).sequence.confidence == 1).all()


def test_units_that_are_left_out_are_told_from_the_coordinates_and_said():
    recording = read(dumped(document(units="left out")))
    assert recording.notes == ("units_unknown: assumed pixels",)


def test_a_frame_rate_that_is_left_out_is_hinted_or_assumed():
    assert only_track(read(dumped(document(fps="left out")), hints=Hints(fps=50))).sequence.fps == 50
    assert read(dumped(document(fps="left out"))).notes == ("fps_unknown: assumed 25",)
    assert read(dumped(document()), hints=Hints(fps=50)).notes == ("fps_changed: the file says 25, taken as 50",)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"layout": "coco-99"}, UnknownLayout, "coco-99"),
        ({"confidences": []}, UnreadableFile, "unknown field `confidences`"),
        ({"joints": []}, UnreadableFile, "there are no frames"),
        ({"joints": [[[1, 2]] * 13]}, UnreadableFile, r"joints\[0\]: 13 joints where casia-14 has 14"),
        ({"joints": [[[1, 2]] * 13 + [[1]]]}, UnreadableFile, r"joint\[13\]: 1 values"),
        ({"joints": [[[1]] * 14]}, UnreadableFile, "1 coordinates"),
        ({"joints": [[[1, 2]] * 13 + [["1", 2]]]}, UnreadableFile, r"str.*joints"),
        ({"joints": [[[1e9, 2]] * 14]}, InvalidSequence, "coordinates must be below"),
        ({"joints": [[[1e39, 2]] * 14]}, InvalidSequence, "finite"),
        ({"confidence": [[2.0] * 14] * 5}, InvalidSequence, r"confidence.*\[0, 1\]"),
        ({"confidence": [[1.0] * 14] * 4}, InvalidSequence, "confidence"),
        ({"confidence": [[1.0] * 9] * 5}, UnreadableFile, "confidence"),
        ({"fps": 0}, InvalidSequence, "fps"),
        ({"fps": "fast"}, UnreadableFile, "fps"),
        ({"units": "inches"}, UnreadableFile, "inches"),
        ({"units": "metres"}, InvalidSequence, "three coordinates"),
        ({"aspect": 50}, InvalidSequence, "aspect"),
    ],
)
def test_what_is_wrong_is_named(changes, error, message):
    with pytest.raises(error, match=message) as caught:
        read(dumped(document(**changes)), name="walk.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b'{"layout": "coco-17", "joints": [[[NaN, 1]]]}', b'{"layout": 1', b"[1, 2", b"{}"]
)
def test_text_that_is_no_json_is_refused(content):
    with pytest.raises(UnreadableFile):
        read(content)


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b'{"layout":' * 100_000, b'{"layout":"x","joints":' + b"[" * 100_000]
)
def test_deep_nesting_is_refused_and_not_recursed_into(content):
    with pytest.raises(LimitExceeded, match="nesting"):
        read(content)


def test_no_track_of_several_may_be_wrong():
    good, bad = document(), document(joints=[])
    tracks = {"tracks": [{"name": "a", "sequence": good}, {"name": "b", "sequence": bad}]}
    with pytest.raises(GaitkeeperError, match="no frames"):
        read(dumped(tracks))
    with pytest.raises(UnreadableFile, match="no person"):
        read(dumped({"tracks": []}))


def test_a_layout_of_other_joints_does_not_slip_through():
    with pytest.raises((LayoutMismatch, UnreadableFile)):
        read(dumped(document(layout="kard-15")))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_called_by_its_name(text):
    content = dumped(document()).replace(b"2.0", text.encode(), 1)
    with pytest.raises(UnreadableFile, match=f"it holds {text}"):
        read(content)
