"""A copy of all that is held on one subject, as one zip that needs no program of ours to be read."""

import io
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery.printing import plain
from gallery.store import Store
from gallery.store.holdings import HeldTemplate, Holdings, holdings
from gallery.vault import unpack
from model.errors import InvalidRequest
from model.readers.recording import Track
from model.writing import to_json

README = """\
Everything that gallery {gallery} holds on subject {subject}, as of {day}.

subject.json     who it is here, since when, on what consent, for what purpose, until when; whether a hold forbids its
                 erasure; what the operator keeps with it (metadata)
templates.json   one entry for each template: number, labels, frames of the recording, when it was enrolled, the
                 encoder (by its fingerprint) that made it, and its files
embeddings/      the templates themselves, one NumPy array of numbers each (format .npy, version 1.0, no pickle){hidden}
{skeletons}audit.json       what was done with these data, and when: changes, and every search that named the subject.
                 Who acted is left out, since that is another person's; an enrollment of many people at once has
                 no entry for each of them

A template of state "active" is used for answers, one of state "retired" is kept for a way back from a change of
encoder, one of state "building" is being made by such a change. No other person's data are in here. It is biometric
data: keep it as you would keep a passport.
"""
SKELETONS = """\
skeletons/       the recordings that are kept to make templates again: joints by frame, as JSON (units, layout and frame
                 rate are in the file); each is deleted at the time that templates.json says
"""
NO_SKELETONS = "                 (no recordings are kept)\n"
HIDDEN = """,
                 here under a secret transform of the gallery: they are what is stored and searched"""


@dataclass(frozen=True, slots=True)
class AccessCopy:
    """content: the zip. files: their names in it."""

    content: bytes
    files: tuple[str, ...]


def copy_of(store: Store, gallery: str, subject: str) -> AccessCopy:
    """All that is held on a subject, in every generation of its gallery; the audit log says that it was given out.

    Raises `UnknownGallery`, `UnknownSubject`.
    """
    held = holdings(store, gallery, subject)
    files = {"README.txt": _readme(held).encode(), "subject.json": _json(held.subject)}
    entries = []
    for each in held.templates:
        entry, own = _template(each)
        entries.append(entry)
        files |= own
    files |= {"templates.json": _json(entries), "audit.json": _json(held.events)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return AccessCopy(packed.getvalue(), tuple(files))


def _template(each: HeldTemplate) -> tuple[dict[str, object], dict[str, bytes]]:
    """What `templates.json` says of one, and its files."""
    template = each.template
    embedding = f"embeddings/{template.id}.npy"
    stream = io.BytesIO()
    np.lib.format.write_array(stream, template.embedding.astype("<f4"), version=(1, 0), allow_pickle=False)
    entry = {
        "template": template.id,
        "state": each.state,
        "labels": template.labels,
        "frames": template.frames,
        "enrolled": template.created,
        "encoder": template.fingerprint,
        "embedding": embedding,
    }
    files = {embedding: stream.getvalue()}
    if each.skeleton is not None:
        skeleton = f"skeletons/{template.id}.json"
        entry |= {"skeleton": skeleton, "skeleton_is_deleted": each.skeleton_ends}
        files[skeleton] = to_json([Track("1", unpack(each.skeleton))])
    return entry, files


def _readme(held: Holdings) -> str:
    subject = held.subject
    latest = held.events[-1].at
    return README.format(
        gallery=subject.gallery,
        subject=subject.id,
        day=f"{latest:%Y-%m-%d %H:%M} UTC",
        hidden=HIDDEN if any(each.hidden for each in held.templates) else "",
        skeletons=SKELETONS if any(each.skeleton for each in held.templates) else NO_SKELETONS,
    )


def _json(value: object) -> bytes:
    return json.dumps(plain(value), ensure_ascii=False, indent=2).encode() + b"\n"


def check_target(path: Path, *, force: bool) -> None:
    """Raises `InvalidRequest` where nothing may be written."""
    if path.is_dir():
        raise InvalidRequest("out", f"{path} is a directory; name a file in it")
    if path.exists() and not force:
        raise InvalidRequest("out", f"{path} is there already; --force replaces it")
    if not path.parent.is_dir():
        raise InvalidRequest("out", f"there is no directory {path.parent}")


def write_private(path: Path, content: bytes, *, force: bool = False) -> None:
    """Put `content` at `path` in one step, readable for this user only. Raises `InvalidRequest`, OSError."""
    check_target(path, force=force)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
