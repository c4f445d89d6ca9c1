"""The commands as they are typed: what they print, their exit status, and what they leave behind."""

import io
import json
from typing import Any

import numpy as np
import pytest

from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.readers import Track, only_track, read
from model.runtime import OnnxEncoder
from model.writing import to_json
from tests.fakes import walking
from tests.model.onnx_files import mean_pose_model
from tests.model.readers.files import ALICE, BOB, as_body_25, as_mediapipe, dumped, landmarks, openpose_frame


@pytest.fixture
def walk(tmp_path):
    path = tmp_path / "walk.json"
    path.write_bytes(to_json([Track("1", walking(1, 80))]))
    return path


@pytest.fixture
def crossing(tmp_path):
    """A folder of OpenPose files with two people who cross."""
    folder = tmp_path / "street"
    folder.mkdir()
    for i, pair in enumerate(zip(as_body_25(ALICE.poses(80)), as_body_25(BOB.poses(80)), strict=True)):
        (folder / f"street_{i:012d}_keypoints.json").write_bytes(openpose_frame(pair if i % 2 else pair[::-1]))
    return folder


def test_inspect_says_what_is_in_a_file(run, walk):
    code, out, err = run("inspect", walk)
    assert (code, err) == (0, "")
    for word in ("gaitkeeper, 1 track", "coco-17, 2-D, pixels, 25 frames a second", "80", "3.2", "yes", "openpose-18"):
        assert word in out


def test_inspect_in_json_gives_every_measure(run, walk):
    code, out, _ = run("inspect", walk, "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["format"], facts["tracks"][0]["usable"], facts["tracks"][0]["frames"]) == ("gaitkeeper", True, 80)
    assert facts["tracks"][0]["measures"]["seconds"] == 3.2
    assert facts["converts_to"]["openpose-18"] == {"interpolated": ["neck"], "missing": [], "dropped": []}


def test_inspect_of_a_folder_with_two_people_shows_both(run, crossing):
    code, out, _ = run("inspect", crossing, "--fps", "25")
    assert code == 0
    assert "openpose, 2 tracks, 2 usable" in out
    assert "--track NAME" in out
    assert "2 tracks" not in run("inspect", crossing, "--track", "2")[1]


def test_inspect_warns_where_the_aspect_ratio_is_wanted(run, tmp_path):
    path = tmp_path / "pose.json"
    path.write_bytes(dumped([landmarks(pose) for pose in as_mediapipe(ALICE.poses(60))]))
    assert "--aspect 16:9" in run("inspect", path)[1]
    code, out, _ = run("inspect", path, "--aspect", "2:1", "--fps", "25")
    assert code == 0
    assert "warning" not in out
    assert "2:1" in out


def test_inspect_of_a_file_with_nothing_usable_exits_with_1_and_says_what_to_do(run, tmp_path):
    path = tmp_path / "short.json"
    path.write_bytes(to_json([Track("1", walking(1, 10))]))
    code, out, _ = run("inspect", path)
    assert code == 1
    assert "too_short" in out
    assert "record longer" in out


@pytest.mark.parametrize("content", [b"", b"{", b"nothing of ours", b'{"layout": "coco-17", "joints": []}'])
def test_an_unreadable_file_is_one_line_and_exit_2(run, tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    code, out, err = run("inspect", path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "bad.json" in err


def test_text_out_of_a_file_cannot_command_the_terminal(run, tmp_path):
    path = tmp_path / "walk.json"
    path.write_bytes(to_json([Track("\x1b[2J[red]x", walking(1, 60)), Track("b", walking(2, 60))]))
    out = run("inspect", path)[1]
    assert "\x1b" not in out
    assert "?[2J[red]x" in out


@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_convert_writes_what_inspect_reads(run, tmp_path, walk, suffix):
    target = tmp_path / f"out.{suffix}"
    code, out, _ = run("convert", walk, "--out", target, "--layout", "openpose-18")
    assert code == 0
    assert "interpolated (made from others): neck" in out
    sequence = only_track(read(target)).sequence
    assert sequence.layout.name == "openpose-18"
    np.testing.assert_array_equal(sequence.joints[:, 0], walking(1, 80).joints[:, 0])


def test_convert_reports_in_json_what_became_of_the_joints(run, tmp_path, crossing):
    target = tmp_path / "out.json"
    told = json.loads(run("convert", crossing, "--out", target, "--layout", "coco-17", "--json")[1])
    assert [track["frames"] for track in told["tracks"]] == [80, 80]
    assert "left_heel" in told["dropped"]
    assert told["notes"][0] == "fps_unknown: assumed 25"
    assert [track.name for track in read(target).tracks] == ["1", "2"]


def test_convert_does_not_replace_a_file_unless_told_to(run, tmp_path, walk):
    target = tmp_path / "out.json"
    target.write_text("mine")
    code, _, err = run("convert", walk, "--out", target)
    assert code == 2
    assert "--force" in err
    assert target.read_text() == "mine"
    assert run("convert", walk, "--out", target, "--force")[0] == 0
    assert only_track(read(target)).sequence.frames == 80


def test_convert_of_two_people_to_npz_wants_a_choice(run, tmp_path, crossing):
    target = tmp_path / "out.npz"
    code, _, err = run("convert", crossing, "--out", target)
    assert code == 2
    assert "2 people" in err
    assert not target.exists()
    assert run("convert", crossing, "--out", target, "--track", "2")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--out", "walk.csv"), "must end in .json or .npz"),
        (("--out", "o.json", "--layout", "coco-99"), "coco-99"),
        (("--out", "o.json", "--track", "9"), "no track '9'"),
        (("--out", "o.json", "--aspect", "wide"), "wide"),
    ],
)
def test_convert_refuses_what_it_cannot_do(run, walk, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("convert", walk, *words)
    assert code == 2
    assert message in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["walk.json"]


@pytest.fixture
def exported(tmp_path):
    """A bundle with an encoder that fits its parity file."""
    model = mean_pose_model(width=4)
    clips = np.random.default_rng(0).normal(size=(2, 60, 17, 3)).astype(np.float32)
    plain = write_bundle(
        tmp_path / "plain", {"encoder.onnx": model}, name="tiny", layout="coco-17", clip=ClipSpec(), dim=4
    )
    recorded = io.BytesIO()
    arrays: dict[str, Any] = {"encoder/2/clips": clips}
    arrays["encoder/2/embedding"] = OnnxEncoder(plain, threads=1).embed_clips(clips)
    np.savez(recorded, **arrays)
    files = {"encoder.onnx": model, "parity.npz": recorded.getvalue(), "CARD.md": b"# tiny\n\nTrained on nothing."}
    return write_bundle(tmp_path / "tiny", files, name="tiny", layout="coco-17", clip=ClipSpec(), dim=4).path


def test_bundle_show_prints_the_card_and_what_the_model_takes(run, exported):
    code, out, _ = run("bundle", "show", exported)
    assert code == 0
    for words in ("tiny (encoder)", "coco-17, 2-D, 60 frames at 25 a second", "4 numbers", "Trained on nothing"):
        assert words in out
    assert json.loads(run("bundle", "show", exported, "--json")[1])["dim"] == 4


def test_bundle_check_computes_the_parity_file_again(run, exported):
    code, out, _ = run("bundle", "check", exported)
    assert code == 0
    assert "3 files have the right hash" in out
    assert json.loads(run("bundle", "check", exported, "--json")[1])["difference"] < 1e-6


def test_a_bundle_with_a_changed_file_is_refused(run, exported):
    (exported / "CARD.md").write_text("better")
    code, _, err = run("bundle", "check", exported)
    assert code == 2
    assert "CARD.md" in err
    assert "wrong hash" in err


def test_a_bundle_that_does_not_exist_names_those_that_ship(run):
    code, _, err = run("bundle", "show", "no-such-bundle")
    assert code == 2
    assert "those that come with gaitkeeper are " in err


@pytest.mark.parametrize("words", [("inspect",), ("convert",), ("bundle", "show"), ("bundle", "check")])
def test_every_command_gives_an_example_in_its_help(run, words):
    code, out, _ = run(*words, "--help")
    assert code == 0
    assert f"Example: gaitkeeper {' '.join(words)}" in out
