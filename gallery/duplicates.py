"""Whoever is to be enrolled may be there already under another id: one batched search says so.

A new subject with a template that reaches the gallery's threshold for somebody else, enrolled or earlier in the same
batch, is one whom `identify` would take for that other. It is refused (`DuplicateSubject`) or noted. Subjects that are
there already are not held up: whose their templates are was decided when they were enrolled. Two processes that enroll
one person at the same moment under two ids are not stopped here; `gallery doctor` finds them.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gallery.calibration import Calibration
from gallery.decide import rule_for
from gallery.library import Library
from gallery.store.managing import subjects_there
from gallery.template import NewTemplate
from model.errors import DuplicateSubject, EmptyGallery, InvalidRequest

NOT_CHECKED = "duplicates are not looked for: this gallery has no calibration of its own (`gaitkeeper calibrate`)"

_NOBODY = (-1.0, "")


class Duplicates(StrEnum):
    """What is done about a new subject who looks like another: refuse it, say so, or do not look."""

    CHECK = "check"
    NOTE = "note"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Likeness:
    """`subject` looks like `candidate`: a cosine of `score`, at least the `threshold` for a false-positive
    identification rate of `fpir` (None where the threshold was not measured)."""

    subject: str
    candidate: str
    score: float
    threshold: float
    fpir: float | None

    @property
    def error(self) -> DuplicateSubject:
        return DuplicateSubject(self.subject, self.candidate, self.score)

    def __str__(self) -> str:
        rate = "" if self.fpir is None else f" for a false-positive rate of {self.fpir:.3g}"
        return f"looks like {self.candidate!r} (score {self.score:.3f}, threshold {self.threshold:.3f}{rate})"


class Screen:
    """Looks for duplicates among what one run enrolls; batches come in their order.

    mode: None is `check` where the gallery has a calibration of its own and `off` elsewhere, since a prior was measured
    on other people. fpir: of the threshold; default the calibration's target. `note` says why nothing is looked for.
    Raises `UnknownGallery`.
    """

    def __init__(
        self,
        library: Library,
        gallery: str,
        *,
        fingerprint: str,
        mode: Duplicates | None = None,
        fpir: float | None = None,
    ) -> None:
        self._library, self._gallery, self._fingerprint, self._fpir = library, gallery, fingerprint, fpir
        own = library.store.calibration(gallery)
        self._own = None if own is None else Calibration.from_json(dict(own))
        self.mode = mode or (Duplicates.OFF if self._own is None else Duplicates.CHECK)
        self.note = NOT_CHECKED if mode is None and self._own is None else None
        self._refused: dict[str, Likeness] = {}

    @property
    def refuses(self) -> bool:
        """Whether a likeness is a refusal, and not a note."""
        return self.mode is Duplicates.CHECK

    def likenesses(self, new: Sequence[NewTemplate]) -> list[Likeness | None]:
        """For each template, whom its subject looks like. With `check`, one likeness refuses all that the run brings
        of that subject: half a person is not enrolled. Raises what `Library.identify` raises, and `InvalidRequest`
        where nothing says which score is too high."""
        if self.mode is Duplicates.OFF or not new:
            return [None] * len(new)
        names = {item.subject for item in new}
        fresh = names - subjects_there(self._library.store, self._gallery, sorted(names)) - self._refused.keys()
        found = self._look(new, fresh) if fresh else {}
        if self.mode is Duplicates.CHECK:
            self._refused |= found
            found = self._refused
        return [found.get(item.subject) for item in new]

    def _look(self, new: Sequence[NewTemplate], fresh: Set[str]) -> dict[str, Likeness]:
        batch = _Batch.of(new, fresh, self._refused.keys())
        enrolled, threshold, fpir = self._enrolled(batch.rows[batch.asked])
        if threshold is None:
            return {}
        found: dict[str, Likeness] = {}
        # In their order: who was refused is nobody that those behind could be a duplicate of.
        for number in np.flatnonzero(batch.fresh).tolist():
            best = max(batch.nearest(number), *(enrolled[i] for i in batch.places_of(number)))
            if best[0] >= threshold:
                name = batch.names[number]
                found[name] = Likeness(name, best[1], min(best[0], 1.0), threshold, fpir)
                batch.open[number] = self.mode is not Duplicates.CHECK
        return found

    def _enrolled(self, rows: NDArray[np.float64]) -> tuple[list[tuple[float, str]], float | None, float | None]:
        """Who of the gallery is nearest to each row, and the threshold."""
        try:
            decisions = self._library.identify(
                self._gallery, rows.astype(np.float32), fingerprint=self._fingerprint, top_k=1, fpir=self._fpir
            )
        except EmptyGallery:
            rule = rule_for(self._own, "gallery", 1, 1, self._fpir)
            return [_NOBODY] * len(rows), rule.threshold, rule.fpir
        if decisions[0].threshold is None:
            raise InvalidRequest(
                "duplicates", "nothing says which score is too high for two people; calibrate the gallery first"
            )
        best = [max(((c.score, c.subject) for c in each.candidates), default=_NOBODY) for each in decisions]
        return best, decisions[0].threshold, decisions[0].fpir


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """names: subjects by first appearance. rows: (n, dim) embeddings; owner: (n,) whose each is, a place in names;
    asked: (m,) rows of new subjects, scores: (m, n) theirs with all. fresh, open: (names,) who is new, and who can be
    somebody's double."""

    names: list[str]
    rows: NDArray[np.float64]
    owner: NDArray[np.int64]
    fresh: NDArray[np.bool_]
    open: NDArray[np.bool_]
    asked: NDArray[np.int64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, new: Sequence[NewTemplate], fresh: Set[str], refused: Set[str]) -> "_Batch":
        place = {name: i for i, name in enumerate(dict.fromkeys(item.subject for item in new))}
        rows = np.stack([item.embedding for item in new]).astype(np.float64)
        owner = np.array([place[item.subject] for item in new], np.int64)
        is_fresh = np.array([name in fresh for name in place])
        is_open = np.array([name not in refused for name in place])
        asked = np.flatnonzero(is_fresh[owner]).astype(np.int64)
        return cls(list(place), rows, owner, is_fresh, is_open, asked, rows[asked] @ rows.T)

    def places_of(self, number: int) -> list[int]:
        """Where the templates of a new subject are among those asked for."""
        found: list[int] = np.flatnonzero(self.owner[self.asked] == number).tolist()
        return found

    def nearest(self, number: int) -> tuple[float, str]:
        """Who of the batch is most like a new subject: one that is there already, or comes before it."""
        others = np.arange(len(self.names))
        may = self.open & (others != number) & (~self.fresh | (others < number))
        columns = np.flatnonzero(may[self.owner])
        if not len(columns):
            return _NOBODY
        near = self.scores[self.places_of(number)][:, columns].max(axis=0)
        best = int(near.argmax())
        return float(near[best]), self.names[int(self.owner[columns[best]])]
