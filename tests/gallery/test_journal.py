"""The journal by itself: what is in it after any way of being killed, and what is refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.journal import FILE, Journal
from model.errors import InvalidArchive

STORE = "3a2c0b1e-0000-4000-8000-000000000001"
FIELDS = {"subject_id": 7, "templates": [1, 2, 3]}


def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, STORE)


def erase(into: Journal, *names: str, known: Callable[[str], bool] = lambda name: True) -> None:
    for name in names:
        into.add(name, FIELDS, known)
        into.confirm(name)


def ids(of: Journal) -> list[str]:
    return [line.id for line in of.lines()]


def test_a_journal_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert ids(journal(tmp_path)) == []
    assert journal(tmp_path).last() is None
    journal(tmp_path).settle(lambda name: True)
    assert not (tmp_path / FILE).exists()


def test_lines_come_back_in_their_order_with_their_fields(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one", "two", "three")
    found = list(journal(tmp_path).lines())
    assert [(line.id, line.number, line.done) for line in found] == [
        ("one", 1, True),
        ("two", 2, True),
        ("three", 3, True),
    ]
    assert found[0].fields == FIELDS
    assert journal(tmp_path).last() == found[2]


def test_only_this_user_may_read_it(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one")
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_line_whose_transaction_committed_is_settled_by_the_next_writer(tmp_path: Path) -> None:
    journal(tmp_path).add("killed before it could confirm", FIELDS, lambda name: False)
    assert [line.done for line in journal(tmp_path).lines()] == [False]
    erase(journal(tmp_path), "next")
    assert [(line.id, line.done) for line in journal(tmp_path).lines()] == [
        ("killed before it could confirm", True),
        ("next", True),
    ]


def test_a_line_whose_transaction_failed_is_removed_by_the_next_writer(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one")
    journal(tmp_path).add("failed", FIELDS, lambda name: True)
    erase(journal(tmp_path), "two", known=lambda name: name != "failed")
    assert [(line.id, line.number) for line in journal(tmp_path).lines()] == [("one", 1), ("two", 2)]


def test_settling_alone_removes_or_marks_the_last_line(tmp_path: Path) -> None:
    journal(tmp_path).add("one", FIELDS, lambda name: False)
    journal(tmp_path).settle(lambda name: True)
    journal(tmp_path).add("two", FIELDS, lambda name: False)
    journal(tmp_path).settle(lambda name: False)
    assert [(line.id, line.done) for line in journal(tmp_path).lines()] == [("one", True)]


def test_the_lines_of_one_transaction_stay_open_until_it_ends(tmp_path: Path) -> None:
    erase(journal(tmp_path), "before")
    for name in ("one", "two", "three"):
        journal(tmp_path).add(name, FIELDS, lambda asked: None)
    assert [line.done for line in journal(tmp_path).lines()] == [True, False, False, False]
    journal(tmp_path).confirm("one")
    journal(tmp_path).settle(lambda asked: True)
    assert [line.done for line in journal(tmp_path).lines()] == [True] * 4


def test_the_lines_of_a_transaction_that_failed_go_together(tmp_path: Path) -> None:
    erase(journal(tmp_path), "before")
    for name in ("one", "two", "three"):
        journal(tmp_path).add(name, FIELDS, lambda asked: None)
    erase(journal(tmp_path), "next", known=lambda asked: False)
    assert [(line.id, line.number) for line in journal(tmp_path).lines()] == [("before", 1), ("next", 2)]


def test_confirming_what_another_process_settled_changes_nothing(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one", "two")
    before = (tmp_path / FILE).read_bytes()
    journal(tmp_path).confirm("one")
    assert (tmp_path / FILE).read_bytes() == before


@given(cut=st.integers(1, 10_000), after=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_line_cut_off_in_writing_is_no_line(tmp_path_factory: pytest.TempPathFactory, cut: int, after: int) -> None:
    directory = tmp_path_factory.mktemp("journal")
    erase(journal(directory), *(f"whole {n}" for n in range(after)))
    whole = (directory / FILE).read_bytes() if after else b""
    erase(journal(directory), "torn")
    full = (directory / FILE).read_bytes()
    (directory / FILE).write_bytes(full[: max(len(whole), len(full) - cut)])
    assert ids(journal(directory)) == [f"whole {n}" for n in range(after)]
    erase(journal(directory), "next")
    assert ids(journal(directory)) == [*(f"whole {n}" for n in range(after)), "next"]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory whose journal has three lines."""
    directory = tmp_path_factory.mktemp("three")
    erase(journal(directory), "one", "two", "three")
    return directory


@given(place=st.integers(0, 10_000), to=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_no_changed_byte_passes_as_another_erasure(three: Path, place: int, to: int) -> None:
    whole = (three / FILE).read_bytes()
    was = list(journal(three).lines())
    changed = bytearray(whole)
    changed[place % len(changed)] = to
    (three / FILE).write_bytes(changed)
    # What is read all the same is what it was, or ends before a last line that looks as if it were being written.
    with suppress(InvalidArchive):
        assert list(journal(three).lines()) in (was, was[:2])
    (three / FILE).write_bytes(whole)


def test_removed_and_repeated_lines_are_found(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one", "two", "three")
    lines = (tmp_path / FILE).read_bytes().splitlines(keepends=True)
    for wrong in ([lines[0], lines[2]], [lines[0], lines[0], lines[1]], [lines[1], lines[0], lines[2]]):
        (tmp_path / FILE).write_bytes(b"".join(wrong))
        with pytest.raises(InvalidArchive, match="lines were removed or put in"):
            ids(journal(tmp_path))


def test_the_journal_of_another_store_is_refused(tmp_path: Path) -> None:
    erase(journal(tmp_path), "one")
    other = Journal(tmp_path, STORE.replace("3a2c", "ffff"))
    for read in (other.last, lambda: list(other.lines()), lambda: other.add("two", FIELDS, lambda name: True)):
        with pytest.raises(InvalidArchive, match="another store"):
            read()


@pytest.mark.parametrize(
    "content", [b"{}\n", b"[1]\n", b"\x00\xff\n", b'"text"\n', b'{"state":"done"}\n', b"[" * 9999 + b"\n"]
)
def test_what_is_no_journal_is_refused_with_advice(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(InvalidArchive, match="damaged; it says who must be erased again"):
        ids(journal(tmp_path))


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    later = Journal(tmp_path, STORE)
    later.add("one", {**FIELDS}, lambda name: True)
    raw = (tmp_path / FILE).read_bytes()
    body = json.loads(raw)
    del body["state"], body["check"]
    from gallery.journal import _check, _compact

    body["version"] = 2
    (tmp_path / FILE).write_bytes(b'{"state":"done",' + _compact({**body, "check": _check(body)})[1:] + b"\n")
    with pytest.raises(InvalidArchive, match="version 2; known is 1"):
        ids(journal(tmp_path))


def test_long_lines_are_found_from_the_end_too(tmp_path: Path) -> None:
    long = {"templates": list(range(100_000))}
    for name in ("one", "two"):
        journal(tmp_path).add(name, long, lambda asked: True)
        journal(tmp_path).confirm(name)
    last = journal(tmp_path).last()
    assert last is not None
    assert (last.id, last.number, last.fields) == ("two", 2, long)
