import numpy as np
import pytest

from model.errors import InvalidDataSet
from model.readers import read
from tests.recordings import recording
from tests.training.data.written import skeleton, standing
from training.data.ntu_raw import read_skeletons


def test_bodies_keep_their_frames_and_their_tracking_states(tmp_path):
    poses = standing(3)
    frames = [[("72057594037931101", poses[0])], [], [("72057594037931101", poses[1], 1), ("7", poses[2], 0)]]
    found = read_skeletons(skeleton(tmp_path / "a.skeleton", frames))
    one, other = found.bodies
    assert (found.frames, found.twins) == (3, 0)
    assert (one.frames.tolist(), other.frames.tolist()) == ([0, 2], [2])
    assert np.allclose(one.joints[..., :3], poses[:2])
    assert one.joints[:, 0, 3].tolist() == [1.0, 0.5]
    assert other.joints[0, 0, 3] == 0


def test_ids_that_differ_in_their_last_digit_are_two_bodies(tmp_path):
    pose = standing(1)[0]
    found = read_skeletons(
        skeleton(tmp_path / "a.skeleton", [[("72057594037931101", pose), ("72057594037931102", pose)]])
    )
    assert len(found.bodies) == 2


def test_the_second_body_with_one_id_in_a_frame_is_counted_and_dropped(tmp_path):
    pose = standing(2)
    found = read_skeletons(skeleton(tmp_path / "a.skeleton", [[("1", pose[0]), ("1", pose[1])]]))
    assert found.twins == 1
    assert np.allclose(found.bodies[0].joints[0, :, :3], pose[0])


def test_a_recording_of_nobody_has_no_bodies(tmp_path):
    assert read_skeletons(skeleton(tmp_path / "a.skeleton", [[], []])).bodies == ()


def lines_of(tmp_path):
    return skeleton(tmp_path / "good.skeleton", [[("1", pose)] for pose in standing(2)]).read_text().splitlines()


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (1, "x", "line 1: 'x' is no number of frames"),
        (1, "3", "line 58: the file ends where the frame 2: number of bodies should be"),
        (1, "1", "line 30: there is more after the last frame"),
        (2, "-1", "line 2: '-1' is no frame 0: number of bodies"),
        (3, "1 2 3", "line 3: 3 values of a body where 10 are expected"),
        (4, "20", "line 4: 25 joints are expected"),
        (7, "1 2 3", "line 7: 3 values of a joint where 12 are expected"),
        (8, "a " * 12, "line 8: x, y, z and tracking state of a joint must be numbers"),
        (9, "nan " * 12, "line 9: a joint needs finite x, y, z"),
        (40, "1 " * 11 + "7", "line 40: .* a tracking state of 0, 1 or 2"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(tmp_path, line, text, message):
    lines = lines_of(tmp_path)
    lines[line - 1] = text
    path = tmp_path / "S001C001P001R001A001.skeleton"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(InvalidDataSet, match=rf"S001C001P001R001A001\.skeleton: {message}"):
        read_skeletons(path)


def test_a_file_that_ends_within_a_body_is_refused(tmp_path):
    path = tmp_path / "a.skeleton"
    path.write_text("\n".join(lines_of(tmp_path)[:20]))
    with pytest.raises(InvalidDataSet, match="line 21: the file ends within a body"):
        read_skeletons(path)
    path.write_text("")
    with pytest.raises(InvalidDataSet, match="line 1: the file ends"):
        read_skeletons(path)


@pytest.mark.parametrize("name", ["S001C001P001R001A003", "S001C001P001R001A004"])
def test_a_real_file_is_read_as_the_reader_of_keypoint_files_reads_it(name):
    path = recording(f"samples/ntu/{name}.skeleton")
    (body,) = read_skeletons(path).bodies
    sequence = read(path).tracks[0].sequence
    sure = sequence.confidence > 0
    assert np.allclose(body.joints[..., :3][sure], sequence.joints[sure])
    assert np.array_equal(body.joints[..., 3], sequence.confidence)
