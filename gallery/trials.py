"""Everybody against everybody: the scores of every probe with everybody's templates, each left out of his own.

This is what a calibration is measured on: a probe is a stranger to everybody but its own subject, and a mate to its
own subject's templates of other sessions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from gallery.metrics import Names, Numbers, Reals
from model.errors import InvalidDataSet
from model.sequence import Floats

NEVER = np.float32(-2)
"""Below any cosine: the place of a probe's own subject among those to whom it is a stranger."""
LEAST_PEOPLE = 3
PEOPLE_LIMIT = 20_000
CELLS = 40_000_000
BLOCK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Embeddings (n, dim) of unit length, whose each is (n,) and of which session (n,), both counted from 0."""

    embeddings: Floats
    subject: Numbers
    session: Numbers
    people: int

    @classmethod
    def of(
        cls, embeddings: Floats, subjects: Sequence[str] | Names, sessions: Sequence[str] | Names | None = None
    ) -> Self:
        """sessions: which are of one recording (the views of one walk); default each of its own.

        Raises `InvalidDataSet` for arrays of different lengths and for fewer than three people.
        """
        names, subject = np.unique(np.asarray(subjects), return_inverse=True)
        if len(subject) != len(embeddings) or (sessions is not None and len(sessions) != len(embeddings)):
            raise InvalidDataSet("calibration", "embeddings, subjects and sessions must be equally many")
        if len(names) < LEAST_PEOPLE:
            raise InvalidDataSet("calibration", f"subjects: {len(names)}; at least 3 are needed to have strangers")
        own = np.arange(len(subject)) if sessions is None else np.unique(np.asarray(sessions), return_inverse=True)[1]
        return cls(np.ascontiguousarray(embeddings, np.float32), subject.astype(np.int64), own, len(names))

    @property
    def searches(self) -> int:
        """Recordings: what several cameras saw of one walk is one search."""
        return len(np.unique(np.stack([self.subject, self.session]), axis=1).T)

    def members(self) -> list[Numbers]:
        """Rows of each subject."""
        order = np.argsort(self.subject, kind="stable")
        return np.split(order, np.searchsorted(self.subject[order], np.arange(1, self.people)))


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Probes against galleries of everybody.

    others: (probes, people) scores, `NEVER` for the probe's own subject. own: (probes,) score with its own subject's
    templates of other sessions, NaN where there is none. ahead: (probes,) others who score as high as that, or higher.
    probe: (probes,) row of the data; subject: (probes,) whose it is.
    """

    others: Floats
    own: Reals
    ahead: Numbers
    probe: Numbers
    subject: Numbers

    @property
    def people(self) -> int:
        return int(self.others.shape[1])

    @classmethod
    def of(cls, data: Labelled, templates: Numbers, probes: Numbers, best: int = 1) -> Self:
        """Rows `probes` of the data in a gallery of the rows `templates`; a subject's score is the mean of `best`."""
        rows = templates[np.argsort(data.subject[templates], kind="stable")]
        others = _scores(data, rows, probes, best)
        own = _own(data, rows, probes, best)
        others[np.arange(len(probes)), data.subject[probes]] = NEVER
        ahead = (others >= own[:, None]).sum(axis=1)  # none where own is NaN
        return cls(others, own, ahead, probes, data.subject[probes])

    @classmethod
    def joined(cls, parts: Sequence["Trials"]) -> Self:
        """Trials with different templates of the same people, as one."""
        return cls(
            np.concatenate([part.others for part in parts]),
            np.concatenate([part.own for part in parts]),
            np.concatenate([part.ahead for part in parts]),
            np.concatenate([part.probe for part in parts]),
            np.concatenate([part.subject for part in parts]),
        )


def mean_of_best(scores: Floats, best: int) -> Floats:
    """Over the last axis, the mean of the `best` highest or of as many as there are.

    >>> mean_of_best(np.array([[0.25, 0.75, 0.5]]), 2).tolist()
    [0.625]
    """
    if best == 1:
        return np.asarray(scores.max(axis=-1))
    count = min(best, scores.shape[-1])
    return np.asarray(np.partition(scores, -count, axis=-1)[..., -count:].mean(axis=-1))


def _scores(data: Labelled, rows: Numbers, probes: Numbers, best: int) -> Floats:
    """Scores (probes, people); rows are ordered by subject."""
    owner, gallery = data.subject[rows], data.embeddings[rows]
    starts = np.searchsorted(owner, np.arange(data.people))
    counts = np.diff([*starts, len(rows)])
    table = np.empty((len(probes), data.people), np.float32)
    for block in _blocks(len(probes), len(rows)):
        scores = data.embeddings[probes[block]] @ gallery.T
        if best == 1:
            table[block] = np.maximum.reduceat(scores, starts, axis=1)
            continue
        for count in np.unique(counts):
            alike = np.flatnonzero(counts == count)
            table[block, alike] = mean_of_best(scores[:, starts[alike][:, None] + np.arange(count)], best)
    return table


def _blocks(probes: int, templates: int) -> Iterator[slice]:
    size = max(1, BLOCK_CELLS // max(templates, 1))
    for start in range(0, probes, size):
        yield slice(start, start + size)


def _own(data: Labelled, rows: Numbers, probes: Numbers, best: int) -> Reals:
    """Scores (probes,) with the own subject's rows of other sessions."""
    owner = data.subject[rows]
    order = np.argsort(data.subject[probes], kind="stable")
    people = np.arange(data.people)
    ends = np.searchsorted(data.subject[probes][order], people, side="right")
    first, last = np.searchsorted(owner, people), np.searchsorted(owner, people, side="right")
    own = np.full(len(probes), np.nan)
    for person, here in enumerate(np.split(order, ends[:-1])):
        mine, theirs = probes[here], rows[first[person] : last[person]]
        scores = (data.embeddings[mine] @ data.embeddings[theirs].T).astype(np.float64)
        scores[data.session[mine][:, None] == data.session[theirs][None, :]] = -np.inf
        top = -np.sort(-scores, axis=1)[:, :best]
        there = np.isfinite(top)
        total = np.where(there, top, 0.0).sum(axis=1)
        own[here] = np.divide(total, there.sum(axis=1), out=np.full(len(here), np.nan), where=there.any(axis=1))
    return own
