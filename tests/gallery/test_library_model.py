"""Random operations against a plain dictionary, over two libraries on one database, on both kinds of it."""

import shutil
import tempfile
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gallery.index import IndexPolicy
from gallery.library import Library
from gallery.store import Store, open_store
from gallery.store.managing import rename_subject
from gallery.template import Consent, NewTemplate, now
from model.errors import EmptyGallery, InvalidRequest, SubjectExists, SubjectHeld, UnknownSubject
from tests.gallery.long_erasure import BUNDLE, DIM, Run, vectors
from tests.gallery.plain import PlainGallery

VECTORS = vectors(24, seed=5)
SUBJECTS = ("ann", "bob", "eve", "kim", "zoe")
PAST, FUTURE = now() - timedelta(days=1), now() + timedelta(days=1)

libraries = st.integers(0, 1)
subjects = st.sampled_from(SUBJECTS)
places = st.integers(0, len(VECTORS) - 1)


class LibraryAgainstDictionary(RuleBasedStateMachine):
    def __init__(self, open_fresh: Callable[[], Callable[[], Store]]) -> None:
        super().__init__()
        self.open = open_fresh()
        self.libraries = [Library(self.open()) for _ in range(2)]
        self.truth = PlainGallery()

    @initialize(protected=st.booleans())
    def make(self, protected: bool) -> None:
        self.libraries[0].create("staff", fingerprint=BUNDLE, dim=DIM, protected=protected)
        self.tolerance = 1e-6 if protected else 1e-12

    def teardown(self) -> None:
        for library in self.libraries:
            library.close()

    @rule(through=libraries, subject=subjects, chosen=st.lists(places, min_size=1, max_size=4))
    def enroll(self, through: int, subject: str, chosen: list[int]) -> None:
        new = [NewTemplate(subject, VECTORS[place]) for place in chosen]
        if subject in self.truth.subjects and self.truth.subjects[subject].expired:
            with pytest.raises(InvalidRequest, match="expired"):
                self.libraries[through].enroll("staff", new, fingerprint=BUNDLE)
            return
        for place, added in zip(chosen, self.libraries[through].enroll("staff", new, fingerprint=BUNDLE), strict=True):
            assert added.template is not None
            self.truth.enroll(subject, added.template, VECTORS[place])

    @rule(through=libraries, subject=subjects)
    def erase_subject(self, through: int, subject: str) -> None:
        held = self.truth.subjects.get(subject)
        library = self.libraries[through]
        if held is None or held.hold:
            with pytest.raises(UnknownSubject if held is None else SubjectHeld):
                library.erase_subject("staff", subject)
        else:
            assert set(library.erase_subject("staff", subject).templates) == set(
                self.truth.subjects.pop(subject).templates
            )

    @precondition(lambda self: self.truth.subjects)
    @rule(through=libraries, data=st.data())
    def erase_template(self, through: int, data: st.DataObject) -> None:
        subject = data.draw(st.sampled_from(sorted(self.truth.subjects)))
        template = data.draw(st.sampled_from(sorted(self.truth.subjects[subject].templates)))
        if self.truth.subjects[subject].hold:
            with pytest.raises(SubjectHeld):
                self.libraries[through].erase_template("staff", template)
        else:
            self.libraries[through].erase_template("staff", template)
            self.truth.erase_template(subject, template)

    @precondition(lambda self: self.truth.subjects)
    @rule(through=libraries, data=st.data(), expired=st.booleans())
    def change_consent(self, through: int, data: st.DataObject, expired: bool) -> None:
        subject = data.draw(st.sampled_from(sorted(self.truth.subjects)))
        consent = Consent(expires=PAST if expired else FUTURE)
        self.libraries[through].store.update_subject("staff", subject, consent=consent)
        self.truth.subjects[subject].expired = expired

    @precondition(lambda self: self.truth.subjects)
    @rule(through=libraries, data=st.data(), hold=st.booleans())
    def hold(self, through: int, data: st.DataObject, hold: bool) -> None:
        subject = data.draw(st.sampled_from(sorted(self.truth.subjects)))
        self.libraries[through].store.update_subject("staff", subject, hold="a dispute" if hold else None)
        self.truth.subjects[subject].hold = hold

    @rule(through=libraries, subject=subjects, name=subjects)
    def rename(self, through: int, subject: str, name: str) -> None:
        store, held = self.libraries[through].store, self.truth.subjects
        if subject not in held or (name in held and name != subject):
            with pytest.raises(UnknownSubject if subject not in held else SubjectExists):
                rename_subject(store, "staff", subject, name)
        else:
            rename_subject(store, "staff", subject, name)
            held[name] = held.pop(subject)

    @rule(
        through=libraries,
        asked=st.lists(places, min_size=1, max_size=6),
        top_k=st.integers(1, 6),
        within=st.none() | st.lists(subjects, min_size=1, max_size=4),
    )
    def identify(self, through: int, asked: list[int], top_k: int, within: list[str] | None) -> None:
        def ask() -> list[list[tuple[str, int, float]]]:
            decisions = self.libraries[through].identify(
                "staff", VECTORS[asked], fingerprint=BUNDLE, top_k=top_k, within=within
            )
            wanted = self.truth.named() if within is None else self.truth.named() & set(within)
            assert {decision.searched for decision in decisions} == {len(wanted)}
            return [[(one.subject, one.template, one.score) for one in found.candidates] for found in decisions]

        if not self.truth.named():
            with pytest.raises(EmptyGallery):
                ask()
        elif within is not None and not set(within) <= set(self.truth.subjects):
            with pytest.raises(UnknownSubject):
                ask()
        else:
            for place, found in zip(asked, ask(), strict=True):
                expected = self.truth.ranked(VECTORS[place], within)[:top_k]
                assert [one[2] for one in found] == pytest.approx([one[2] for one in expected], abs=self.tolerance)
                if self.tolerance < 1e-9:  # a transform may turn ties round
                    assert [one[:2] for one in found] == [one[:2] for one in expected]

    @rule()
    def open_again(self) -> None:
        self.libraries[1].close()
        self.libraries[1] = Library(self.open())

    @invariant()
    def the_store_holds_what_was_acknowledged(self) -> None:
        held = {subject.id: subject.templates for subject in self.libraries[1].subjects("staff")}
        assert held == {subject: len(mine.templates) for subject, mine in self.truth.subjects.items()}

    @invariant()
    def no_index_had_to_be_rebuilt(self) -> None:
        assert [library.views.rebuilt for library in self.libraries] == [0, 0]


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 10), ("postgresql", 5)])
def test_a_library_answers_as_a_plain_dictionary_would(
    kind: str, examples: int, request: pytest.FixtureRequest, migrated: Path
) -> None:
    directory = Path(tempfile.mkdtemp(prefix="gallery-"))

    def fresh() -> Callable[[], Store]:
        data, name = directory / uuid.uuid4().hex, f"test_{uuid.uuid4().hex}"
        data.mkdir(mode=0o700)
        if kind == "sqlite":
            shutil.copy(migrated, data)
            return lambda: open_store(data)
        url = request.getfixturevalue("postgres").create(name)
        return lambda: open_store(data, database=url)

    run_state_machine_as_test(
        lambda: LibraryAgainstDictionary(fresh),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    shutil.rmtree(directory)


def test_erasing_one_id_changes_no_other_answer(tmp_path: Path) -> None:
    run = Run(tmp_path, IndexPolicy())
    for _ in range(150):
        run.step()
    assert run.done["answers compared before and after an erasure"] > 50
    run.library.close()
