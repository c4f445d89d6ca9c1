import numpy as np
import pytest

from model.errors import GaitkeeperError, UnreadableFile
from model.named_layouts import COCO_17
from model.readers import only_track, read
from tests.model.readers.files import poses

HEADER = "image_name," + ",".join(f"{joint}_{c}" for joint in COCO_17.joints for c in ("x", "y", "conf"))


def row(sequence, frame, pose):
    return f"casia/{sequence}/{frame:06d}.jpg," + ",".join(f"{value:.4f}" for value in pose.ravel())


def csv(*lines):
    return "\n".join((HEADER, *lines)).encode() + b"\n"


def test_each_sequence_is_a_track_with_its_labels():
    body = poses(12)
    lines = [row(name, i, pose) for name in ("001-nm-01-090", "002-cl-02-018") for i, pose in enumerate(body)]
    recording = read(csv(*lines))
    assert recording.format == "gaitgraph-csv"
    assert [track.name for track in recording.tracks] == ["001-nm-01-090", "002-cl-02-018"]
    labels = {"subject": "002", "condition": "cl", "sequence": "cl-02", "view": "018"}
    assert dict(recording.tracks[1].labels) == labels
    np.testing.assert_allclose(recording.tracks[0].sequence.joints, body[..., :2], atol=1e-4)


def test_missing_frames_stay_missing_and_rows_may_be_in_any_order():
    body = poses(8)
    track = only_track(read(csv(*(row("001-nm-01-090", i, body[i]) for i in (7, 3, 4, 2)))))
    assert (track.first_frame, track.sequence.frames) == (2, 6)
    assert (track.sequence.confidence[:, 0] > 0).tolist() == [True, True, True, False, False, True]


def test_columns_in_another_order_are_matched_by_name():
    body = poses(3)
    joints = COCO_17.joints[::-1]
    header = "image_name," + ",".join(f"{joint}_{c}" for joint in joints for c in ("x", "y", "conf"))
    lines = [header, *(row("001-nm-01-090", i, pose[::-1]) for i, pose in enumerate(body))]
    np.testing.assert_allclose(only_track(read("\n".join(lines).encode())).sequence.joints, body[..., :2], atol=1e-4)


def test_what_is_no_finite_number_becomes_a_missing_joint():
    line = row("001-nm-01-090", 0, poses(1)[0]).split(",")
    line[1] = "nan"
    assert only_track(read(csv(",".join(line)))).sequence.confidence[0, 0] == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (csv(), "no person"),
        (csv("casia/001-nm-01-090/000001.jpg,1,2"), "line 2: 3 values"),
        (csv(row("001-nm-01-090", 1, poses(1)[0]).replace(".jpg,", ".jpg,one")), "001-nm-01-090"),
        (csv(*[row("001-nm-01-090", 1, poses(1)[0])] * 2), "frame 1 is there twice"),
        (csv(row("001-nm-01-090", 1, poses(1)[0]).replace("000001", "first")), "no frame number"),
        (b"image_name,nose_x,nose_y\n", "columns must be"),
        (b"image_name,nose_x,nose_y,nose_conf\n", "no known layout"),
    ],
)
def test_malformed_tables_are_refused_naming_the_line(content, message):
    with pytest.raises(UnreadableFile, match=message):
        read(content)


def test_a_hole_beyond_all_measure_is_refused():
    with pytest.raises(GaitkeeperError, match="at most"):
        read(csv(row("001-nm-01-090", 1, poses(1)[0]), row("001-nm-01-090", 999999, poses(1)[0])))
