"""The sample sequences that ship with the service: who walks in which file, and what it is for."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from model.errors import InvalidDataSet
from service.bodies.asked import Sequence
from service.wire import Name

MANIFEST = "samples.json"
Role: TypeAlias = Literal["enroll", "probe", "action"]


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file in our JSON, beside its manifest.

    source: `simulated` walkers and actions, or `cmu` motion capture of real people. role: `enroll` it, ask who it
    is (`probe`; subject null: a stranger, whom the service must not name), or ask what it does (`action`).
    gallery: the one it is enrolled in or asked of. labels: condition, view and the like, as shown in the table.
    """

    file: Annotated[str, Meta(pattern=r"^[\w][\w.-]*\.json$")]
    source: Literal["simulated", "cmu"]
    role: Role
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
    """The samples of every `samples.json` in the folders of one folder. Raises `InvalidDataSet` where a manifest or a
    file is not what it says."""

    def __init__(self, folder: Path) -> None:
        self.all: list[tuple[Path, Sample]] = []
        for manifest in sorted(folder.glob(f"*/{MANIFEST}")):
            self.all += [(manifest.parent / sample.file, sample) for sample in _read_manifest(manifest).samples]
        if not self.all:
            raise InvalidDataSet(str(folder), f"holds no samples (*/{MANIFEST})")

    def of(self, role: Role) -> list[tuple[Path, Sample]]:
        return [(path, sample) for path, sample in self.all if sample.role == role]

    def example(self, role: Role) -> dict[str, Any] | None:
        """The sequence of the first sample of this role, for documentation; None if there is none."""
        path = next((path for path, sample in self.all if sample.role == role), None)
        return None if path is None else msgspec.json.decode(sequence_in(path))


def sequence_in(path: Path) -> msgspec.Raw:
    """The content of a sample file, to be put into a request as its `sequence`. Raises `InvalidDataSet`."""
    try:
        content = path.read_bytes()
        msgspec.json.decode(content, type=Sequence)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidDataSet(str(path), str(error)) from error
    return msgspec.Raw(content)


def _read_manifest(path: Path) -> Manifest:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidDataSet(str(path), str(error)) from error


def shipped() -> Samples:
    """The samples beside this file."""
    return Samples(Path(__file__).parent / "samples")
