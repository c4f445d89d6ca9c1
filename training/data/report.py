"""What a loader found, what it left out and why, and whether that is what the data set's makers say there is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from model.readers.source import printable
from training.data.action_set import ActionSet

EXAMPLES = 3
"""Names shown of what was left out for one reason."""


@dataclass(frozen=True)
class Report:
    """counts: what there is, by name: "recordings", "frames", "subjects", "classes", "views", "of several people".

    splits: recordings of each. left_out: by reason, how many and a few of them. expected: official counts, of
    anything in `counts` or `splits`. notes: what was repaired or is worth knowing. problems: what is not as it should
    be though no count says so.
    """

    kind: str
    title: str
    source: str
    counts: Mapping[str, int]
    splits: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    expected: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def found(self, what: str) -> int:
        """How many of `what`, a key of `counts` or of `splits`."""
        return int(self.counts.get(what, self.splits.get(what, 0)))

    @property
    def differing(self) -> dict[str, tuple[int, int]]:
        """What differs from the official counts, as (found, expected)."""
        return {key: (self.found(key), n) for key, n in self.expected.items() if self.found(key) != n}

    @property
    def as_expected(self) -> bool:
        return not self.differing and not self.problems

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "title": self.title,
            "source": self.source,
            "as_expected": self.as_expected,
            "counts": dict(self.counts),
            "splits": dict(self.splits),
            "left_out": {reason: {"count": n, "examples": list(names)} for reason, (n, names) in self.left_out.items()},
            "expected": {
                key: {"expected": n, "found": self.found(key), "agrees": n == self.found(key)}
                for key, n in self.expected.items()
            },
            "notes": list(self.notes),
            "problems": list(self.problems),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; raises KeyError, TypeError or ValueError for anything else."""
        return cls(
            kind=str(saved["kind"]),
            title=str(saved["title"]),
            source=str(saved["source"]),
            counts={str(key): int(n) for key, n in saved["counts"].items()},
            splits={str(key): int(n) for key, n in saved["splits"].items()},
            left_out={str(k): (int(v["count"]), tuple(map(str, v["examples"]))) for k, v in saved["left_out"].items()},
            expected={str(key): int(value["expected"]) for key, value in saved["expected"].items()},
            notes=tuple(map(str, saved["notes"])),
            problems=tuple(map(str, saved["problems"])),
        )

    def lines(self) -> Iterable[str]:
        """The report as text, a line each, fit for a terminal whatever the files are called."""
        return map(printable, self._lines())

    def _lines(self) -> Iterable[str]:
        yield f"{self.source}: {self.title} ({self.kind})"
        for key, n in (*self.counts.items(), *((f"split {k}", v) for k, v in self.splits.items())):
            yield f"  {key:<24} {n:>10,}{self._verdict(key.removeprefix('split '))}"
        for key in self.expected.keys() - self.counts.keys() - self.splits.keys():
            yield f"  {key:<24} {'none':>10}{self._verdict(key)}"
        for reason, (n, names) in self.left_out.items():
            shown = ", ".join(names) + (", ..." if n > len(names) else "")
            yield f"  left out {n:,}: {reason} ({shown})"
        yield from (f"  note: {note}" for note in self.notes)
        yield from (f"  problem: {problem}" for problem in self.problems)
        yield "  as expected" if self.as_expected else "  not as expected"

    def _verdict(self, key: str) -> str:
        if key not in self.expected:
            return ""
        expected = self.expected[key]
        return "  ok" if expected == self.found(key) else f"  expected {expected:,} ({self.found(key) - expected:+,})"


def counts_of(data: ActionSet) -> dict[str, int]:
    """What there is in a set; labels that it does not have are not counted."""
    out = {"recordings": len(data), "frames": int(data.lengths.sum())}
    for what, values in (("subjects", data.subject), ("views", data.view)):
        if known := len(np.unique(values[values != ""])):
            out[what] = known
    if classes := len(np.unique(data.class_labels[data.class_labels >= 0])):
        out["classes"] = classes
    if several := int((data.people > 1).sum()):
        out["of several people"] = several
    return out


class LeftOutCounter:
    """Counts what is left out by reason, and keeps a few names."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._names: dict[str, list[str]] = {}

    def add(self, name: str, reason: str) -> None:
        self._count[reason] += 1
        names = self._names.setdefault(reason, [])
        if len(names) < EXAMPLES:
            names.append(name)

    def result(self) -> dict[str, tuple[int, tuple[str, ...]]]:
        return {reason: (n, tuple(self._names[reason])) for reason, n in self._count.items()}
