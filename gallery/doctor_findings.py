"""What the doctor looks at and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from gallery.metrics import Numbers, Reals
from gallery.store.examining import Examined
from gallery.template import Consent
from model.sequence import Floats


@dataclass(frozen=True, eq=False)
class Held:
    """A gallery as it is examined: templates by subject. names: (k,) of subjects; owner: (n,) number of each one's.

    labels, frames, created (microseconds since 1970), ids: (n,), of each template. consents: (k,).
    """

    gallery: str
    names: tuple[str, ...]
    consents: tuple[Consent, ...]
    ids: Numbers
    owner: Numbers
    embeddings: Floats
    labels: tuple[Mapping[str, str], ...]
    frames: Numbers
    created: Numbers

    @classmethod
    def of(cls, read: Examined) -> "Held":
        keys = sorted({int(key) for key in read.rows.subjects.tolist()}, key=lambda key: read.people[key].name)
        number = {key: place for place, key in enumerate(keys)}
        owner = np.array([number[key] for key in read.rows.subjects.tolist()], np.int64)
        order = np.argsort(owner, kind="stable")
        return cls(
            gallery=read.head.name,
            names=tuple(read.people[key].name for key in keys),
            consents=tuple(read.people[key].consent for key in keys),
            ids=read.rows.ids[order],
            owner=owner[order],
            embeddings=read.rows.embeddings[order],
            labels=tuple(read.labels[i] for i in order.tolist()),
            frames=read.frames[order],
            created=read.created[order],
        )

    @property
    def subjects(self) -> int:
        return len(self.names)

    @property
    def counts(self) -> Numbers:
        return np.bincount(self.owner, minlength=self.subjects).astype(np.int64)

    @property
    def starts(self) -> Numbers:
        """Where each subject's templates begin, and where the last one's end (k + 1,)."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at. kind: a machine-readable word; subjects, templates: whom and what it is about; text: in
    words; strength: how far out of the ordinary, in the unit of its check. advice: nothing is wrong, but something
    could be better."""

    kind: str
    subjects: tuple[str, ...]
    text: str
    templates: tuple[int, ...] = ()
    strength: float | None = None
    advice: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked for. looked_at: among how many of what; found: how many; note: by which bound, or why it could
    not be looked for (then `done` is false)."""

    name: str
    looked_at: str
    found: int
    note: str
    done: bool = True


@dataclass(frozen=True, eq=False)
class Scores:
    """What the pictures show. own, others: (k,) mean cosine within a subject (NaN of a single template) and with the
    others; best_own, best_other: of the templates that were searched with."""

    own: Reals
    others: Reals
    best_own: Reals
    best_other: Reals


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that was found, the most serious first within each kind."""

    gallery: str
    subjects: int
    templates: int
    made: datetime
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    scores: Scores | None = None
    animals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def serious(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.advice)

    def with_more(self, check: Check, findings: Sequence[Finding] = ()) -> "Report":
        ordered = sorted(findings, key=lambda found: -(found.strength or 0.0))
        return replace(self, checks=(*self.checks, check), findings=(*self.findings, *ordered))

    def to_json(self) -> dict[str, Any]:
        return {
            "gallery": self.gallery,
            "subjects": self.subjects,
            "templates": self.templates,
            "made": self.made,
            "healthy": not self.serious,
            "checks": list(self.checks),
            "findings": list(self.findings),
            "menagerie": {animal: list(names) for animal, names in self.animals.items()},
        }
