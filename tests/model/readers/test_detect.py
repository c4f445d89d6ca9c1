"""Any bytes at all: read as what they are, or refused in one line, never anything else."""

import os
import pickle
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.errors import GaitkeeperError, InvalidRequest, LimitExceeded, UnreadableFile
from model.readers import Hints, Recording, Track, read
from model.readers.source import open_source, source_of
from model.writing import to_json, to_npz
from tests.fakes import walking
from tests.model.readers.files import as_body_25, as_mediapipe, dumped, flat, landmarks, openpose_frame, poses
from tests.model.readers.test_amc import STILL, amc, asf
from tests.model.readers.test_bvh import bvh
from tests.model.readers.test_gaitgraph_csv import csv, row
from tests.model.readers.test_mmpose import instance, new_style, old_style
from tests.model.readers.test_ntu import A, B, skeleton
from tests.model.readers.test_pickles import annotation


@cache
def files() -> dict[str, bytes]:
    """One small file of each format, by the format's name."""
    coco = poses(4)
    return {
        "gaitkeeper": to_json([Track("1", walking(frames=4))]),
        "gaitkeeper-npz": to_npz(walking(frames=4)),
        "gaitgraph-csv": csv(*(row("001-nm-01-090", i, pose) for i, pose in enumerate(coco))),
        "openpose": openpose_frame([as_body_25(coco)[0]]),
        "alphapose": dumped([{"image_id": f"{i}.jpg", "keypoints": flat(p), "idx": 1} for i, p in enumerate(coco)]),
        "mmpose": dumped(new_style([[instance(pose)] for pose in coco])),
        "mediapipe": dumped([landmarks(pose) for pose in as_mediapipe(coco)]),
        "ntu-skeleton": skeleton([[A, B], [A], []]),
        "bvh": bvh([{}, {"Hips": (0, 0, 0, 0, 30, 0)}]),
        "opengait-pickle": pickle.dumps(coco),
        "pyskl-pickle": pickle.dumps({"annotations": [annotation(coco[None])]}),
    }


@pytest.mark.parametrize("form", list(files()))
def test_a_format_is_known_by_its_content_whatever_its_name(form, tmp_path):
    path = tmp_path / "download (3).txt"
    path.write_bytes(files()[form])
    assert read(path).format == read(files()[form], name="x.exe").format == form


@pytest.mark.parametrize("form", ["gaitkeeper", "openpose", "alphapose", "mmpose", "mediapipe", "gaitgraph-csv", "bvh"])
def test_a_byte_order_mark_is_overlooked(form):
    assert read(b"\xef\xbb\xbf" + files()[form]).format == form


def test_version_0_of_mmpose_and_a_list_of_openpose_frames_are_not_confused():
    assert read(dumped([[old_style(pose)] for pose in poses(3)])).format == "mmpose"
    assert read(b"[" + openpose_frame([as_body_25(poses(1))[0]]) + b"]").format == "openpose"


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")  # pickletools reads names of old
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(files())), st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(form, data):
    content = bytearray(files()[form])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.sampled_from(["cut", "change", "remove", "double", "number"])):
            case "cut":
                del content[place + 1 :]
            case "change":
                content[place] = data.draw(st.integers(0, 255))
            case "remove":
                del content[place : place + data.draw(st.integers(1, 40))]
            case "double":
                content[place:place] = content[place : place + 40]
            case "number":
                content[place : place + 1] = data.draw(
                    st.sampled_from([b"-1", b"1e999", b"99999999999999999999", b"null"])
                )
        if not content:
            break
    only_refused_in_one_line(bytes(content))


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
@example(b"PK\x03\x04")
@example(b"\x80\x04.")
@example(b"{")
@example(b"[]")
@example(b'{"":0}')
@example(b"\xff\xfe\x00")
@example(b":version")
@example(b"HIERARCHY MOTION")
@example(b"1\n1\n")
@example("１\n１\n".encode())
def test_any_bytes_are_read_or_refused_and_nothing_else(content):
    only_refused_in_one_line(content)


WORDS = (
    *("people", "bodies", "pose_keypoints_2d", "image_id", "keypoints", "instance_info", "instances", "frames"),
    *("pose_landmarks", "landmarks", "x", "y", "layout", "joints", "tracks", "sequence", "frame", "name"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(JSON)
def test_any_json_is_read_or_refused_and_nothing_else(value):
    only_refused_in_one_line(dumped(value))


def only_refused_in_one_line(content: bytes) -> None:
    said = ""
    try:
        assert isinstance(read(content), Recording)
    except GaitkeeperError as error:
        said = str(error)
    assert said.isprintable()


def test_files_and_folders_that_hold_nothing_say_so(tmp_path):
    (tmp_path / "empty.json").touch()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, message in [
        ("absent.json", "no such file"),
        ("empty.json", "is empty"),
        ("folder", "a folder is read where"),
        ("pipe", "not a regular file"),
        ("a" * 300, "name too long"),
        ("a\0b", "no such file"),
    ]:
        with pytest.raises(UnreadableFile, match=f"(?i){message}"):
            read(tmp_path / name)


def test_a_file_over_the_limit_is_refused_before_it_is_all_read(tmp_path):
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(10_000)
    with pytest.raises(LimitExceeded, match="at most 1000, got 10000"):
        open_source(path, limit=1000)
    with pytest.raises(LimitExceeded):
        source_of(b"x" * 11, limit=10)


def test_a_hint_that_does_not_fit_is_refused():
    with pytest.raises(GaitkeeperError, match="17 joints, and casia-14 has 14"):
        read(files()["opengait-pickle"], hints=Hints(layout="casia-14"))
    with pytest.raises(GaitkeeperError, match="coco-99"):
        read(files()["opengait-pickle"], hints=Hints(layout="coco-99"))


def test_the_amc_fixtures_are_text_of_their_format():
    assert asf().startswith("# AST/ASF")
    with pytest.raises(UnreadableFile, match="two files"):
        read(amc([STILL]).encode())


def test_what_is_huge_in_a_file_costs_nothing_before_it_is_refused():
    far = [{"image_id": f"{i}.jpg", "keypoints": flat(p)} for i, p in zip((0, 10**15), poses(2), strict=True)]
    near_and_far = [
        {"image_id": f"{i}.jpg", "keypoints": flat(p), "idx": i % 2}
        for i, p in zip((0, 1, 199_998, 199_999), poses(4), strict=True)
    ]
    assert len(read(dumped(far)).tracks) == 2  # a second later it is somebody else
    with pytest.raises(LimitExceeded, match="frames of all tracks"):
        read(dumped(near_and_far))
    assert np.isfinite(read(dumped(far)).tracks[0].sequence.joints).all()


@pytest.mark.parametrize(
    "document",
    [
        {"frames": [landmarks(pose) for pose in as_mediapipe(poses(3))], "fps": 0},
        {"frames": [landmarks(pose) for pose in as_mediapipe(poses(3))], "fps": -5},
        {"frames": [landmarks(pose) for pose in as_mediapipe(poses(3))], "width": -9, "height": 3},
        [{"frame": 10**18 * i, "landmarks": landmarks(pose)} for i, pose in enumerate(as_mediapipe(poses(3)))],
        [{"timestamp_ms": 1e308 * (i - 1), "landmarks": landmarks(p)} for i, p in enumerate(as_mediapipe(poses(3)))],
        [{"image_id": 10**300, "keypoints": flat(poses(1)[0]), "idx": 10**300}],
        [{"image_id": "9" * 40 + ".jpg", "keypoints": flat(poses(1)[0]), "idx": 1e308}],
        new_style([[instance(poses(1)[0], track_id=10**300)]], start=-(10**300)),
        {"people": [{"pose_keypoints_2d": [1e308, -1e308, 1e308] * 25, "person_id": [10**300]}]},
    ],
)
def test_numbers_beyond_all_measure_are_survived(document):
    only_refused_in_one_line(dumped(document))


@pytest.mark.parametrize("hint", [{"fps": 0.0}, {"fps": 1e9}, {"fps": float("nan")}, {"aspect": 0.0}, {"aspect": 99.0}])
def test_a_hint_that_cannot_be_is_refused(hint):
    with pytest.raises(InvalidRequest, match=next(iter(hint))):
        Hints(**hint)


def test_text_of_a_size_that_only_a_hostile_file_has_is_refused():
    with pytest.raises(LimitExceeded, match="bytes"):
        read(b"HIERARCHY " + b"a " * (33 * 1024 * 1024))
    with pytest.raises(LimitExceeded, match="values"):
        read(b"[" + b"0," * 30_000_001 + b"0]")
