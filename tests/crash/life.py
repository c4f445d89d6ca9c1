"""One life of a process that works on the store until it is killed: it says what it begins and what is done."""

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from gallery.library import Library
from gallery.maintenance import Maintenance
from gallery.migrate import begin, complete
from gallery.store import Store, open_store
from gallery.store.generations import drop
from gallery.template import NewTemplate, State
from tests.crash.reference import (
    DIM,
    ENCODERS,
    FIRST,
    GALLERY,
    SUBJECTS,
    TOKENS,
    Contents,
    Operation,
    embedding_of,
    packed_of,
    subject_of,
)

KINDS = {
    **{"enroll": 16, "erase subject": 7, "erase template": 6, "identify": 8},
    **{"snapshot": 4, "maintain": 2, "migrate": 3},
}


def open_again(data: Path, database: str | None) -> Store:
    return open_store(data, database=database)


def live(data: Path, database: str | None, seed: int, said: int) -> None:
    """Work until killed, saying so on the pipe `said`: a line when an operation begins, one when it is acknowledged."""

    def say(word: str, **more: Any) -> None:
        os.write(said, json.dumps({"said": word, **more}).encode() + b"\n")

    chance = random.Random(seed)
    library = Library(open_again(data, database))
    if GALLERY not in {each.name for each in library.galleries()}:
        library.create(GALLERY, fingerprint=FIRST, dim=DIM, vault_days=30)
    say("open")
    while True:
        operation = _choose(chance, library)
        say("begin", operation=operation)
        _do(library, operation)
        say("done")


def contents_of(library: Library) -> Contents:
    """What is in the gallery now, by token. Raises ValueError for an embedding that nobody enrolled."""
    found: Contents = {}
    if GALLERY not in {each.name for each in library.galleries()}:  # killed before it was made
        return found
    bundle = library.gallery(GALLERY).fingerprint
    for subject in library.subjects(GALLERY, limit=10_000):
        templates = library.templates_of(GALLERY, subject.id)
        found[subject.id] = tuple(sorted(int(each.labels["token"]) for each in templates))
        for each in templates:
            if not np.allclose(each.embedding, embedding_of(int(each.labels["token"]), bundle), atol=1e-6):
                raise ValueError(f"template {each.id} is not what was enrolled")
    return found


def _choose(chance: random.Random, library: Library) -> Operation:
    held = library.subjects(GALLERY, limit=10_000)
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    if not held or (kind.startswith("erase") and len(held) < SUBJECTS // 4):
        kind = "enroll"
    if kind == "enroll":
        return {"do": kind, "tokens": chance.sample(range(TOKENS), chance.randint(1, 6))}
    subject = chance.choice(held).id
    template = chance.choice(library.templates_of(GALLERY, subject))
    return {"do": kind, "subject": subject, "template": template.id, "token": int(template.labels["token"])}


def _do(library: Library, operation: Operation) -> None:
    bundle = library.gallery(GALLERY).fingerprint
    match operation["do"]:
        case "enroll":
            library.enroll(GALLERY, [_new(each, bundle) for each in operation["tokens"]], fingerprint=bundle)
        case "erase subject":
            library.erase_subject(GALLERY, operation["subject"])
        case "erase template":
            library.erase_template(GALLERY, operation["template"])
        case "identify":
            probe = embedding_of(operation["token"], bundle)[None]
            (decision,) = library.identify(GALLERY, probe, fingerprint=bundle, threshold=0.99999)
            assert decision.subject == operation["subject"]
        case "snapshot":
            library.warm(GALLERY)
            library.snapshots.save(library.views.at(library.store.head(GALLERY)))
        case "maintain":
            Maintenance(library).run_once()
        case "migrate":
            drop(library.store, GALLERY, {State.RETIRED})
            (other,) = (each for name, each in ENCODERS.items() if name != bundle)
            filling = begin(library.store, GALLERY, other)
            for _ in filling.steps():
                pass
            complete(filling, calibrated=False)


def _new(token: int, bundle: str) -> NewTemplate:
    labels = {"token": str(token)}
    return NewTemplate(subject_of(token), embedding_of(token, bundle), labels, 60, str(token), packed_of(token))


def what_is_wrong(library: Library) -> list[str]:
    """Of the store itself: its files, its marks, its chain of audit entries, and its answers."""
    wrong = library.store.check()
    if GALLERY not in {each.name for each in library.galleries()}:
        return wrong
    for subject in library.subjects(GALLERY, limit=10_000)[:3]:
        template = library.templates_of(GALLERY, subject.id)[0]
        (decision,) = library.identify(
            GALLERY, template.embedding[None], fingerprint=template.fingerprint, threshold=0.99999
        )
        if decision.subject != subject.id:
            wrong.append(f"{subject.id} is answered with {decision.subject}")
    return wrong
