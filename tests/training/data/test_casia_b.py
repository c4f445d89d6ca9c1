import numpy as np
import pytest

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.readers import read
from training.data.arrays import SequenceSet
from training.data.casia_b import TEST_FILE, TRAIN_FILE, WALKERS_FILE, Split, load, read_csv

HEADER = "image_name," + ",".join(f"{j}_{a}" for j in COCO_17.joints for a in ("x", "y", "conf"))


def a_row(name, x=10.0, confidence=0.9):
    return f"{name}," + ",".join(f"{x},{float(x) + 1},{confidence}" for _ in range(17))


def a_file(tmp_path, rows, name=TEST_FILE, header=HEADER):
    path = tmp_path / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_rows_become_labelled_sequences_in_time_order(tmp_path):
    rows = [a_row(f"some/dir/{k}/{f:06d}.jpg", x=f) for k in ("075-nm-01-090", "076-bg-02-018") for f in (7, 5, 6)]
    data = read_csv(a_file(tmp_path, rows))
    assert data.subject.tolist() == ["075", "076"]
    assert data.condition.tolist() == ["nm", "bg"]
    assert data.sequence_name.tolist() == ["nm-01", "bg-02"]
    assert data.view.tolist() == ["090", "018"]
    assert data.sequence(1).joints[:, 0].tolist() == [[5, 6], [6, 7], [7, 8]]
    assert data.sequence(0).fps == 25


def test_frames_where_nobody_was_found_keep_their_time(tmp_path):
    data = read_csv(a_file(tmp_path, [a_row(f"075-nm-01-090/{f}.jpg") for f in (3, 4, 7)]))
    assert (data.sequence(0).confidence[:, 0] > 0).tolist() == [True, True, False, False, True]


def test_a_gap_in_frame_numbers_costs_no_more_than_a_second(tmp_path):
    data = read_csv(a_file(tmp_path, [a_row(f"075-nm-01-090/{f}.jpg") for f in (1, 999999999999)]))
    assert data.lengths.tolist() == [27]


def test_rows_of_a_sequence_need_not_be_neighbours(tmp_path):
    rows = [a_row(f"075-nm-0{k}-090/{f}.jpg", x=f) for f in (1, 2, 3) for k in (1, 2)]
    data = read_csv(a_file(tmp_path, rows))
    assert data.lengths.tolist() == [3, 3]
    assert data.sequence(1).joints[:, 0, 0].tolist() == [1, 2, 3]


GOOD = [a_row(f"075-nm-01-090/{f}.jpg") for f in range(1, 6)]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (GOOD[0] + ",1", "line 5: 52 columns are needed, got 53"),
        (GOOD[0].rsplit(",", 1)[0], "line 5: 52 columns are needed, got 51"),
        (a_row("075-nm-01-090/9.jpg", x="nan"), "line 5: keypoints must be finite"),
        (a_row("075-nm-01-090/9.jpg", x=1e30), "line 5: keypoints must be finite"),
        (a_row("075-nm-01-090/9.jpg", confidence=1.5), r"line 5: .* confidence in \[0, 1\]"),
        (GOOD[0].replace("0.9", "abc"), "line 5: keypoints"),
        ("garbage", "line 5: 52 columns are needed, got 1"),
        ("", "line 5: 52 columns are needed, got 1"),
        (a_row("075-xx-01-090/9.jpg"), "line 5: .*is not <sss>"),
        (a_row("075-nm-01-090/nine.jpg"), "line 5: .*is not <sss>"),
        (GOOD[0], "frame 1 of 075-nm-01-090 is there twice"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path, bad, message):
    with pytest.raises(InvalidDataSet, match=message):
        read_csv(a_file(tmp_path, [*GOOD[:3], bad, *GOOD[3:]]))


def test_wrong_headers_and_empty_files_are_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match="line 1"):
        read_csv(a_file(tmp_path, GOOD, header=HEADER.replace("nose", "snout")))
    with pytest.raises(InvalidDataSet, match="no rows"):
        read_csv(a_file(tmp_path, []))
    with pytest.raises(InvalidDataSet, match="no such file"):
        read_csv(tmp_path / "absent.csv")
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00" * 10)
    with pytest.raises(InvalidDataSet):
        read_csv(binary)


def test_a_directory_is_split_at_subject_75(tmp_path):
    a_file(tmp_path, [a_row("074-nm-01-090/1.jpg")], TRAIN_FILE)
    a_file(tmp_path, [a_row("075-nm-01-090/1.jpg")], TEST_FILE)
    assert load(tmp_path, Split.TRAIN).subject.tolist() == ["074"]
    assert load(tmp_path, Split.TEST).subject.tolist() == ["075"]
    assert load(tmp_path).subject.tolist() == ["074", "075"]


def test_walkers_are_preferred_and_split_alike(tmp_path):
    whole = SequenceSet.of(
        np.zeros((4, 17, 3), np.float32), [0, 1, 2, 3, 4], COCO_17, 25, subject=["001", "074", "075", "124"]
    )
    whole.save_npz(tmp_path / WALKERS_FILE)
    assert load(tmp_path, Split.TEST).subject.tolist() == ["075", "124"]
    assert load(tmp_path, Split.TRAIN).subject.tolist() == ["001", "074"]


def test_a_directory_without_the_files_is_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match=r"neither walkers\.npz nor casia-b_pose_test\.csv"):
        load(tmp_path, Split.TEST)


def test_the_reader_of_keypoint_files_reads_the_same(tmp_path):
    rows = [a_row(f"x/{k}/{f:06d}.jpg", x=f) for k in ("075-nm-01-090", "076-bg-02-018") for f in (7, 5, 9, 6)]
    path = a_file(tmp_path, rows)
    data, tracks = read_csv(path), read(path).tracks
    assert len(tracks) == len(data)
    for i, track in enumerate(tracks):
        assert np.array_equal(track.sequence.joints, data.sequence(i).joints)
        assert np.array_equal(track.sequence.confidence, data.sequence(i).confidence)
        assert track.labels["subject"] == data.subject[i]
        assert track.labels["sequence"] == data.sequence_name[i]
