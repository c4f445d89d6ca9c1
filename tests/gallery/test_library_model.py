"""Random enrollments, erasures and searches against a plain dictionary, over two libraries on the same files."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.clips import unit_length
from model.errors import EmptyGallery, UnknownSubject
from model.sequence import Floats

BUNDLE = "b" * 64
VECTORS = unit_length(np.random.default_rng(5).standard_normal((24, 6)).astype(np.float32))
SUBJECTS = ("ann", "bob", "eve", "kim", "zoe")

subjects = st.sampled_from(SUBJECTS)
places = st.integers(0, len(VECTORS) - 1)


class LibraryAgainstDictionary(RuleBasedStateMachine):
    """`truth` is subject to {template id: embedding}; every answer must follow from it alone."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="gallery-"))
        self.libraries = [Library(open_store(self.directory)) for _ in range(2)]
        self.truth: dict[str, dict[int, Floats]] = {}

    @initialize()
    def make(self) -> None:
        self.libraries[0].create("staff", fingerprint=BUNDLE, dim=6)

    def teardown(self) -> None:
        for library in self.libraries:
            library.close()
        shutil.rmtree(self.directory)

    @rule(through=st.integers(0, 1), subject=subjects, chosen=st.lists(places, min_size=1, max_size=4))
    def enroll(self, through: int, subject: str, chosen: list[int]) -> None:
        new = [NewTemplate(subject, VECTORS[place]) for place in chosen]
        for place, added in zip(chosen, self.libraries[through].enroll("staff", new, fingerprint=BUNDLE), strict=True):
            assert added.template is not None
            self.truth.setdefault(subject, {})[added.template] = VECTORS[place]

    @rule(through=st.integers(0, 1), subject=subjects)
    def erase_subject(self, through: int, subject: str) -> None:
        if subject in self.truth:
            assert self.libraries[through].erase_subject("staff", subject) == len(self.truth.pop(subject))
        else:
            with pytest.raises(UnknownSubject):
                self.libraries[through].erase_subject("staff", subject)

    @precondition(lambda self: self.truth)
    @rule(through=st.integers(0, 1), data=st.data())
    def erase_template(self, through: int, data: st.DataObject) -> None:
        subject = data.draw(st.sampled_from(sorted(self.truth)))
        template = data.draw(st.sampled_from(sorted(self.truth[subject])))
        self.libraries[through].erase_template("staff", template)
        del self.truth[subject][template]
        if not self.truth[subject]:
            del self.truth[subject]

    @rule(through=st.integers(0, 1), asked=st.lists(places, min_size=1, max_size=6), top_k=st.integers(1, 6))
    def identify(self, through: int, asked: list[int], top_k: int) -> None:
        library = self.libraries[through]
        if not self.truth:
            with pytest.raises(EmptyGallery):
                library.identify("staff", VECTORS[asked], fingerprint=BUNDLE)
            return
        for place, decision in zip(
            asked, library.identify("staff", VECTORS[asked], fingerprint=BUNDLE, top_k=top_k), strict=True
        ):
            expected = self.expected(VECTORS[place])
            assert [(found.subject, found.template) for found in decision.candidates] == [
                (subject, template) for _, subject, template in expected[:top_k]
            ]
            assert [found.score for found in decision.candidates] == pytest.approx(
                [-score for score, _, _ in expected[:top_k]], abs=1e-12
            )
            assert decision.searched == len(self.truth)

    @rule()
    def open_again(self) -> None:
        self.libraries[1].close()
        self.libraries[1] = Library(open_store(self.directory))

    @invariant()
    def the_store_holds_what_was_acknowledged(self) -> None:
        held = {subject.id: subject.templates for subject in self.libraries[1].subjects("staff")}
        assert held == {subject: len(templates) for subject, templates in self.truth.items()}

    def expected(self, probe: Floats) -> list[tuple[float, str, int]]:
        """(score below zero, subject, its best template) of all subjects, best first."""
        found = []
        for subject, held in self.truth.items():
            scores = [
                (-min(1.0, float((row.astype(np.float64) * unit_length(probe[None])[0].astype(np.float64)).sum())), key)
                for key, row in held.items()
            ]
            score, template = min(scores)
            found.append((score, subject, template))
        return sorted(found)


TestLibraryAgainstDictionary = LibraryAgainstDictionary.TestCase
TestLibraryAgainstDictionary.settings = settings(
    max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
