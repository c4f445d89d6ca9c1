"""Random operations on a library against a plain dictionary: erasing one id changes no other answer.

    PYTHONPATH=. python -P -m tests.gallery.long_erasure --operations 100000

Each operation enrolls, erases a template or a subject, ends or extends a consent, holds or releases, or renames. After
each, some probes are searched for, and every answer must be the dictionary's: all subjects, in order, with their best
templates and scores. Whenever something is erased, some probes are searched for before and after it as well, and but
for what was erased the two answers must be equal to the last bit. From time to time the library is opened again.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from gallery.index import IndexPolicy
from gallery.library import Library
from gallery.store import open_store
from gallery.store.managing import rename_subject
from gallery.template import Candidate, Consent, NewTemplate, now
from model.clips import unit_length
from model.sequence import Floats
from tests.gallery.plain import PlainGallery

BUNDLE = "b" * 64
DIM = 16
SUBJECTS = 60
TEMPLATES = 250
REOPEN_EVERY = 5000
SHARES = {"enroll": 0.42, "erase_template": 0.28, "erase_subject": 0.08, "consent": 0.08, "hold": 0.06, "rename": 0.08}


def vectors(count: int, seed: int) -> Floats:
    """Random embeddings (count, DIM)."""
    return unit_length(np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32))


@dataclass
class Run:
    """A library in `directory` that must answer as `truth` does."""

    directory: Path
    policy: IndexPolicy
    seed: int = 0
    truth: PlainGallery = field(default_factory=PlainGallery)
    done: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.library = Library(open_store(self.directory), policy=self.policy)
        self.library.create("staff", fingerprint=BUNDLE, dim=DIM)
        # Few enough that some templates and probes are equal.
        self.vectors = vectors(400, self.seed)

    def step(self) -> None:
        """One random operation, and the answers after it."""
        verbs = list(SHARES)
        verb = verbs[int(self.rng.choice(len(verbs), p=list(SHARES.values())))]
        full = sum(len(held.templates) for held in self.truth.subjects.values()) >= TEMPLATES
        if not self.truth.subjects or (verb == "enroll" and not full):
            verb = "enroll"
        elif verb == "enroll":
            verb = "erase_template"
        getattr(self, f"_{verb}")()
        self.done[verb] += 1
        if sum(self.done.values()) % REOPEN_EVERY == 0:
            self.library.close()
            self.library = Library(open_store(self.directory), policy=self.policy)
        self.check()

    def check(self, probes: int = 2) -> None:
        """Compare the whole answers for some probes with the dictionary's."""
        if not self.truth.named():
            return
        asked = self._some(probes)
        for probe, found in zip(asked, self._answers(asked), strict=True):
            expected = [Candidate(name, score, template) for name, template, score in self.truth.ranked(probe)]
            assert [(one.subject, one.template) for one in found] == [(one.subject, one.template) for one in expected]
            assert all(abs(a.score - b.score) < 1e-12 for a, b in zip(found, expected, strict=True))
            self.done["answers compared with the dictionary"] += 1

    def _some(self, count: int) -> Floats:
        return self.vectors[self.rng.integers(0, len(self.vectors), count)]

    def _answers(self, probes: Floats) -> list[tuple[Candidate, ...]]:
        return [one.candidates for one in self.library.identify("staff", probes, fingerprint=BUNDLE, top_k=SUBJECTS)]

    def _subject(self) -> str:
        return str(self.rng.choice(sorted(self.truth.subjects)))

    def _enroll(self) -> None:
        name, rows = f"s{self.rng.integers(SUBJECTS):02}", self._some(int(self.rng.integers(1, 4)))
        if name in self.truth.subjects.keys() - self.truth.named():
            return  # whose consent has ended gets no more templates
        added = self.library.enroll("staff", [NewTemplate(name, row) for row in rows], fingerprint=BUNDLE)
        for row, one in zip(rows, added, strict=True):
            assert one.template is not None
            self.truth.enroll(name, one.template, row)

    def _erase_template(self) -> None:
        name = self._subject()
        template = int(self.rng.choice(sorted(self.truth.subjects[name].templates)))
        if self._release(name):
            # Of its subject only: its answer may be of its next template, that of all others may not change.
            self._erasing({name}, lambda: self.library.erase_template("staff", template))
            self.truth.erase_template(name, template)

    def _erase_subject(self) -> None:
        name = self._subject()
        if self._release(name):
            self._erasing({name}, lambda: self.library.erase_subject("staff", name))
            del self.truth.subjects[name]

    def _release(self, name: str) -> bool:
        """A subject that is held must not be erased; False if it is."""
        return not self.truth.subjects[name].hold

    def _erasing(self, of: set[str], erase: Callable[[], object]) -> None:
        """Erase, and hold the answers from before against those from after."""
        probes = self._some(2)
        before = self._answers(probes) if self.truth.named() else []
        erase()
        if self.truth.named() - of:
            for old, new in zip(before, self._answers(probes), strict=True):
                assert [one for one in old if one.subject not in of] == [one for one in new if one.subject not in of]
                self.done["answers compared before and after an erasure"] += 1

    def _consent(self) -> None:
        name, expired = self._subject(), bool(self.rng.random() < 0.5)
        consent = Consent(expires=now() + timedelta(days=-1 if expired else 1))
        self.library.store.update_subject("staff", name, consent=consent)
        self.truth.subjects[name].expired = expired

    def _hold(self) -> None:
        name, hold = self._subject(), bool(self.rng.random() < 0.3)
        self.library.store.update_subject("staff", name, hold="a dispute" if hold else None)
        self.truth.subjects[name].hold = hold

    def _rename(self) -> None:
        name, new = self._subject(), f"s{self.rng.integers(SUBJECTS):02}"
        if new not in self.truth.subjects:
            rename_subject(self.library.store, "staff", name, new)
            self.truth.subjects[new] = self.truth.subjects.pop(name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--kind", choices=("flat", "auto"), default="auto")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gallery-") as directory:
        run = Run(Path(directory), IndexPolicy(options.kind), options.seed)
        for number in range(1, options.operations + 1):
            run.step()
            if number % 10_000 == 0:
                print(f"{number} operations, {time.monotonic() - start:.0f} s", flush=True)
        assert run.library.views.rebuilt == 0
        assert run.library.store.check() == []
        run.library.close()
    print(f"{options.operations} random operations, no answer differs ({options.kind} index, seed {options.seed}):")
    for what, count in sorted(run.done.items()):
        print(f"  {what.replace('_', ' '):48} {count}")


if __name__ == "__main__":
    main()
