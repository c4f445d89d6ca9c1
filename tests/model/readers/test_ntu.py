import numpy as np
import pytest

from model.errors import LimitExceeded, UnreadableFile
from model.named_layouts import NTU_25
from model.readers import only_track, read
from model.sequence import Units
from tests.model.readers.files import text


def body(name, place, frame, states=(2,) * 25):
    lines = [f"{name} 0 1 1 1 1 0 -0.03 0.15 2", "25"]
    for i, state in enumerate(states):
        x, y, z = place + i * 0.01 + frame * 0.02, i * 0.05, 3.0
        lines.append(" ".join(text(v) for v in (x, y, z, 270.0, 190.0, 1020.0, 520.0, 0.1, 0.2, 0.3, 0.4, state)))
    return lines


def skeleton(frames):
    lines = [str(len(frames))]
    for number, bodies in enumerate(frames):
        lines.append(str(len(bodies)))
        for name, place in bodies:
            lines += body(name, place, number)
    return "\n".join(lines).encode() + b"\n"


A, B = ("72057594037931186", 0.1), ("72057594037931187", 1.5)


def test_one_body_is_one_track_named_by_its_id_with_labels_of_the_file_name():
    recording = read(skeleton([[A]] * 10), name="data/S001C002P003R001A060.skeleton")
    track = only_track(recording)
    assert (recording.format, recording.notes, track.name) == ("ntu-skeleton", (), A[0])
    assert (track.sequence.layout, track.sequence.units, track.sequence.fps) == (NTU_25, Units.METRES, 30)
    assert (track.labels["subject"], track.labels["camera"], track.labels["action"]) == ("003", "002", "060")
    assert track.sequence.joints[4, 3].tolist() == pytest.approx([0.1 + 0.03 + 0.08, 0.15, 3.0], abs=1e-5)


def test_frames_without_bodies_do_not_collapse_time():
    track = only_track(read(skeleton([[], [A], [A], [], [], [A]])))
    assert (track.first_frame, track.sequence.frames) == (1, 5)
    assert (track.sequence.confidence[2:4] == 0).all()


def test_two_bodies_are_two_tracks_in_whatever_order_they_come():
    recording = read(skeleton([[A, B], [B, A], [A, B]]))
    assert sorted(track.name for track in recording.tracks) == [A[0], B[0]]
    for track in recording.tracks:
        assert np.ptp(track.sequence.joints[:, 0, 0]) < 0.1


def test_tracking_states_become_confidence():
    lines = ["1", "1", *body("7", 0.1, 0, states=(2, 1, 0) * 8 + (2,))]
    assert only_track(read("\n".join(lines).encode())).sequence.confidence[0, :3].tolist() == [1.0, 0.5, 0.0]


def test_a_body_with_anothers_id_in_the_same_frame_is_dropped_and_said():
    recording = read(skeleton([[A, (A[0], 1.5)], [A]]))
    assert only_track(recording).sequence.joints[0, 0, 0] == pytest.approx(0.1)
    assert recording.notes[0].startswith("twins")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:20], "the file ends early"),
        (lambda lines: [*lines[:3], "24", *lines[4:]], "24 joints where 25"),
        (lambda lines: [*lines[:4], lines[4].replace("3.000000", "three"), *lines[5:]], "three"),
        (lambda lines: [*lines[:4], lines[4][:-1] + "7", *lines[5:]], "tracking states"),
        (lambda lines: ["0", "0"], "no person"),
        (lambda lines: ["2", "1.5", *lines[2:]], "no format"),
    ],
)
def test_malformed_files_are_refused(change, message):
    lines = skeleton([[A]]).decode().splitlines()
    with pytest.raises(UnreadableFile, match=message):
        read("\n".join(change(lines)).encode())


def test_a_frame_count_beyond_all_measure_is_refused():
    with pytest.raises(LimitExceeded, match="number of frames"):
        read(b"99999999\n1\n7 0 1 1 1 1 0 0 0 2\n25\n")


def test_what_is_no_number_becomes_a_missing_joint():
    lines = skeleton([[A]]).decode().splitlines()
    lines[4] = lines[4].replace("3.000000", "nan")
    lines[5] = lines[5].replace("3.000000", "1e300")
    assert only_track(read("\n".join(lines).encode())).sequence.confidence[0, :3].tolist() == [0, 0, 1]
