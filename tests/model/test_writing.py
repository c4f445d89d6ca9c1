import stat

import pytest

from model.errors import InvalidRequest
from model.readers import Track
from model.writing import to_json, write
from tests.fakes import walking


def test_numbers_are_written_as_short_as_they_are():
    assert len(to_json([Track("1", walking(frames=10))])) < 10 * 17 * 3 * 11


def test_a_file_that_is_there_stays_but_for_force(tmp_path):
    path = tmp_path / "walk.json"
    write(path, b"first")
    with pytest.raises(InvalidRequest, match="--force"):
        write(path, b"second")
    assert path.read_bytes() == b"first"
    write(path, b"second", force=True)
    assert path.read_bytes() == b"second"
    assert [file.name for file in tmp_path.iterdir()] == ["walk.json"]


def test_a_directory_is_not_replaced_by_a_file(tmp_path):
    (tmp_path / "walk.json").mkdir()
    with pytest.raises(InvalidRequest, match="is a directory"):
        write(tmp_path / "walk.json", b"x", force=True)


def test_a_file_is_as_readable_as_others_and_its_folder_is_made(tmp_path):
    path = tmp_path / "new" / "walk.json"
    write(path, b"x")
    (tmp_path / "other").write_bytes(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


def test_what_cannot_be_finished_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        write(tmp_path / "walk.json", "no bytes")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
