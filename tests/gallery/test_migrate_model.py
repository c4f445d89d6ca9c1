"""Anything in any order, a dictionary beside it: no template is lost, doubled or somebody else's, whatever encoder."""

from dataclasses import dataclass, field

import numpy as np

from gallery.keys.transform import undo
from gallery.migrate import Filling, begin, begin_rollback, switch
from gallery.store import Store
from gallery.store.generations import drop, newest
from gallery.store.managing import merge_subjects, rename_subject
from gallery.template import NewTemplate, State
from gallery.vault import pack, source_of
from model.inference import embed
from model.sequence import SkeletonSequence
from tests.fakes import FakeEncoder, walking

ENCODERS = [FakeEncoder(8, name="old"), FakeEncoder(6, name="new"), FakeEncoder(5, name="third")]
NAMES = [f"s{i}" for i in range(6)]
STEPS = 80


@dataclass
class Model:
    """Who has which takes; `filling` is the migration or rollback that goes on."""

    store: Store
    rng: np.random.Generator
    held: dict[str, set[str]] = field(default_factory=dict)
    walks: dict[str, SkeletonSequence] = field(default_factory=dict)
    filling: Filling | None = None

    @property
    def encoder(self) -> FakeEncoder:
        fingerprint = self.store.head("staff").fingerprint
        return next(each for each in ENCODERS if each.fingerprint == fingerprint)

    def somebody(self) -> str | None:
        return str(self.rng.choice(sorted(self.held))) if self.held else None

    def enroll(self) -> None:
        name, take = str(self.rng.choice(NAMES)), str(len(self.walks))
        walk = walking(int(self.rng.integers(50)), frames=40, seed=len(self.walks))
        self.walks[take] = walk
        row = embed(self.encoder, [walk])
        hidden = self.store.transform("staff")
        row = row if hidden is None else (row @ hidden).astype(np.float32)
        new = NewTemplate(name, row[0] / np.linalg.norm(row[0]), {"take": take}, 40, source_of(walk), pack(walk))
        self.store.enroll("staff", self.encoder.fingerprint, [new])
        self.held.setdefault(name, set()).add(take)

    def erase(self) -> None:
        if (name := self.somebody()) is not None:
            self.store.erase_subject("staff", name)
            del self.held[name]

    def erase_one(self) -> None:
        if (name := self.somebody()) is not None:
            template = self.store.templates_of("staff", name)[0]
            self.store.erase_template("staff", template.id)
            self.held[name].remove(template.labels["take"])
            if not self.held[name]:
                del self.held[name]

    def rename(self) -> None:
        name, free = self.somebody(), [each for each in NAMES if each not in self.held]
        if name is not None and free:
            rename_subject(self.store, "staff", name, free[0])
            self.held[free[0]] = self.held.pop(name)

    def merge(self) -> None:
        name, into = self.somebody(), self.somebody()
        if name is not None and into is not None and name != into:
            merge_subjects(self.store, "staff", name, into)
            self.held[into] |= self.held.pop(name)

    def migrate(self) -> None:
        if self.filling is None and newest(self.store, "staff", State.RETIRED) is None:
            others = [each for each in ENCODERS if each is not self.encoder]
            self.filling = begin(self.store, "staff", others[int(self.rng.integers(2))])

    def go_back(self) -> None:
        target = newest(self.store, "staff", State.RETIRED)
        if self.filling is None and target is not None:
            encoder = next(each for each in ENCODERS if each.fingerprint == target.fingerprint)
            self.filling = begin_rollback(self.store, "staff", encoder)

    def step(self) -> None:
        if self.filling is not None:
            next(self.filling.steps(), 0)

    def switch(self) -> None:
        if self.filling is not None:
            switch(self.filling)
            self.filling = None

    def drop(self) -> None:
        if self.filling is None:
            drop(self.store, "staff", {State.RETIRED})

    def check(self) -> None:
        found = {each.id: self.store.templates_of("staff", each.id) for each in self.store.subjects("staff")}
        assert {name: {one.labels["take"] for one in held} for name, held in found.items()} == self.held
        assert sum(map(len, found.values())) == sum(map(len, self.held.values()))
        hidden = self.store.transform("staff")
        for held in found.values():
            rows = np.stack([one.embedding for one in held])
            rows = rows if hidden is None else undo(hidden, rows)
            wanted = embed(self.encoder, [self.walks[one.labels["take"]] for one in held])
            assert np.allclose(rows, wanted, atol=1e-5)
        head, rows_ = self.store.everything("staff")
        content = np.bitwise_xor.reduce(rows_.marks) if len(rows_.marks) else 0
        assert (head.templates, head.content) == (len(rows_.ids), content)


def test_whatever_is_done_in_whatever_order_everybody_has_what_is_theirs(store: Store) -> None:
    store.create_gallery("staff", ENCODERS[0].fingerprint, 8, vault_days=30, protected=True)
    model = Model(store, np.random.default_rng(12))
    often = [model.enroll] * 6 + [model.merge] * 2 + [model.step] * 2
    once = [model.erase, model.erase_one, model.rename, model.migrate, model.go_back, model.switch, model.drop]
    for step in range(STEPS):
        [*often, *once][int(model.rng.integers(len(often) + len(once)))]()
        if step % 5 == 0:
            model.check()
    model.check()
    assert store.check() == []
