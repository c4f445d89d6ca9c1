"""A gallery as a plain dictionary: what every answer of a library must follow from."""

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from model.clips import unit_length
from model.sequence import Floats


@dataclass
class Held:
    """A subject: embeddings by template id, whether a hold is on it, whether its consent has ended."""

    templates: dict[int, Floats] = field(default_factory=dict)
    hold: bool = False
    expired: bool = False


@dataclass
class PlainGallery:
    subjects: dict[str, Held] = field(default_factory=dict)

    def enroll(self, subject: str, template: int, embedding: Floats) -> None:
        self.subjects.setdefault(subject, Held()).templates[template] = embedding

    def erase_template(self, subject: str, template: int) -> None:
        del self.subjects[subject].templates[template]
        if not self.subjects[subject].templates:
            del self.subjects[subject]

    def named(self) -> set[str]:
        """Who may be named: all whose consent has not ended."""
        return {name for name, held in self.subjects.items() if not held.expired}

    def ranked(self, probe: Floats, within: Collection[str] | None = None) -> list[tuple[str, int, float]]:
        """(subject, its best template, score) of all who may be named, best first."""
        exact = unit_length(probe[None])[0].astype(np.float64)
        found = []
        for name in self.named() if within is None else self.named() & set(within):
            scores = [
                (-min(1.0, float((row.astype(np.float64) * exact).sum())), template)
                for template, row in self.subjects[name].templates.items()
            ]
            score, template = min(scores)
            found.append((score, name, template))
        return [(name, template, -score) for score, name, template in sorted(found)]
