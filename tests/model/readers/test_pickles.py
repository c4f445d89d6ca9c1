import os
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from model.errors import LimitExceeded, UnreadableFile
from model.named_layouts import COCO_17, NTU_25
from model.readers import only_track, read
from model.sequence import Units
from tests.model.readers.files import ALICE, BOB, poses


def annotation(people, name="S001C001P001R001A001", **extra):
    """One annotation as pyskl writes it, people (M, T, V, 3)."""
    keypoint, score = people[..., :2].astype(np.float16), people[..., 2].astype(np.float16)
    about = {"frame_dir": name, "label": 0, "total_frames": people.shape[1], "img_shape": (1080, 1920)}
    return about | {"keypoint": keypoint, "keypoint_score": score} | extra


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_opengait_s_array_is_one_track_with_labels_of_its_path(tmp_path, protocol):
    path = tmp_path / "001" / "nm-01" / "090" / "090.pkl"
    path.parent.mkdir(parents=True)
    path.write_bytes(pickle.dumps(poses(20), protocol=protocol))
    recording = read(path)
    track = only_track(recording)
    assert (recording.format, track.sequence.layout, track.sequence.units) == ("opengait-pickle", COCO_17, Units.PIXELS)
    assert dict(track.labels) == {"subject": "001", "sequence": "nm-01", "view": "090"}
    np.testing.assert_array_equal(track.sequence.joints, poses(20)[..., :2])


@pytest.mark.parametrize("array", [np.asfortranarray(poses(5)), poses(5).astype(">f8"), poses(10)[::2]])
def test_arrays_of_any_order_and_byte_order_are_read(array):
    np.testing.assert_allclose(only_track(read(pickle.dumps(array))).sequence.joints, array[..., :2], rtol=1e-6)


def test_pyskl_s_2d_people_are_followed_not_taken_by_place():
    both = np.stack([ALICE.poses(20), BOB.poses(20)])
    both[:, 1::2] = both[::-1, 1::2]
    recording = read(pickle.dumps({"split": {"train": ["x"]}, "annotations": [annotation(both)]}))
    assert recording.format == "pyskl-pickle"
    assert [track.name for track in recording.tracks] == ["S001C001P001R001A001/1", "S001C001P001R001A001/2"]
    for track in recording.tracks:
        assert np.abs(np.diff(track.sequence.joints[:, 0, 0])).max() < 30
        assert track.labels["label"] == "0"


def test_pyskl_s_3d_people_are_tracks_and_zeros_are_padding():
    keypoint = np.zeros((2, 6, 25, 3), np.float16)
    keypoint[0, :4] = 1.5
    item = {"filename": "walk", "label": 3, "total_frames": 6, "keypoint": keypoint}
    recording = read(pickle.dumps({"annos": [item]}))
    track = only_track(recording)
    assert (track.name, track.sequence.layout, track.sequence.units) == ("walk", NTU_25, Units.METRES)
    assert track.sequence.confidence[:, 0].tolist() == [1, 1, 1, 1, 0, 0]


def test_numpy_s_numbers_among_the_annotations_are_read():
    item = annotation(ALICE.poses(6)[None], label=np.int64(4), total_frames=np.int64(6))
    assert only_track(read(pickle.dumps({"annotations": [item]}))).labels["label"] == "4"


RAN: list[str] = []


class Shell:
    def __reduce__(self):
        return (os.system, ("exit 7",))


class Leaves:
    def __reduce__(self):
        return (RAN.append, ("ran",))


class Plain:
    pass


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Shell(), "system"),
        (Plain(), "Plain"),
        (Leaves(), "getattr|append|list"),
        (OrderedDict(a=1), "OrderedDict"),
        (eval, "eval"),
        ({"annotations": [os.path.join]}, "join"),
        (np.random.default_rng(0), "random"),
        (np.array([Plain()], dtype=object), "O"),
        ({1, 2}, "set|EMPTY_SET"),
        (complex(1, 2), "complex"),
        (np.ones(3, np.complex64), "c8"),
        (np.zeros(2, [("a", "f4")]), "V|holds an array"),
        (np.ma.masked_array([1.0], [True]), "ma"),
    ],
)
def test_nothing_but_data_is_taken_and_what_was_named_is_said(value, name, protocol):
    with pytest.raises(UnreadableFile, match=name) as caught:
        read(pickle.dumps(value, protocol=protocol))
    assert "\n" not in str(caught.value)
    assert RAN == []


def op(*parts):
    return b"\x80\x02" + b"".join(parts) + b"."


DTYPE = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f4K\x00K\x01tR"


@pytest.mark.parametrize(
    "content",
    [
        op(b"cos\nsystem\n(X\x02\x00\x00\x00lstR"),
        op(b"cbuiltins\ngetattr\n."),
        op(b"(ios\nsystem\n"),
        op(b"(cos\nsystem\no"),
        op(b"cnumpy\nndarray\n)\x81"),
        op(b"cnumpy\nndarray\n)R"),
        op(b"cnumpy\nndarray\n(K\x05tR"),
        op(b"\x82\x01"),
        op(b"Pid\n"),
        op(b"]}b"),
        op(b"cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb"),
        op(b"K\x01)R"),
        op(b"]K\x01K\x01s"),
        op(b"}]K\x01s"),
        op(b"K\x01a"),
        op(b"t"),
        op(b"\x87"),
        op(b""),
        op(b"h\x07"),
        op(b"cnumpy.core.multiarray\nscalar\n(" + DTYPE + b"C\x02abtR"),
        op(b"cnumpy.core.multiarray\nscalar\n)R"),
        op(b"cnumpy.core.numeric\n_frombuffer\n(C\x04abcd" + DTYPE + b"K\x09\x85X\x01\x00\x00\x00CtR"),
        op(b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01K\x09\x85" + DTYPE + b"\x89C\x04abcdtb"),
        op(b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01J\xff\xff\xff\xff\x85" + DTYPE + b"\x89C\x04abcdtb"),
        op(b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00hextR"),
        b"\x80\x04" + b"(" * 10,
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62),
        b"\x80\x02r" + struct.pack("<I", 2**32 - 1) + b".",
        pickle.dumps(poses(5))[:100],
        pickle.dumps(poses(5))[:-40],
    ],
)
def test_hostile_programs_are_refused(content):
    with pytest.raises(UnreadableFile):
        read(content)


def test_a_program_without_end_is_stopped():
    with pytest.raises(LimitExceeded, match="steps"):
        read(b"\x80\x02" + b"N0" * 600_000 + b".")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("text", "pickle of a str"),
        ({"annotations": 3}, "pickle of a dict"),
        ({"annotations": []}, "no person"),
        ({"annotations": [{"keypoint": 1}]}, r"annotations\[0\].*no array"),
        (np.ones((5, 17, 2)), r"\(5, 17, 2\)"),
        (np.ones((5, 11, 3)), "11 joints"),
        (np.ones((0, 17, 3)), r"\(0, 17, 3\)"),
        ([np.ones((17, 3)), np.ones((18, 3))], "different shapes"),
        ({"annotations": [annotation(np.ones((1, 5, 17, 3)), keypoint_score=np.ones((1, 4, 17)))]}, "keypoint_score"),
        ({"annotations": [annotation(np.ones((1, 5, 17, 3)), keypoint=np.ones((5, 17)))]}, "keypoint has shape"),
    ],
)
def test_data_of_another_make_are_refused(value, message):
    with pytest.raises(UnreadableFile, match=message):
        read(pickle.dumps(value))


def test_too_many_annotations_are_refused():
    with pytest.raises(LimitExceeded, match="annotations"):
        read(pickle.dumps({"annotations": [{}] * 1001}))
