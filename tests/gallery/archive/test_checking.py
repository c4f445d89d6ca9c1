"""An archive can be signed by somebody who is trusted and hold nonsense all the same."""

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.archive.checking import Checker, told
from gallery.archive.container import FACTS, RECORDS, Writer
from gallery.archive.importing import import_gallery
from gallery.keys.signing import new_signing_key, public_of
from gallery.keys.transform import new_transform, to_bytes
from gallery.store.records import Facts, Record, SubjectRecord, TemplateRecord
from model.errors import InvalidArchive

DIM = 4
UNIT = np.array([1, 0, 0, 0], "<f4").tobytes()
FACTS_ = Facts("a store", 3, "staff", "b" * 64, DIM, 10**15, 1, 1, 0, None, False, None, bytes(32), None)
ANN = SubjectRecord(7, "ann", 10**15, None, None, None, None, None)
TEMPLATE = TemplateRecord(9, UNIT, {"view": "090"}, 60, "a hash", 10**15)
SKELETON = {"skeleton": b"GKV1...", "skeleton_expires": 10**15}

# What is not the database's own is tried on one kind.
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def changed(struct, **values):
    return msgspec.structs.replace(struct, **values)


def check(facts=FACTS_, records=(ANN, TEMPLATE), manifest=None):
    checker = Checker("a.gka", facts, told(facts) if manifest is None else manifest)
    checker.gallery(None)
    checker.check(records)
    checker.finish()


def test_what_is_sound_passes():
    check()
    check(changed(FACTS_, protected=True, transform=to_bytes(new_transform(DIM))))
    check(changed(FACTS_, vault_days=7, skeletons=1), (ANN, changed(TEMPLATE, **SKELETON)))


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a/b"},
        {"name": ""},
        {"fingerprint": ""},
        {"dim": 0},
        {"dim": 10**6},
        {"created": -1},
        {"created": 2**63 - 1},
        {"subjects": -1},
        {"subjects": 2},
        {"templates": 2},
        {"templates": 2**62},
        {"skeletons": 1},
        {"vault_days": 0},
        {"protected": True},
        {"transform": to_bytes(new_transform(DIM))},
        {"protected": True, "transform": np.ones((DIM, DIM), "<f4").tobytes()},
        {"protected": True, "transform": b""},
        {"calibration": {"id": "x"}},
        {"source_key": b"short"},
    ],
)
def test_a_gallery_that_cannot_be_is_refused(values):
    with pytest.raises(InvalidArchive):
        check(changed(FACTS_, **values))


@pytest.mark.parametrize("name", list(told(FACTS_)))
def test_a_manifest_that_says_something_else_is_refused(name):
    with pytest.raises(InvalidArchive, match="its manifest says something else"):
        check(manifest={**told(FACTS_), name: "another"})


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "a/b"},
        {"name": "a\nb"},
        {"name": "x" * 129},
        {"created": -1},
        {"consent": ""},
        {"purpose": "x" * 300},
        {"expires": 2**62},
        {"expires": -1},
        {"hold": ""},
        {"metadata": b"[1]"},
        {"metadata": b"{"},
        {"metadata": b'{"a": NaN}'},
        {"metadata": b"{" + b" " * 20_000 + b"}"},
        {"metadata": b"[" * 10_000},
        {"metadata": b"\xff"},
    ],
)
def test_a_subject_that_cannot_be_is_refused(values):
    with pytest.raises(InvalidArchive):
        check(records=(changed(ANN, **values), TEMPLATE))


@pytest.mark.parametrize(
    "values",
    [
        {"embedding": b""},
        {"embedding": UNIT[:-4]},
        {"embedding": UNIT + UNIT},
        {"embedding": bytes(16)},
        {"embedding": np.full(DIM, math.nan, "<f4").tobytes()},
        {"embedding": np.full(DIM, math.inf, "<f4").tobytes()},
        {"embedding": np.full(DIM, 3e38, "<f4").tobytes()},
        {"labels": {"": "x"}},
        {"labels": {"view": "x" * 1000}},
        {"labels": {str(n): "x" for n in range(100)}},
        {"frames": -1},
        {"frames": 2**31},
        {"source": ""},
        {"source": "x" * 200},
        {"created": 2**63},
        {"skeleton": b"GKV1"},
        SKELETON,
    ],
)
def test_a_template_that_cannot_be_is_refused(values):
    with pytest.raises(InvalidArchive):
        check(records=(ANN, changed(TEMPLATE, **values)))


@pytest.mark.parametrize("records", [(), (ANN,), (TEMPLATE, ANN), (ANN, TEMPLATE, TEMPLATE), (ANN, ANN, TEMPLATE)])
def test_more_or_less_than_was_promised_is_refused(records):
    with pytest.raises(InvalidArchive):
        check(records=records)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)
like_records = st.lists(
    st.builds(lambda tag, rest: [tag, *rest], st.sampled_from("st"), st.lists(anything, min_size=4, max_size=8))
    | anything,
    max_size=3,
)


@given(like_records)
def test_whatever_else_a_chunk_holds_is_refused_and_nothing_else_happens(content):
    packed = msgspec.msgpack.encode(content)
    with pytest.raises((InvalidArchive, msgspec.MsgspecError)):
        check(records=msgspec.msgpack.decode(packed, type=list[Record]))


def write(path, opener, facts, chunks, said=FACTS_):
    private = new_signing_key()
    with path.open("wb") as file:
        writer = Writer(file, opener)
        writer.add(FACTS, facts)
        for chunk in chunks:
            writer.add(RECORDS, chunk)
        writer.finish(private, told(said))
    return public_of(private)


@pytest.mark.parametrize(
    ("facts", "chunks"),
    [
        (b"{}", []),
        (b"not JSON", []),
        (msgspec.json.encode({**msgspec.to_builtins(FACTS_), "later": 1}), []),
        (msgspec.json.encode(FACTS_), []),
        (msgspec.json.encode(FACTS_), [b"not msgpack"]),
        (msgspec.json.encode(FACTS_), [msgspec.msgpack.encode([ANN, TEMPLATE]), msgspec.msgpack.encode([TEMPLATE])]),
        (msgspec.json.encode(FACTS_), [msgspec.msgpack.encode([ANN, ["t", 1, 2, 3, 4, 5, 6, 7, 8, 9]])]),
        (msgspec.json.encode(FACTS_), [msgspec.msgpack.encode([ANN, changed(TEMPLATE, embedding=b"x" * 16)])]),
    ],
)
@sqlite_only
def test_nothing_of_a_nonsensical_archive_is_imported(store, tmp_path, opener, facts, chunks):
    public = write(tmp_path / "a.gka", opener, facts, chunks)
    with pytest.raises(InvalidArchive, match=r"a\.gka"):
        import_gallery(store, tmp_path / "a.gka", opener, trusted=public)
    assert store.galleries() == []
    public = write(tmp_path / "a.gka", opener, msgspec.json.encode(FACTS_), [msgspec.msgpack.encode([ANN, TEMPLATE])])
    assert import_gallery(store, tmp_path / "a.gka", opener, trusted=public).templates == 1


@pytest.mark.parametrize("twice", [(ANN, TEMPLATE, ANN, TEMPLATE), (ANN, TEMPLATE, TEMPLATE)])
def test_a_subject_or_a_source_that_comes_twice_is_refused(store, tmp_path, opener, twice):
    subjects = sum(isinstance(each, SubjectRecord) for each in twice)
    # PostgreSQL takes few rows and many in different ways.
    for more in ((), [changed(TEMPLATE, source=None)] * 20):
        facts = changed(FACTS_, subjects=subjects, templates=len(twice) - subjects + len(more))
        chunks = [msgspec.msgpack.encode([*twice, *more])]
        public = write(tmp_path / "a.gka", opener, msgspec.json.encode(facts), chunks, facts)
        with pytest.raises(InvalidArchive, match="twice"):
            import_gallery(store, tmp_path / "a.gka", opener, trusted=public)
        assert store.galleries() == []
