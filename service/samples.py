"""The sample sequences that ship with the service: who walks in which file, and what it is for."""

import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from model.errors import InvalidDataSet
from service.wire import Name, Sequence

MANIFEST = "samples.json"


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file in our JSON, below the folder of the manifest.

    source: `simulated` walkers and actions, or `cmu` motion capture of real people. role: `enroll` it, ask who it
    is (`probe`; subject null: a stranger, whom the service must not name), or ask what it does (`action`).
    gallery: the one it is enrolled in or asked of. labels: condition, view and the like, as shown in the table.
    """

    file: Annotated[str, Meta(pattern=r"^[\w-]+(/[\w.-]+)*\.json$")]
    source: Literal["simulated", "cmu"]
    role: Literal["enroll", "probe", "action"]
    subject: Name | None = None
    action: Name | None = None
    gallery: Name = "default"
    labels: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.role == "enroll" and self.subject is None:
            raise ValueError("a sample to enroll needs a subject")
        if (self.role == "action") != (self.action is not None):
            raise ValueError("a sample of an action names the action, and no other does")


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """samples.json: how the files were made, and what each is."""

    format: Literal[1]
    made: str
    samples: list[Sample]


class Samples:
    """The files of one folder. Raises `InvalidDataSet` where the manifest or a file is not what it says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
        except (OSError, msgspec.DecodeError) as error:
            raise InvalidDataSet(str(folder / MANIFEST), str(error)) from error

    def of(self, role: Literal["enroll", "probe", "action"]) -> list[Sample]:
        return [sample for sample in self.manifest.samples if sample.role == role]

    def body(self, sample: Sample) -> msgspec.Raw:
        """The file's bytes, to be put into a request as its `sequence`."""
        return msgspec.Raw(self._read(sample))

    def example(self, role: Literal["enroll", "probe", "action"]) -> dict[str, object] | None:
        """The sequence of the first sample of this role, for documentation; None if there is none."""
        found = self.of(role)
        if not found:
            return None
        sequence: dict[str, object] = json.loads(self._read(found[0]))
        return sequence

    def _read(self, sample: Sample) -> bytes:
        path = self.folder / sample.file
        try:
            content = path.read_bytes()
            msgspec.json.decode(content, type=Sequence)
        except (OSError, msgspec.DecodeError) as error:
            raise InvalidDataSet(str(path), str(error)) from error
        return content


def shipped() -> Samples:
    """The samples beside this file."""
    return Samples(Path(__file__).parent / "samples")
