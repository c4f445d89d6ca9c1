"""Searches of many divided galleries: best candidate, whether it is the right one, and the mate's rank."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from gallery.metrics import NO_MATE
from model.errors import InvalidDataSet
from model.sequence import Floats
from training.data.arrays import Strings
from training.evaluate.embedding import Progress
from training.evaluate.openset_data import Walks
from training.evaluate.openset_splits import Divider, Split, enrolled_people
from training.evaluate.scoring import Reals, search
from training.protocols.cells import Integers, Mask

# Of each search: best score, rank of the mate, number of the best one's person.
Found: TypeAlias = tuple[Reals, Integers, Integers]

BLOCK = 8_000_000
SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
CHECKED = 200
SAME_SCORE = 1e-5
_JOINED = ("row", "mated", "best", "rank", "taken")


@dataclass(frozen=True, eq=False)
class Searches:
    """Every search of every division. row: (m,) embedding that searched. mated: (m,) whether its subject is enrolled.
    best: (m,) score of the best subject. rank: (m,) of the mate, `NO_MATE` for strangers; ties count against it.
    taken: (m,) number of the person whom the best score is of.

    at: size of a smaller gallery to best scores, ranks and persons (m,) in it; NaN where the mate is not in that one.
    subjects, templates: of one gallery, the mean over divisions. checked, difference: searches that were also made
    through the gallery's index, and how far their scores were off at most.
    """

    row: Integers
    mated: Mask
    best: Reals
    rank: Integers
    taken: Integers
    at: Mapping[int, Found]
    subjects: int
    templates: float
    divisions: int
    checked: int
    difference: float


def search_all(
    data: Walks, divider: Divider, *, share: float, divisions: int, seed: int, progress: Progress | None = None
) -> Searches:
    """Divide, search, repeat. progress: is told of every division. Raises `InvalidDataSet` for fewer than 3 people."""
    people = len(divider.names)
    if people < 3 or not divider.can_enroll.any():
        raise InvalidDataSet(data.name, f"{people} people; at least 3 are needed, some of whom can be enrolled")
    rng = np.random.default_rng(seed)
    sizes: tuple[int, ...] | None = None
    made: list[_Searched] = []
    for mask in enrolled_people(people, share, divisions, rng):
        split = divider.split(mask, rng)
        if not len(split.templates) or not len(split.strangers):
            continue
        if sizes is None:
            enrolled = len(np.unique(data.subject[split.templates]))
            sizes = tuple(size for size in SIZES if size < 0.75 * enrolled)
        made.append(_searched(data, divider.names, split, sizes, rng, check=not made))
        if progress:
            progress(1)
    if not any(part.mated.any() for part in made):
        raise InvalidDataSet(data.name, "nobody who is enrolled walks a second time, so there is no mated search")
    joined = {name: np.concatenate([getattr(part, name) for part in made]) for name in _JOINED}
    at = {
        size: (
            np.concatenate([p.at[size][0] for p in made]),
            np.concatenate([p.at[size][1] for p in made]),
            np.concatenate([p.at[size][2] for p in made]),
        )
        for size in sizes or ()
    }
    return Searches(
        **joined,
        at=at,
        subjects=round(float(np.mean([part.subjects for part in made]))),
        templates=float(np.mean([part.templates for part in made])),
        divisions=len(made),
        checked=made[0].checked,
        difference=made[0].difference,
    )


@dataclass(frozen=True, eq=False)
class _Searched:
    row: Integers
    mated: Mask
    best: Reals
    rank: Integers
    taken: Integers
    at: Mapping[int, Found]
    subjects: int
    templates: int
    checked: int
    difference: float


def _searched(
    data: Walks, everybody: Strings, split: Split, sizes: Sequence[int], rng: np.random.Generator, *, check: bool
) -> _Searched:
    names, starts = np.unique(data.subject[split.templates], return_index=True)  # templates come by person
    people = np.searchsorted(everybody, names)
    table = data.embeddings[split.templates]
    row = np.concatenate([split.mated, split.strangers])
    column = np.full(len(row), -1, np.int64)
    column[: len(split.mated)] = np.searchsorted(names, data.subject[split.mated])
    subsets = {size: rng.permutation(len(names))[:size] for size in sizes}
    whole, at = _empty(len(row)), {size: _empty(len(row)) for size in sizes}
    step = max(1, BLOCK // len(table))
    for start in range(0, len(row), step):
        here = slice(start, start + step)
        scores = np.maximum.reduceat(data.embeddings[row[here]] @ table.T, starts, axis=1)
        _fill(whole, here, scores, column[here], people)
        for size, subset in subsets.items():
            within = np.full(len(names), -1, np.int64)
            within[subset] = np.arange(size)
            place = np.where(column[here] >= 0, within[column[here]], -1)
            _fill(at[size], here, scores[:, subset], place, people[subset])
            at[size][0][here][(column[here] >= 0) & (place < 0)] = np.nan
    checked, difference = _checked(data, split.templates, row, whole[0], rng) if check else (0, 0.0)
    return _Searched(row, column >= 0, *whole, at, len(names), len(table), checked, difference)


def _empty(count: int) -> Found:
    return np.full(count, np.nan), np.zeros(count, np.int64), np.zeros(count, np.int64)


def _fill(found: Found, here: slice, scores: Floats, column: Integers, people: Integers) -> None:
    """Best score, rank of the mate in `column` (-1: none) and whose the best score is."""
    mate = scores[np.arange(len(scores)), np.maximum(column, 0)]
    ahead = (scores >= mate[:, None]).sum(axis=1)  # the mate itself makes it its rank
    first = scores.argmax(axis=1)
    found[0][here] = scores[np.arange(len(scores)), first]
    found[1][here] = np.where(column >= 0, ahead, NO_MATE)
    found[2][here] = people[first]


def _checked(
    data: Walks, templates: Integers, row: Integers, best: Reals, rng: np.random.Generator
) -> tuple[int, float]:
    """Some of the searches again, through the index that serves. Raises AssertionError where it does not agree."""
    some = np.sort(rng.permutation(len(row))[:CHECKED])
    enrolled = np.sort(templates)
    difference = 0.0
    for start in range(0, len(some), step := max(1, BLOCK // (4 * len(enrolled)))):
        part = some[start : start + step]
        scores, _ = search(data.embeddings, data.subject, enrolled, row[part])
        difference = max(difference, float(np.abs(scores.max(axis=1) - best[part]).max()))
    assert difference < SAME_SCORE, f"the index scores {difference} differently"
    return len(some), difference
