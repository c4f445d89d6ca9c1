"""What a file is, by its content; its name decides nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from model.errors import UnreadableFile
from model.readers import alphapose, amc, bvh, gaitgraph_csv, mediapipe, mmpose, npz, ntu, openpose, own_json, pickles
from model.readers.document import Document, open_document
from model.readers.recording import Hints, Recording
from model.readers.source import Source, open_source, source_of

Matches: TypeAlias = Callable[[Document], bool]
ReadDocument: TypeAlias = Callable[[Document, Hints], Recording]
ReadText: TypeAlias = Callable[[Source, Hints], Recording]

JSON_READERS: tuple[tuple[Matches, ReadDocument], ...] = (
    (own_json.matches, own_json.read),
    (openpose.matches, openpose.read),
    (alphapose.matches, alphapose.read),
    (mmpose.matches, mmpose.read),
    (mediapipe.matches, mediapipe.read),
)
"""In this order: the more particular come first."""
TEXT_READERS: tuple[tuple[Callable[[str], bool], ReadText], ...] = (
    (bvh.matches, bvh.read),
    (gaitgraph_csv.matches, gaitgraph_csv.read),
    (amc.matches, amc.read),
    (ntu.matches, ntu.read),
)
KNOWN = (
    "our JSON and npz, GaitGraph CSV, OpenPose, AlphaPose, MMPose and MediaPipe JSON, NTU .skeleton, BVH, ASF/AMC, "
    "OpenGait and pyskl pickles"
)


def read(source: Path | str | bytes, *, name: str = "", hints: Hints | None = None) -> Recording:
    """Read a file, a folder or the bytes of a file, of any known format.

    name: what to call bytes in messages. Raises `UnreadableFile`, `InvalidSequence`, `UnknownLayout` or
    `LimitExceeded` with one line that says what is wrong and where.
    """
    hints = hints or Hints()
    if isinstance(source, bytes):
        return _read_file(source_of(source, name), hints)
    path = Path(source)
    try:
        if path.is_dir():
            return _read_folder(path, hints)
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or str(error)) from error
    return _read_file(open_source(path), hints)


def _read_folder(path: Path, hints: Hints) -> Recording:
    if openpose.is_folder(path):
        return openpose.read_folder(path, hints)
    if amc.is_folder(path):
        return amc.read_folder(path, hints)
    raise UnreadableFile(str(path), "a folder is read where it holds OpenPose's JSON files, or ASF and AMC")


def _read_file(source: Source, hints: Hints) -> Recording:
    head = source.data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PK"):
        return npz.read(source, hints)
    if head.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return pickles.read(source, hints)
    if head[:1] in (b"{", b"["):
        return _read_json(open_document(source), hints)
    if b"\0" in head:
        source.fail(f"is of no format that I know: {KNOWN}")
    return _read_text(source, hints)


def _read_json(document: Document, hints: Hints) -> Recording:
    reader = next((reader for matches, reader in JSON_READERS if matches(document)), None)
    if reader is None:
        keys = ", ".join([*document.members, *sorted(document.keys_of_first())][:6]) or "nothing"
        document.source.fail(f"is JSON with {keys[:80]}, of no pose estimator that I know")
    return reader(document, hints)


def _read_text(source: Source, hints: Hints) -> Recording:
    head = source.data[:65536].decode("utf-8-sig", errors="replace")
    reader = next((reader for matches, reader in TEXT_READERS if matches(head)), None)
    if reader is None:
        source.fail(f"is of no format that I know: {KNOWN}")
    return reader(source, hints)
