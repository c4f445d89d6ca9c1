import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundle import (
    CALIBRATION,
    CARD,
    DEFAULT_CLASSIFIER,
    ENCODER,
    MANIFEST,
    PARITY,
    Bundle,
    Member,
    open_bundle,
    sha256,
    shipped,
)
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.errors import InvalidBundle, ModelMissing

MODEL = b"the bytes of a model"


def _written(path: Path, **changes) -> Bundle:
    files = changes.pop("files", {ENCODER: MODEL, CARD: b"# Card", CALIBRATION: b'{"format": 1}'})
    arguments: dict[str, Any] = {"name": "a-bundle", "layout": "coco-17", "clip": ClipSpec(), "dim": 4} | changes
    return write_bundle(path, files, **arguments)


def _rewrite_manifest(path: Path, **changes) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(manifest | changes))


def test_what_was_written_is_read_back(tmp_path):
    _written(tmp_path / "b", trained={"commit": "abc"})
    bundle = open_bundle(tmp_path / "b")
    assert bundle.model("encoder") == MODEL
    assert bundle.tasks == ("encoder",)
    assert bundle.card() == "# Card"
    assert bundle.calibration_json() == {"format": 1}
    assert bundle.layout.name == "coco-17"
    assert bundle.manifest.trained == {"commit": "abc"}


def test_what_is_optional_may_be_missing(tmp_path):
    bundle = _written(tmp_path / "b", files={ENCODER: MODEL})
    assert bundle.card() == ""
    assert bundle.calibration_json() is None
    with pytest.raises(InvalidBundle, match=r"holds no parity\.npz"):
        bundle.read(PARITY)
    with pytest.raises(ModelMissing, match="holds no classifier"):
        bundle.model("classifier")


@pytest.mark.parametrize("file", [ENCODER, CARD, CALIBRATION])
def test_a_changed_file_is_named(tmp_path, file):
    _written(tmp_path / "b")
    (tmp_path / "b" / file).write_bytes(b"something else")
    with pytest.raises(InvalidBundle, match=f"{file} is not the file that its manifest describes"):
        open_bundle(tmp_path / "b")


def test_a_file_changed_after_opening_is_not_run(tmp_path):
    bundle = _written(tmp_path / "b")
    (tmp_path / "b" / ENCODER).write_bytes(b"something else")
    with pytest.raises(InvalidBundle, match="wrong hash"):
        bundle.model("encoder")


def test_a_missing_file_is_named(tmp_path):
    _written(tmp_path / "b")
    (tmp_path / "b" / ENCODER).unlink()
    with pytest.raises(InvalidBundle, match=r"encoder\.onnx cannot be read"):
        open_bundle(tmp_path / "b")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format 2; this gaitkeeper reads format 1"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "has no place in a bundle"),
        ({"files": {"encoder.onnx": "short"}}, "not a SHA-256"),
        ({"files": {}}, "neither an encoder nor a classifier"),
        ({"layout": "octopus-8"}, "unknown layout"),
        ({"name": "../up"}, "name"),
        ({"dim": None}, "dim belongs to an encoder"),
        ({"labels": ["walk"]}, "labels belong to a classifier"),
        ({"clip": {"frames": 0}}, r"clip\.frames"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(tmp_path, changes, said):
    _written(tmp_path / "b")
    _rewrite_manifest(tmp_path / "b", **changes)
    with pytest.raises(InvalidBundle, match=said):
        open_bundle(tmp_path / "b")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000])
def test_a_manifest_that_is_no_manifest_is_refused(tmp_path, content):
    _written(tmp_path / "b")
    (tmp_path / "b" / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidBundle, match=r"manifest\.json"):
        open_bundle(tmp_path / "b")


@given(st.binary(max_size=60))
def test_no_bytes_of_a_manifest_do_more_than_refuse(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("b")
    (path / MANIFEST).write_bytes(content)
    with pytest.raises(InvalidBundle):
        open_bundle(path)


def test_a_link_out_of_the_bundle_is_not_followed(tmp_path):
    _written(tmp_path / "b")
    secret = tmp_path / "secret"
    secret.write_bytes(MODEL)
    (tmp_path / "b" / ENCODER).unlink()
    (tmp_path / "b" / ENCODER).symlink_to(secret)
    with pytest.raises(InvalidBundle, match="leads out of the bundle"):
        open_bundle(tmp_path / "b")


def test_a_file_over_its_limit_is_refused(tmp_path):
    path = tmp_path / "b"
    _written(path)
    card = b"x" * (1024 * 1024 + 1)
    (path / CARD).write_bytes(card)
    manifest = json.loads((path / MANIFEST).read_text())
    _rewrite_manifest(path, files=manifest["files"] | {CARD: sha256(card)})
    with pytest.raises(InvalidBundle, match=r"CARD\.md is larger than 1 MB"):
        open_bundle(path)


def test_no_directory_is_no_bundle(tmp_path):
    with pytest.raises(InvalidBundle, match="no such directory"):
        open_bundle(tmp_path / "nothing")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidBundle, match="not a directory"):
        open_bundle(tmp_path / "file")


def test_a_bundle_that_comes_along_is_opened_by_its_name():
    name = DEFAULT_CLASSIFIER
    assert open_bundle(name).path == shipped(name)


def test_the_fingerprint_covers_what_decides_the_embedding_and_nothing_else(tmp_path):
    first = _written(tmp_path / "a").fingerprint
    assert len(first) == 64
    assert _written(tmp_path / "b", name="other", trained={"x": 1}, files={ENCODER: MODEL}).fingerprint == first
    assert _written(tmp_path / "c", files={ENCODER: b"another"}).fingerprint != first
    assert _written(tmp_path / "d", clip=ClipSpec(fps=30)).fingerprint != first
    assert _written(tmp_path / "e", clip=ClipSpec(dims=3)).fingerprint != first
    assert _written(tmp_path / "f", layout="h36m-17").fingerprint != first


def test_a_bundle_is_replaced_as_a_whole(tmp_path):
    _written(tmp_path / "b")
    replaced = _written(tmp_path / "b", files={ENCODER: b"newer"})
    assert replaced.model("encoder") == b"newer"
    assert not (tmp_path / "b" / CARD).exists()
    assert [each.name for each in tmp_path.iterdir()] == ["b"]


def test_a_directory_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidBundle, match="holds something else"):
        _written(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="has no place in a bundle"):
        _written(tmp_path / "b", files={ENCODER: MODEL, "notes.txt": b""})
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_does_not_come_along_is_named_with_those_that_do():
    with pytest.raises(InvalidBundle, match=r"nothing-here.* come"):
        shipped("nothing-here")


def test_networks_of_an_ensemble_are_read_back_and_decide_no_fingerprint(tmp_path):
    streams = (Member(name="a", streams=("joint",), weight=2), Member(name="b", streams=("bone", "motion"), weight=0.5))
    assert _written(tmp_path / "several", streams=streams).fingerprint == _written(tmp_path / "one").fingerprint
    assert open_bundle(tmp_path / "several").manifest.streams == streams
    assert "streams" not in json.loads((tmp_path / "one" / MANIFEST).read_text())


@pytest.mark.parametrize(
    ("member", "wrong"),
    [
        ({"name": "a", "streams": ["joint"], "weight": 0}, "weight"),
        ({"name": "a", "streams": ["joint"], "weight": -1}, "weight"),
        ({"name": "a", "streams": [], "weight": 1}, "streams"),
        ({"name": "a", "streams": ["joint"]}, "weight"),
        ({"name": "a", "streams": ["joint"], "weight": 1, "more": 1}, "more"),
    ],
)
def test_a_network_that_a_manifest_does_not_describe_is_refused(tmp_path, member, wrong):
    _written(tmp_path / "b")
    _rewrite_manifest(tmp_path / "b", streams=[member])
    with pytest.raises(InvalidBundle, match=rf"streams\.0\.{wrong}"):
        open_bundle(tmp_path / "b")
