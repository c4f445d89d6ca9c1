import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.archive.container import CHUNK_LIMIT, FACTS, FORMAT, HEADER_LIMIT, MAGIC, MANIFEST, RECORDS, Reader, Writer
from gallery.archive.lock import Opener, key_file, passphrase, passphrase_file
from gallery.keys.passphrase import Cost
from gallery.keys.signing import new_signing_key, public_of
from model.errors import InvalidArchive, InvalidRequest, KeyUnavailable

OPENER = Opener("key", bytes(range(32)))
PRIVATE = new_signing_key()


def write(path, records=(b"one", b"two"), opener=OPENER, private=PRIVATE):
    with path.open("wb") as file:
        writer = Writer(file, opener)
        writer.add(FACTS, b"{}")
        for record in records:
            writer.add(RECORDS, record)
        writer.finish(private, {"gallery": "staff"})
    return path


def read(path, opener=OPENER, trusted=None):
    reader = Reader(path, opener)
    manifest = reader.check(trusted)
    return manifest, list(reader.chunks())


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return write(tmp_path_factory.mktemp("archive") / "staff.gka").read_bytes()


@pytest.fixture
def put(tmp_path):
    def make(content):
        path = tmp_path / "changed.gka"
        path.write_bytes(content)
        return path

    return make


def chunks_of(content):
    """Where the chunks of an archive begin, and the end."""
    (length,) = struct.unpack_from("<I", content, 10)
    at, found = 14 + length, []
    while at < len(content):
        found.append(at)
        at += 5 + struct.unpack_from("<I", content, at + 1)[0]
    return [*found, at]


def test_what_was_written_is_read(tmp_path):
    manifest, chunks = read(write(tmp_path / "a.gka"), trusted=public_of(PRIVATE))
    assert chunks == [(FACTS, b"{}"), (RECORDS, b"one"), (RECORDS, b"two")]
    assert (manifest["gallery"], manifest["format"], manifest["chunks"]) == ("staff", FORMAT, 3)


def test_an_archive_without_records_is_one(tmp_path):
    assert read(write(tmp_path / "a.gka", records=()))[1] == [(FACTS, b"{}")]


def test_nothing_can_be_read_without_the_key(tmp_path, archive):
    assert b"staff" not in archive
    with pytest.raises(KeyUnavailable, match="not its key"):
        read(write(tmp_path / "a.gka"), Opener("key", bytes(32)))
    with pytest.raises(KeyUnavailable, match="--recipient-key"):
        read(write(tmp_path / "a.gka"), passphrase("long enough"))


def test_another_signer_is_refused(tmp_path):
    path = write(tmp_path / "a.gka", private=new_signing_key())
    assert read(path)[0]["gallery"] == "staff"
    with pytest.raises(InvalidArchive, match="not by the one that is trusted"):
        read(path, trusted=public_of(PRIVATE))


@settings(max_examples=300)
@given(data=st.data())
def test_any_flipped_bit_is_refused(tmp_path_factory, archive, data):
    where = data.draw(st.integers(0, len(archive) * 8 - 1))
    content = bytearray(archive)
    content[where // 8] ^= 1 << (where % 8)
    path = tmp_path_factory.getbasetemp() / "flipped.gka"
    path.write_bytes(content)
    with pytest.raises((InvalidArchive, KeyUnavailable)):
        read(path)


@settings(max_examples=100)
@given(data=st.data())
def test_any_archive_that_is_cut_off_is_refused(tmp_path_factory, archive, data):
    path = tmp_path_factory.getbasetemp() / "cut.gka"
    path.write_bytes(archive[: data.draw(st.integers(0, len(archive) - 1))])
    with pytest.raises((InvalidArchive, KeyUnavailable)):
        read(path)


def test_chunks_that_are_moved_left_out_doubled_or_added_are_refused(archive, put):
    first, one, two, manifest, end = chunks_of(archive)
    head, f, r1, r2, m = (
        archive[:first],
        archive[first:one],
        archive[one:two],
        archive[two:manifest],
        archive[manifest:end],
    )
    assert head + f + r1 + r2 + m == archive
    for content in (
        head + f + r2 + r1 + m,
        head + f + r1 + m,
        head + f + r1 + r1 + r2 + m,
        head + r1 + f + r2 + m,
        head + m,
        head + f + m,
        archive + b"x",
        archive + m,
        head,
    ):
        with pytest.raises(InvalidArchive):
            read(put(content))


def test_chunks_of_another_archive_are_refused(tmp_path, archive, put):
    other = write(tmp_path / "other.gka").read_bytes()
    at, theirs = chunks_of(archive), chunks_of(other)
    with pytest.raises(InvalidArchive):
        read(put(archive[: at[1]] + other[theirs[1] : theirs[2]] + archive[at[2] :]))


def test_a_later_format_is_named(archive, put):
    with pytest.raises(InvalidArchive, match="format 2; this version reads format 1"):
        read(put(MAGIC + struct.pack("<H", 2) + archive[10:]))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"GKARCHIV", b"\x80\x04K\x01.", b"SQLite format 3\0" * 9])
def test_a_foreign_file_is_refused(put, content):
    with pytest.raises(InvalidArchive, match="is not an archive"):
        read(put(content))


@pytest.mark.parametrize("length", [0, 1, HEADER_LIMIT + 1, 2**32 - 1])
def test_a_header_of_the_wrong_length_is_refused(archive, put, length):
    with pytest.raises(InvalidArchive):
        read(put(archive[:10] + struct.pack("<I", length) + archive[14:]))


@pytest.mark.parametrize("length", [0, 27, CHUNK_LIMIT + 1, 2**32 - 1])
def test_a_chunk_that_claims_too_much_is_refused_before_memory_is_taken(archive, put, length):
    at = chunks_of(archive)[1]
    with pytest.raises(InvalidArchive, match="damaged at chunk 1"):
        read(put(archive[: at + 1] + struct.pack("<I", length) + archive[at + 5 :]))


def test_a_record_that_no_reader_would_take_is_not_written(tmp_path):
    with (tmp_path / "a.gka").open("wb") as file, pytest.raises(InvalidArchive, match="more than fits"):
        Writer(file, OPENER).add(MANIFEST, bytes(CHUNK_LIMIT))


def test_a_passphrase_opens_what_it_locked():
    key, archive = bytes(range(32)), b"16 bytes of an id"
    lock = passphrase("correct horse").lock(key, archive, Cost(14))
    assert passphrase("correct horse").unlock(lock, archive) == key
    for opener, where in ((passphrase("incorrect horse"), archive), (passphrase("correct horse"), b"elsewhere")):
        with pytest.raises(KeyUnavailable, match="not its passphrase"):
            opener.unlock(lock, where)


@pytest.mark.parametrize(
    "cost", [(13, 8, 1), (23, 8, 1), (17, 0, 1), (17, 8, 9), (22, 32, 1), (-1, 8, 1), (10**9, 8, 1)]
)
def test_a_passphrase_that_would_cost_too_much_or_nothing_is_refused(cost):
    with pytest.raises(InvalidArchive, match="out of bounds"):
        Cost(*cost)


def test_secrets_are_read_from_files(tmp_path):
    for name, content, read_it in (
        ("raw", bytes(range(32)), key_file),
        ("base64", b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", key_file),
        ("phrase", "fünf Pferde\nmore\n".encode(), passphrase_file),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        path.chmod(0o600)
        opener = read_it(path)
        assert opener.secret in (bytes(range(32)), "fünf Pferde".encode())
        assert "Pferde" not in repr(opener)
        path.chmod(0o644)
        with pytest.raises(KeyUnavailable, match="chmod 600"):
            read_it(path)


@pytest.mark.parametrize(
    ("content", "read_it"),
    [
        (b"", key_file),
        (b"short", key_file),
        (bytes(33), key_file),
        (bytes(9000), key_file),
        (b"", passphrase_file),
        (b"short\n", passphrase_file),
        (b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", passphrase_file),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content, read_it):
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises((KeyUnavailable, InvalidRequest)):
        read_it(path)
    with pytest.raises(KeyUnavailable):
        read_it(tmp_path / "nothing")
