"""Files of pose estimators, sent as a form: whatever `gaitkeeper` reads on its command line, but for pickles."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from model.errors import GaitkeeperError, InvalidRequest, LimitExceeded, UnreadableFile
from model.readers import Hints, Recording, read
from model.readers.source import numbered
from service.bodies.asked import SequenceRequest
from service.bodies.multipart import File, Form, form_of
from service.bodies.parameters import Head, asked_by
from service.bodies.submitted import Body, Frames, Submitted, check_count
from service.settings import Limits

Q = TypeVar("Q", bound=SequenceRequest)

HINTS = ("layout", "fps", "aspect", "width", "height")
"""Fields of the form, or header fields with `X-` before them, that say what the files do not."""
INFLATED = 8
"""An archive may become so many times as large as a body may be."""
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def read_files(kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    """A track for each person of each file, in the order of the files. What is asked is in the form's other fields, or
    in the address.

    One file a frame, as OpenPose writes them, are one recording. A file that cannot be read does not spoil the others.
    """
    form = form_of(body, head.header("content-type") or "")
    given = {**head.given, **form.fields}
    if both := head.given.keys() & form.fields.keys():
        raise InvalidRequest(min(both), "is given in the address and in the form")
    hints = _hints({name: given.pop(name, None) or head.header(f"x-{name}") for name in HINTS})
    return Body(asked_by(kind, given), tracks_of(form, hints, limits), several=True)


def tracks_of(form: Form, hints: Hints, limits: Limits) -> Iterator[Submitted]:
    """Raises `InvalidRequest` where there is no file, `LimitExceeded`."""
    recordings = _recordings(form.files)
    if not recordings:
        raise InvalidRequest("file", "no file is in the form: give each a filename")
    check_count(len(recordings), "files", limits)
    _check_archives(recordings, INFLATED * limits.body_bytes)
    frames, names = Frames(limits), set[str]()
    for file in recordings:
        for one in _tracks(file, hints):
            if not isinstance(one.sequence, GaitkeeperError):
                frames.add(one.sequence.frames, "files")
            name = _unused(one.name, names)
            check_count(len(names), "files", limits)
            yield replace(one, name=name)


def _tracks(file: File, hints: Hints) -> Iterator[Submitted]:
    try:
        recording = _read(file, hints)
    except GaitkeeperError as error:
        yield Submitted(file.name, error)
        return
    alone = len(recording.tracks) == 1
    for track in recording.tracks:
        name = file.name if alone else f"{file.name}/{track.name}"
        overlaps = [f"overlap: with {track.labels['overlaps']}"] if "overlaps" in track.labels else []
        said = (f"read as {recording.format}", *recording.notes, *overlaps)
        yield Submitted(name, track.sequence, said, track.first_frame, alone)


def _read(file: File, hints: Hints) -> Recording:
    if file.content.startswith(_PICKLES):
        reason = "is a pickle, which is not read over HTTP; `gaitkeeper convert` makes our JSON of it"
        raise UnreadableFile(file.name, reason)
    return read(file.content, name=file.name, hints=hints)


def _check_archives(files: list[File], most: int) -> None:
    """Raises `LimitExceeded` where all of them together promise to become more than `most` bytes. One that is broken
    is for its reader to refuse."""
    inflated = 0
    for file in files:
        if file.content.startswith(b"PK"):
            broken = suppress(zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError)
            with broken, zipfile.ZipFile(io.BytesIO(file.content)) as archive:
                inflated += sum(member.file_size for member in archive.infolist())
    if inflated > most:
        raise LimitExceeded("files (bytes, inflated)", most, inflated)


def _recordings(files: tuple[File, ...]) -> list[File]:
    """The files, with those that are a frame of OpenPose each put together: they are one recording."""
    found = [(file.name, raw) for file in files if (raw := _frame(file)) is not None]
    if len(found) < 2:
        return list(files)
    frames = dict(found)
    if len(frames) < len(found):
        raise InvalidRequest("files", "two frames have the same name: send those of one video at a time")
    together = File(_common(list(frames)), msgspec.json.encode(frames))
    rest = [file for file in files if file.name not in frames]
    return [together, *rest]


def _frame(file: File) -> Any:
    """The JSON of a numbered file that holds one frame of OpenPose; None for any other."""
    if numbered(file.name)[1] is None or file.content[:1] != b"{":
        return None
    try:
        members = msgspec.json.decode(file.content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.Raw(file.content) if {"people", "bodies"} & members.keys() else None


def _common(names: list[str]) -> str:
    first = numbered(names[0])[0].rstrip("_-. ")
    return first or "frames"


def _hints(given: dict[str, str | None]) -> Hints:
    numbers: dict[str, float | None] = {}
    for name in HINTS[1:]:
        text = given[name]
        try:
            numbers[name] = None if not text else float(text)
        except ValueError as error:
            raise InvalidRequest(name, "is not a number") from error
    return Hints(layout=given["layout"] or None, **numbers)


def _unused(name: str, taken: set[str]) -> str:
    """The name, or with a number behind it where it is taken; taken from now on."""
    unused, number = name, 2
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    taken.add(unused)
    return unused
