"""Whose each template is, and until when: arrays beside the index, so that a million templates take 30 bytes each."""

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gallery.index import Ids
from gallery.store.rows import NEVER

NOBODY = -1
GROWTH = 1.2
# Rows of removed templates are let be until they are this share of all.
REMOVED_SHARE = 8
FEW = 1024


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Rows [0, templates) and [0, subjects) are published, by rising id and rising key; those behind are the writer's.

    owner: of a template, its subject's key, or NOBODY once it is removed. held: templates of a subject.
    """

    ids: Ids
    owner: Ids
    marks: Ids
    templates: int
    keys: Ids
    expires: Ids
    held: Ids
    subjects: int

    def places(self, ids: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        return _places(self.ids[: self.templates], ids)

    def subject_places(self, keys: Ids) -> tuple[Ids, NDArray[np.bool_]]:
        return _places(self.keys[: self.subjects], keys)


class Owners:
    """One thread writes, any number read meanwhile: what they read was true a moment ago, and is read from the store
    again before anybody is named."""

    def __init__(self, ids: Ids, subjects: Ids, marks: Ids, expires: Ids) -> None:
        """Of each template (n,): its id (distinct), its subject's key, the mark of its content, and the moment from
        which its subject is not to be named (`NEVER` if there is none)."""
        self._writing = threading.Lock()
        self._state = _made(ids, subjects, marks, expires)
        self.templates, self.subjects = len(ids), self._state.subjects
        self.content = xor(marks)
        self._version = 0
        self._soonest = 0  # no subject expires before
        self._tally = (-1, 0, 0, 0, 0)

    @classmethod
    def empty(cls) -> "Owners":
        none = np.empty(0, np.int64)
        return cls(none, none, none, none)

    @property
    def memory_bytes(self) -> int:
        state = self._state
        arrays = (state.ids, state.owner, state.marks, state.keys, state.expires, state.held)
        return sum(array.nbytes for array in arrays)

    def add(self, ids: Ids, subjects: Ids, marks: Ids, expires: Ids) -> NDArray[np.bool_]:
        """Add templates; those that are there already get this owner. Returns which of them (n,) are new."""
        with self._writing:
            places, known = self._state.places(ids)
            known[known] = self._state.owner[places[known]] != NOBODY
            self._remove(ids[known])
            self._append(ids, subjects, marks, expires)
            self._version += 1
            return ~known

    def remove(self, ids: Ids) -> None:
        """Remove these templates; those that are not there are passed by."""
        with self._writing:
            self._remove(ids)
            self._version += 1

    def set_expiry(self, subjects: Ids, expires: Ids) -> None:
        """Let subjects (n,) be named until other moments (n,); those that are not there are passed by."""
        with self._writing:
            places, known = self._state.subject_places(subjects)
            self._state.expires[places[known]] = expires[known]
            self._soonest = min(self._soonest, *expires.tolist()) if len(expires) else self._soonest
            self._version += 1

    def of(self, ids: Ids, now: int) -> tuple[Ids, Ids]:
        """Subject of each id, `NOBODY` for those removed or expired, and how many templates it has; shaped as `ids`."""
        state = self._state
        if not state.templates or not state.subjects:
            return np.full(ids.shape, NOBODY, np.int64), np.zeros(ids.shape, np.int64)
        places, known = state.places(ids)
        owners = np.where(known, state.owner[places], NOBODY)
        at, there = state.subject_places(owners)
        named = there & (state.expires[at] > now)
        return np.where(named, owners, NOBODY), np.where(named, state.held[at], 0)

    def tally(self, now: int) -> tuple[int, int]:
        """How many subjects may be named now, and how many templates they have."""
        if now < self._soonest:
            return self.subjects, self.templates
        version, since, until, subjects, templates = self._tally
        if version != self._version or not since <= now < until:
            version, state = self._version, self._state
            held, expires = state.held[: state.subjects], state.expires[: state.subjects]
            named = (held > 0) & (expires > now)
            subjects, templates = int(np.count_nonzero(named)), int(held[named].sum())
            until = int(expires[named].min()) if subjects else NEVER
            self._tally = (version, now, until, subjects, templates)
            self._note_soonest(version, until if templates == self.templates else 0)
        return subjects, templates

    def _note_soonest(self, version: int, soonest: int) -> None:
        with self._writing:
            if version == self._version:
                self._soonest = soonest

    def templates_of(self, subjects: Ids, now: int) -> tuple[Ids, int]:
        """Ids of all templates of those among these subjects who may be named now, and how many subjects these are."""
        state = self._state
        places, known = state.subject_places(np.unique(subjects))
        places = places[known]
        keys = state.keys[places][(state.held[places] > 0) & (state.expires[places] > now)]
        return state.ids[: state.templates][np.isin(state.owner[: state.templates], keys)], len(keys)

    def rows(self) -> tuple[Ids, Ids, Ids, Ids]:
        """Copies of (ids, subjects, marks, expires) of all templates (n,), by rising id: what the constructor takes.

        No other thread may write meanwhile.
        """
        state = self._state
        there = np.flatnonzero(state.owner[: state.templates] != NOBODY)
        owner = state.owner[there]
        expires = state.expires[state.subject_places(owner)[0]] if len(owner) else owner.copy()
        return state.ids[there], owner, state.marks[there], expires

    def _append(self, ids: Ids, subjects: Ids, marks: Ids, expires: Ids) -> None:
        if not len(ids):
            return
        state = self._state
        keys, first, counts = np.unique(subjects, return_index=True, return_counts=True)
        new = ~state.subject_places(keys)[1]
        rises = _rises(ids, state.ids[: state.templates]) and _rises(keys[new], state.keys[: state.subjects])
        if rises:
            self._state = _longer(state, ids, subjects, marks, keys[new])
        else:  # a subject is back after its last template went, or a template has another owner
            rows = zip(self.rows(), (ids, subjects, marks, expires), strict=True)
            self._state = _made(*(np.concatenate(pair) for pair in rows))
        places = self._state.subject_places(keys)[0]
        self._state.expires[places] = expires[first]
        self._soonest = min(self._soonest, int(expires.min()))
        if rises:
            self._state.held[places] += counts
        self.subjects += int(np.count_nonzero(self._state.held[places] == counts))
        self.templates += len(ids)
        self.content ^= xor(marks)

    def _remove(self, ids: Ids) -> None:
        state = self._state
        places, known = state.places(np.unique(ids))
        places = places[known]
        places = places[state.owner[places] != NOBODY]
        if not len(places):
            return
        keys, counts = np.unique(state.owner[places], return_counts=True)
        state.owner[places] = NOBODY
        at = state.subject_places(keys)[0]
        state.held[at] -= counts
        self.subjects -= int(np.count_nonzero(state.held[at] == 0))
        self.templates -= len(places)
        self.content ^= xor(state.marks[places])
        if state.templates - self.templates > max(FEW, self.templates // REMOVED_SHARE):
            self._state = _made(*self.rows())


def xor(marks: Ids) -> int:
    """The exclusive or of marks (n,): of a set, in whatever order it came and went."""
    return int(np.bitwise_xor.reduce(marks)) if len(marks) else 0


def _places(rising: Ids, wanted: Ids) -> tuple[Ids, NDArray[np.bool_]]:
    """Where each wanted number is among the rising ones, and whether it is there (else the place is any valid one)."""
    places = np.searchsorted(rising, wanted)
    if not len(rising):
        return places, np.zeros(wanted.shape, np.bool_)
    np.minimum(places, len(rising) - 1, out=places)
    return places, rising[places] == wanted


def _rises(more: Ids, after: Ids) -> bool:
    return not len(more) or (bool((np.diff(more) > 0).all()) and (not len(after) or bool(more[0] > after[-1])))


def _made(ids: Ids, subjects: Ids, marks: Ids, expires: Ids) -> _State:
    order = np.argsort(ids, kind="stable")
    keys, first, held = np.unique(subjects, return_index=True, return_counts=True)
    columns = (ids[order], subjects[order], marks[order])
    return _State(*columns, len(ids), keys, expires[first], held, len(keys))


def _longer(state: _State, ids: Ids, subjects: Ids, marks: Ids, new: Ids) -> _State:
    """With these templates behind the others, and these new subjects, who hold nothing yet and are never named."""
    zeros = np.zeros_like(new)
    held = state.templates
    return _State(
        ids=_with_tail(state.ids, held, ids),
        owner=_with_tail(state.owner, held, subjects),
        marks=_with_tail(state.marks, held, marks),
        templates=held + len(ids),
        keys=_with_tail(state.keys, state.subjects, new),
        expires=_with_tail(state.expires, state.subjects, zeros),
        held=_with_tail(state.held, state.subjects, zeros),
        subjects=state.subjects + len(new),
    )


def _with_tail(column: Ids, used: int, tail: Ids) -> Ids:
    """The column with `tail` behind its `used` rows: in place where there is room, which no reader looks at yet."""
    end = used + len(tail)
    if end > len(column):
        column = np.concatenate([column[:used], np.empty(max(int(used * GROWTH), end, FEW) - used, np.int64)])
    column[used:end] = tail
    return column
