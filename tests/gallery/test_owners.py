from collections.abc import Iterable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.owners import NOBODY, Owners, xor
from gallery.store.rows import NEVER


def column(values: Iterable[int]) -> np.ndarray:
    return np.array(list(values), np.int64)


def owners(*rows: tuple[int, int, int, int]) -> Owners:
    """Of (id, subject, mark, expires)."""
    return Owners(*(column(values) for values in zip(*rows, strict=True)))


def test_owners_forget_a_subject_with_its_last_template() -> None:
    held = owners((1, 10, 7, NEVER), (2, 10, 8, NEVER), (3, 20, 9, NEVER))
    assert held.tally(0) == (2, 3)
    held.remove(column([1, 99]))
    assert (held.tally(0), held.content) == ((2, 2), 8 ^ 9)
    held.remove(column([2, 2]))
    assert held.tally(0) == (1, 1)
    assert held.of(column([1, 2, 3, 4]), 0)[0].tolist() == [NOBODY, NOBODY, 20, NOBODY]


def test_a_subject_is_nobody_from_the_moment_it_expires_until_it_is_given_more_time() -> None:
    held = owners((1, 10, 7, 100), (2, 20, 8, NEVER))
    assert held.of(column([1, 2]), 99)[0].tolist() == [10, 20]
    assert held.of(column([1, 2]), 100)[0].tolist() == [NOBODY, 20]
    assert [held.tally(now) for now in (99, 100, 99)] == [(2, 2), (1, 1), (2, 2)]
    assert held.templates_of(column([10, 20]), 100)[1] == 1
    held.set_expiry(column([10, 77]), column([200, 1]))
    assert (held.tally(150), held.tally(200)) == ((2, 2), (1, 1))
    assert (held.templates, held.content) == (2, 7 ^ 8)


def test_the_templates_of_some_subjects_are_found() -> None:
    held = owners((1, 10, 1, NEVER), (2, 20, 1, NEVER), (5, 10, 1, NEVER), (6, 30, 1, NEVER))
    ids, subjects = held.templates_of(column([10, 30, 40, 10]), 0)
    assert (ids.tolist(), subjects) == ([1, 5, 6], 2)


def test_what_is_added_has_its_owner_whatever_the_order_of_keys() -> None:
    held = Owners.empty()
    assert held.add(column([5, 6]), column([50, 60]), column([1, 2]), column([NEVER] * 2)).all()
    assert held.add(column([7, 8]), column([40, 50]), column([3, 4]), column([NEVER] * 2)).all()
    assert [found.tolist() for found in held.of(column([5, 6, 7, 8]), 0)] == [[50, 60, 40, 50], [2, 1, 1, 2]]
    assert held.add(column([6, 9]), column([40, 60]), column([2, 5]), column([NEVER] * 2)).tolist() == [False, True]
    assert held.of(column([5, 6, 9]), 0)[0].tolist() == [50, 40, 60]
    assert (held.templates, held.content, held.tally(0)) == (5, 1 ^ 2 ^ 3 ^ 4 ^ 5, (3, 5))


def test_a_million_templates_of_a_quarter_million_subjects_take_at_most_forty_bytes_each() -> None:
    count = 100_000
    ids = np.arange(count)
    held = Owners(ids, ids // 4, ids, np.full(count, NEVER))
    assert held.memory_bytes <= 40 * count
    held.add(ids + count, (ids + count) // 4, ids, np.full(count, NEVER))
    assert held.memory_bytes <= 40 * held.templates


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 6), min_size=1, max_size=400), st.integers(0, 60)),
        st.tuples(st.just("remove"), st.lists(st.integers(0, 1500), max_size=300), st.just(0)),
        st.tuples(st.just("expiry"), st.lists(st.integers(0, 8), max_size=4), st.integers(0, 60)),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(steps=steps, seed=st.integers(0, 2**32 - 1))
def test_owners_are_those_of_a_dictionary(steps: list[tuple[str, list[int], int]], seed: int) -> None:
    rng, held, following = np.random.default_rng(seed), Owners.empty(), 0
    truth: dict[int, tuple[int, int]] = {}
    until: dict[int, int] = {}
    for verb, numbers, moment in steps:
        given_ = column(numbers)
        if verb == "add":
            ids = following + np.arange(len(given_))
            following += len(given_)
            marks = rng.integers(-(2**63), 2**63, len(given_))
            held.add(ids, given_, marks, np.full(len(given_), moment))
            truth |= {i: (s, m) for i, s, m in zip(ids.tolist(), numbers, marks.tolist(), strict=True)}
            until |= dict.fromkeys(numbers, moment)
        elif verb == "remove":
            held.remove(given_)
            truth = {key: value for key, value in truth.items() if key not in numbers}
        else:
            held.set_expiry(given_, np.full(len(given_), moment))
            until |= {key: moment for key in numbers if key in {subject for subject, _ in truth.values()}}
        for now in (0, 30, 60):
            named = {key: subject for key, (subject, _) in truth.items() if until[subject] > now}
            asked = np.arange(following + 3).reshape(-1, 1)
            found, counts = held.of(asked, now)
            assert found[:, 0].tolist() == [named.get(key, NOBODY) for key in range(following + 3)]
            assert {s: c for s, c in zip(found.ravel().tolist(), counts.ravel().tolist(), strict=True) if c} == {
                subject: list(named.values()).count(subject) for subject in named.values()
            }
            assert held.tally(now) == (len(set(named.values())), len(named))
    assert held.templates == len(truth)
    assert held.content == xor(column([mark for _, mark in truth.values()]))
    ids, subjects, marks, _ = held.rows()
    assert list(zip(ids.tolist(), subjects.tolist(), marks.tolist(), strict=True)) == [
        (key, *truth[key]) for key in sorted(truth)
    ]
