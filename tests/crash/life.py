"""One life of a process that works on the store until it is killed: it says what it begins and what is done."""

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from gallery.library import Library
from gallery.store import Store, open_store
from gallery.template import NewTemplate
from tests.crash.reference import DIM, GALLERY, Contents, Operation, embedding_of

BUNDLE = "b" * 64
SUBJECTS = 40
KINDS = {"enroll": 8, "erase subject": 3, "erase template": 3, "identify": 5, "snapshot": 1, "maintain": 1}


def open_again(data: Path, database: str | None) -> Store:
    return open_store(data, database=database)


def live(data: Path, database: str | None, seed: int, said: int) -> None:
    """Work until killed, saying so on the pipe `said`: a line when an operation begins, one when it is acknowledged."""

    def say(word: str, **more: Any) -> None:
        os.write(said, json.dumps({"said": word, **more}).encode() + b"\n")

    chance = random.Random(seed)
    library = Library(open_again(data, database))
    library.ensure(GALLERY, fingerprint=BUNDLE, dim=DIM)
    say("open")
    tokens = seed * 100_000
    while True:
        operation = _choose(chance, library, tokens)
        tokens += 10
        say("begin", operation=operation)
        _do(library, operation)
        say("done")


def contents_of(library: Library) -> Contents:
    """What is in the gallery now, by token. Raises ValueError for an embedding that nobody enrolled."""
    found: Contents = {}
    if GALLERY not in {each.name for each in library.galleries()}:  # killed before it was made
        return found
    for subject in library.subjects(GALLERY, limit=10_000):
        templates = library.templates_of(GALLERY, subject.id)
        found[subject.id] = tuple(sorted(int(each.labels["token"]) for each in templates))
        for each in templates:
            if not np.array_equal(each.embedding, embedding_of(int(each.labels["token"]))):
                raise ValueError(f"template {each.id} is not what was enrolled")
    return found


def _choose(chance: random.Random, library: Library, token: int) -> Operation:
    held = library.subjects(GALLERY, limit=10_000)
    kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
    if not held or (kind.startswith("erase") and len(held) < SUBJECTS // 4):
        kind = "enroll"
    if kind == "enroll":
        count = chance.randint(1, 6)
        return {"do": kind, "templates": [[f"s{chance.randrange(SUBJECTS)}", token + i] for i in range(count)]}
    subject = chance.choice(held).id
    template = chance.choice(library.templates_of(GALLERY, subject))
    return {"do": kind, "subject": subject, "template": template.id, "token": int(template.labels["token"])}


def _do(library: Library, operation: Operation) -> None:
    match operation["do"]:
        case "enroll":
            new = [
                NewTemplate(subject, embedding_of(token), {"token": str(token)}, source=str(token))
                for subject, token in operation["templates"]
            ]
            library.enroll(GALLERY, new, fingerprint=BUNDLE)
        case "erase subject":
            library.erase_subject(GALLERY, operation["subject"])
        case "erase template":
            library.erase_template(GALLERY, operation["template"])
        case "identify":
            probe = embedding_of(operation["token"])[None]
            (decision,) = library.identify(GALLERY, probe, fingerprint=BUNDLE, threshold=0.999)
            assert decision.subject == operation["subject"]


def what_is_wrong(library: Library) -> list[str]:
    """Of the store itself: its files, its marks, its chain of audit entries, and its answers."""
    wrong = library.store.check()
    if GALLERY not in {each.name for each in library.galleries()}:
        return wrong
    for subject in library.subjects(GALLERY, limit=10_000)[:3]:
        template = library.templates_of(GALLERY, subject.id)[0]
        (decision,) = library.identify(GALLERY, template.embedding[None], fingerprint=BUNDLE, threshold=0.999)
        if decision.subject != subject.id:
            wrong.append(f"{subject.id} is answered with {decision.subject}")
    return wrong
