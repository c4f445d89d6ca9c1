import os
import struct
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest

from gallery.index import (
    CoarseIndex,
    FlatIndex,
    IndexPolicy,
    Loaded,
    SnapshotHeader,
    VectorIndex,
    build_index,
    read_snapshot,
    write_snapshot,
)  # fmt: skip
from gallery.index.snapshot import FORMAT
from gallery.keys.sealing import OVERHEAD, new_key, seal
from model.clips import unit_length
from model.errors import InvalidArchive
from model.sequence import Floats

Vectors = Callable[..., Floats]
HEADER = SnapshotHeader(generation=7, gallery=3, epoch=1, seq=99, fingerprint="b" * 64, content=-5)
KEY = new_key()
COUNT, DIM = 3000, 16


def made(kind: str, vectors: Vectors, count: int = COUNT) -> VectorIndex:
    index = build_index(vectors(count, DIM), np.arange(count) * 2, IndexPolicy(kind))  # type: ignore[arg-type]
    if isinstance(index, CoarseIndex):
        index.settle()
    return index


def written(path: Path, index: VectorIndex, ids: np.ndarray, key: bytes = KEY, header: SnapshotHeader = HEADER) -> Path:
    write_snapshot(path / "7.index", key, header, index, ids, ids + 1, ids * 5, ids + 100)
    return path / "7.index"


@pytest.mark.parametrize("kind", ["flat", "auto", "coarse", "compact"])
def test_what_was_written_is_read_again_and_answers_the_same(tmp_path: Path, vectors: Vectors, kind: str) -> None:
    index, probes = made(kind, vectors), vectors(50, DIM, seed=1)
    ids = np.arange(COUNT) * 2
    loaded = read_snapshot(written(tmp_path, index, ids), KEY, IndexPolicy(kind))  # type: ignore[arg-type]
    assert loaded.header == HEADER
    assert np.array_equal(loaded.ids, ids)
    assert np.array_equal(loaded.subjects, ids + 1)
    assert np.array_equal(loaded.marks, ids * 5)
    assert np.array_equal(loaded.expires, ids + 100)
    assert loaded.index.kind == index.kind
    assert np.array_equal(index.search(probes, 10)[0], loaded.index.search(probes, 10)[0])
    assert np.array_equal(index.search(probes, 10)[1], loaded.index.search(probes, 10)[1])
    assert np.array_equal(loaded.index.vectors_of(ids), index.vectors_of(ids))


@pytest.mark.parametrize("kind", ["flat", "coarse", "compact"])
def test_rows_that_came_are_in_it_and_rows_that_went_are_not(tmp_path: Path, vectors: Vectors, kind: str) -> None:
    index = made(kind, vectors)
    index.remove(np.arange(0, 200, 2))
    index.add(vectors(50, DIM, seed=2), np.arange(10_000, 10_050))
    ids = np.concatenate([np.arange(200, 2 * COUNT, 2), np.arange(10_000, 10_050)])
    loaded = read_snapshot(written(tmp_path, index, ids), KEY, IndexPolicy(kind))  # type: ignore[arg-type]
    probes = np.concatenate([vectors(60, DIM, seed=1), vectors(50, DIM, seed=2)])
    assert loaded.index.count == len(ids)
    found = loaded.index.search(probes, 1)[1][:, 0]
    assert (found == index.search(probes, 1)[1][:, 0]).mean() > 0.98
    assert found[60:].tolist() == list(range(10_000, 10_050))
    loaded.index.remove(np.array([10_000]))
    assert loaded.index.count == len(ids) - 1


def test_a_loaded_index_goes_on_growing(tmp_path: Path, vectors: Vectors) -> None:
    ids = np.arange(COUNT) * 2
    loaded = read_snapshot(written(tmp_path, made("coarse", vectors), ids), KEY, IndexPolicy("coarse"))
    loaded.index.add(vectors(20, DIM, seed=5), np.arange(9000, 9020))
    assert loaded.index.search(vectors(20, DIM, seed=5), 1)[1][:, 0].tolist() == list(range(9000, 9020))


def test_an_empty_gallery_has_a_snapshot_too(tmp_path: Path) -> None:
    path = written(tmp_path, FlatIndex(DIM), np.empty(0, np.int64))
    assert read_snapshot(path, KEY).index.count == 0


def test_it_is_kept_private_and_holds_no_number_in_the_clear(tmp_path: Path, vectors: Vectors) -> None:
    path = written(tmp_path, made("coarse", vectors), np.arange(COUNT) * 2)
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(row.tobytes()[:16] not in content for row in vectors(COUNT, DIM)[:50])
    assert HEADER.fingerprint.encode() not in content
    assert [file.name for file in tmp_path.iterdir()] == ["7.index"]


def refused(path: Path, content: bytes, key: bytes = KEY) -> str:
    path.write_bytes(content)
    with pytest.raises(InvalidArchive) as caught:
        read_snapshot(path, key, IndexPolicy("coarse"))
    assert str(path) in str(caught.value)
    return caught.value.reason


def test_any_changed_byte_is_refused(tmp_path: Path, vectors: Vectors) -> None:
    path = written(tmp_path, made("coarse", vectors, 400), np.arange(400) * 2)
    content = path.read_bytes()
    for place in [*range(0, 64), *np.random.default_rng(0).integers(64, len(content), 60).tolist()]:
        refused(path, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


def test_a_file_that_is_cut_off_or_longer_is_refused(tmp_path: Path, vectors: Vectors) -> None:
    path = written(tmp_path, made("coarse", vectors, 400), np.arange(400) * 2)
    content = path.read_bytes()
    for length in [*range(0, 40), 500, len(content) // 2, len(content) - 1]:
        refused(path, content[:length])
    assert "bytes, not" in refused(path, content + b"\0")


def test_a_foreign_file_is_refused_and_never_parsed(tmp_path: Path, vectors: Vectors) -> None:
    path = tmp_path / "x.index"
    index = faiss.IndexFlatIP(DIM)
    index.add(vectors(10, DIM))
    assert "not a snapshot" in refused(path, faiss.serialize_index(index).tobytes())
    assert "not a snapshot" in refused(path, b"")
    with pytest.raises(InvalidArchive, match="cannot be read"):
        read_snapshot(tmp_path / "none", KEY)


def test_another_key_or_generation_opens_nothing(tmp_path: Path, vectors: Vectors) -> None:
    path = written(tmp_path, made("flat", vectors, 50), np.arange(50) * 2)
    content = path.read_bytes()
    refused(path, content, new_key())
    refused(path, content[:8] + struct.pack("<Q", 8) + content[16:])


def test_chunks_cannot_change_places(tmp_path: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.index.sealed.CHUNK_BYTES", 400)
    path = written(tmp_path, made("flat", vectors, 50), np.arange(50) * 2)
    content = path.read_bytes()
    assert read_snapshot(path, KEY).index.count == 50
    # ids, subjects, marks, expires: each of one chunk of 50 numbers.
    first = 20 + struct.unpack("<I", content[16:20])[0]
    length = 50 * 8 + OVERHEAD
    swapped = content[first + length : first + 2 * length] + content[first : first + length]
    refused(path, content[:first] + swapped + content[first + 2 * length :])


def test_a_header_that_claims_too_much_takes_no_memory(tmp_path: Path) -> None:
    import json

    sizes = {"count": 1 << 50, "dim": 1 << 16, "half": False, "lists": 0, "directions": 0}
    header = json.dumps({"format": FORMAT, "header": {}, "sizes": sizes}).encode()
    for content in (
        header,
        header.replace(b'"lists": 0', b'"lists": -1'),
        header.replace(b'"format": 1', b'"format": 9'),
    ):
        sealed = seal(KEY, content, b"snapshot header/7")
        refused(tmp_path / "x", b"GKINDEX1" + struct.pack("<QI", 7, len(sealed)) + sealed)


def test_rounded_rows_serve_only_who_wants_them(tmp_path: Path, vectors: Vectors) -> None:
    ids = np.arange(COUNT) * 2
    path = written(tmp_path, made("compact", vectors), ids)
    with pytest.raises(InvalidArchive, match="compact"):
        read_snapshot(path, KEY, IndexPolicy("coarse"))
    whole: Loaded = read_snapshot(written(tmp_path, made("coarse", vectors), ids), KEY, IndexPolicy("compact"))
    assert whole.index.kind == "compact"


def test_an_interrupted_write_leaves_what_was_there(
    tmp_path: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, made("flat", vectors, 50), np.arange(50) * 2)
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path, made("flat", vectors, 60), np.arange(60) * 2)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["7.index"]


def test_rows_with_equal_lengths_come_back(tmp_path: Path) -> None:
    rows = unit_length(np.ones((5, DIM), np.float32))
    path = written(tmp_path, FlatIndex.of(rows, np.arange(5)), np.arange(5))
    assert read_snapshot(path, KEY).index.search(rows[:1], 5)[1].tolist() == [[0, 1, 2, 3, 4]]
