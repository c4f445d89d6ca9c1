"""What is wrong is one line on stderr and status 2, and what was acknowledged before is still there."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gallery.store import open_store
from model.bundle import DEFAULT_ENCODER, shipped
from tests.e2e.command import call, fill_up, one_line, walk, walk_file, written
from tests.e2e.conftest import Typed

Changed = Callable[..., dict[str, Any]]


def changed(**changes: Any) -> dict[str, Any]:
    return {**walk(1), **changes}


def cut(frames: int) -> dict[str, Any]:
    return changed(joints=walk(1)["joints"][:frames], confidence=walk(1)["confidence"][:frames])


def with_nan() -> dict[str, Any]:
    sequence = walk(1)
    sequence["joints"][3][2][1] = float("nan")
    return sequence


BAD_FILES: dict[str, tuple[Any, str]] = {
    "wrong layout": (changed(layout="body-25"), "17 joints where body-25 has 25"),
    "unknown layout": (changed(layout="octopus-8"), "unknown layout 'octopus-8'"),
    "too few frames": (cut(5), "too_short"),
    "two people": ({"tracks": [{"name": n, "sequence": walk(1)} for n in "ab"]}, "2 people (a, b)"),
    "NaN": (with_nan(), "holds NaN"),
    "a number beyond floats": (changed(joints=[[[1e300, 0]] * 17] * 75), "finite"),
    "an absurd frame rate": (changed(fps=1e9), "at most 1000"),
    "a frame rate that makes hours": (changed(fps=0.001), "fps 0.001"),
    "nothing known": ({"walk": "none"}, "no pose estimator that I know"),
    "empty": (b"", "is empty"),
    "truncated": (json.dumps(walk(1)).encode()[:2000], "truncated"),
    "100 MB of nothing": (b"\0" * 100_000_000, "no format that I know"),
    "noise": (bytes(range(256)) * 100, "no format that I know"),
}


@pytest.fixture(scope="module")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory in which ada is enrolled, by a process of its own."""
    folder = tmp_path_factory.mktemp("enrolled")
    done = call("enroll", walk_file(1), "--subject", "ada", "--data", "data", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "enrolled ada in gallery default (template 1)" in done.stdout
    return folder / "data"


@pytest.fixture
def data(enrolled: Path) -> Iterator[Path]:
    """That directory; afterwards ada and nobody else is still there."""
    yield enrolled
    store = open_store(enrolled)
    assert [(each.id, each.templates) for each in store.subjects("default")] == [("ada", 1)]
    assert store.check() == []
    store.close()


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_not_enrolled(typed: Typed, data: Path, tmp_path: Path, kind: str) -> None:
    content, said = BAD_FILES[kind]
    path = tmp_path / "walk.json"
    path.write_bytes(content) if isinstance(content, bytes) else written(path, content)
    code, out, err = typed("enroll", path, "--subject", "eve", "--data", data)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith("error: ")
    assert said in err


def test_a_process_of_its_own_says_it_in_one_line_too(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "walk.json"
    path.write_bytes(json.dumps(walk(1)).encode()[:2000])
    assert "truncated" in one_line(call("enroll", path, "--subject", "eve", "--data", data, cwd=tmp_path))


@pytest.mark.parametrize("command", ["inspect", "identify", "classify", "convert"])
@pytest.mark.parametrize("file", ["nothing-here.json", "folder", "folder/../walk\nline.json"])
def test_what_is_no_file_is_one_line(typed: Typed, data: Path, tmp_path: Path, command: str, file: str) -> None:
    (tmp_path / "folder").mkdir()
    more = {"identify": ["--data", data], "convert": ["--out", "x.json"]}.get(command, [])
    code, out, err = typed(command, file, *more)
    assert (code, out, err.count("\n")) == (2, "", 1), err


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """The shipped encoder with one bit changed."""
    path = tmp_path / "damaged"
    shutil.copytree(shipped(DEFAULT_ENCODER), path)
    content = bytearray((path / "encoder.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (path / "encoder.onnx").write_bytes(content)
    return path


def test_a_bundle_with_a_wrong_hash_answers_nothing(data: Path, damaged: Path, tmp_path: Path, typed: Typed) -> None:
    for line in (
        ("identify", walk_file(1), "--data", data, "--bundle", damaged),
        ("enroll", walk_file(2), "--subject", "eve", "--data", data, "--bundle", damaged),
        ("bundle", "check", damaged),
    ):
        code, out, err = typed(*line)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert "encoder.onnx is not the file that its manifest describes (wrong hash)" in err
    assert "wrong hash" in one_line(call("serve", "--encoder", damaged, "--port", 0, cwd=tmp_path))


def test_a_gallery_of_another_bundle_is_never_searched(typed: Typed, data: Path) -> None:
    store = open_store(data)
    store.create_gallery("foreign", "f" * 64, 256)
    store.close()
    for line in (
        ("identify", walk_file(1)),
        ("enroll", walk_file(2), "--subject", "e"),
    ):
        code, out, err = typed(*line, "--gallery", "foreign", "--data", data)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert "was made with bundle ffffffffffff" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("identify", "W", "--gallery", "nobody-s"), "no gallery 'nobody-s'"),
        (("identify", "W", "--gallery", "empty"), "enroll somebody first"),
        (("verify", "W", "--subject", "eve"), "no subject 'eve'"),
        (("subjects", "show", "eve"), "no subject 'eve'"),
        (("subjects", "erase", "eve", "--yes"), "no subject 'eve'"),
        (("subjects", "erase", "ada", "--template", 10**30, "--yes"), "no template"),
        (("subjects", "list", "--gallery", "x\ny"), "no gallery"),
        (("identify", "W", "--top-k", 10**30), "top_k"),
        (("identify", "W", "--fpir", "1e-9"), "support no rate below"),
        (("identify", "W", "--layout", "octopus-8"), "unknown layout"),
        (("identify", "W", "--bundle", "nobody-s"), "come with gaitkeeper are action-coco17, gait-sim-coco17"),
        (("enroll", "W", "--subject", "a/b"), "slash"),
        (("enroll", "W", "--subject", "line\nbreak"), "printable"),
        (("enroll", "W", "--subject", "e" * 5000), "1 to 128 characters"),
        (("enroll", "--manifest", "W"), "is not CSV"),
    ],
)
def test_what_cannot_be_done_is_one_line(typed: Typed, data: Path, line: tuple[object, ...], said: str) -> None:
    store = open_store(data)
    if "empty" in line:
        store.create_gallery("empty", shipped_fingerprint(), 256)
    store.close()
    code, out, err = typed(*[walk_file(1) if word == "W" else word for word in line], "--data", data)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert said in err


def shipped_fingerprint() -> str:
    from model.bundle import open_bundle

    return open_bundle(DEFAULT_ENCODER).fingerprint


@pytest.mark.parametrize(
    "line",
    [
        ("identify", "W", "--frobnicate"),
        ("identify",),
        ("identify", "W", "--fps", "nan"),
        ("identify", "W", "--fps", "fast"),
        ("identify", "W", "--aspect", "16:0"),
        ("identify", "W", "--threshold", "2"),
        ("enroll", "W"),
        ("enroll", "W", "--subject", "ann", "--label", "view"),
        ("subjects", "list", "--limit", 10**30),
        ("subjects", "erase"),
        ("recognise", "W"),
    ],
)
def test_a_command_line_that_makes_no_sense_says_why(typed: Typed, data: Path, line: tuple[object, ...]) -> None:
    where = ("--data", data) if len(line) > 1 and line[0] != "recognise" else ()
    code, out, err = typed(*[walk_file(1) if word == "W" else word for word in line], *where)
    assert (code, out) == (2, "")
    assert "error" in err.lower()
    assert "Traceback" not in err


def test_nobody_is_erased_without_a_yes(data: Path, tmp_path: Path) -> None:
    done = call("subjects", "erase", "ada", "--data", data, cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing was changed; --yes" in done.stderr


def test_a_full_disk_loses_nothing(small_disk: Path, typed: Typed) -> None:
    data = small_disk / "data"
    assert typed("enroll", walk_file(1), "--subject", "ada", "--data", data)[0] == 0
    fill_up(small_disk)
    code, out, err = typed("enroll", walk_file(2), "--subject", "ben", "--data", data)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "free some space and repeat" in err
    assert typed("convert", walk_file(1), "--out", small_disk / "walk.json")[0] == 2
    (small_disk / "fill").unlink()
    assert typed("enroll", walk_file(2), "--subject", "ben", "--data", data)[0] == 0
    listed = json.loads(typed("subjects", "list", "--data", data, "--json")[1])
    assert [each["id"] for each in listed] == ["ada", "ben"]
    assert sorted(path.name for path in small_disk.iterdir()) == ["data"]


def test_names_that_are_no_text_are_printed_all_the_same(data: Path, tmp_path: Path) -> None:
    file = tmp_path / b"\xff.json".decode("utf-8", "surrogateescape")
    shutil.copy(walk_file(1), file)
    done = call("identify", file, "--data", data, "--json", cwd=tmp_path, PYTHONIOENCODING="utf-8:strict")
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["file"]) == file
    done = call("subjects", "show", "x\udcff", "--data", data, cwd=tmp_path, PYTHONIOENCODING="utf-8:strict")
    assert "is not text" in one_line(done)
