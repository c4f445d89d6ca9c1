"""A bundle: the directory that holds one exported model, opened only if every file is what its manifest says.

manifest.json       what it is, and the SHA-256 of every other file
encoder.onnx        and/or classifier.onnx: clips to embeddings or probabilities
parity.npz          inputs, and what the trained network gave for them
calibration.json    optional: the maker's prior for decisions (`gallery.calibration`)
CARD.md             what it was trained on, what was measured, what it cannot do
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from model.clips import ClipSpec
from model.errors import InvalidBundle, ModelMissing
from model.layout import Layout
from model.named_layouts import KnownLayout, layout_named

FORMAT: Literal[1] = 1
MANIFEST, CARD, CALIBRATION, PARITY = "manifest.json", "CARD.md", "calibration.json", "parity.npz"
ENCODER, CLASSIFIER = "encoder.onnx", "classifier.onnx"
MEGABYTE = 1024 * 1024
MOST_BYTES = {
    MANIFEST: MEGABYTE,
    CARD: MEGABYTE,
    CALIBRATION: 16 * MEGABYTE,
    PARITY: 64 * MEGABYTE,
    ENCODER: 512 * MEGABYTE,
    CLASSIFIER: 512 * MEGABYTE,
}
SHIPPED = Path(__file__).parent / "bundles"
DEFAULT_ENCODER = "gait-sim-coco17"
DEFAULT_CLASSIFIER = "action-coco17"

Task = Literal["encoder", "classifier"]


class Member(BaseModel):
    """One of several networks that answer together: what it sees of a skeleton, and how much its answer counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=200)
    streams: tuple[str, ...] = Field(min_length=1)
    weight: float = Field(gt=0, allow_inf_nan=False)


class Manifest(BaseModel):
    """What a bundle holds. files: SHA-256 (hex) of each; trained: the recipe, commit and versions that made it.

    streams: of an ensemble, which is one graph, the networks in it; of a single network nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = FORMAT
    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    layout: KnownLayout
    clip: ClipSpec
    dim: int | None = Field(default=None, ge=1, le=65536)
    labels: tuple[str, ...] = ()
    files: dict[str, str]
    created: str
    streams: tuple[Member, ...] = ()
    trained: dict[str, Any] = {}

    @field_validator("files")
    @classmethod
    def _plain(cls, files: dict[str, str]) -> dict[str, str]:
        # A closed set of names: nothing a manifest says can lead out of its directory.
        for name, digest in files.items():
            if name not in MOST_BYTES or name == MANIFEST:
                raise ValueError(f"{name!r} has no place in a bundle")
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError(f"the hash of {name} is not a SHA-256 in lower-case hex")
        return files

    @model_serializer(mode="wrap")
    def _without_no_streams(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        values: dict[str, Any] = serialize(self)
        if not self.streams:  # what is older than they are reads the manifests of single networks
            del values["streams"]
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not {ENCODER, CLASSIFIER} & self.files.keys():
            raise ValueError("there is neither an encoder nor a classifier")
        if (self.dim is not None) != (ENCODER in self.files):
            raise ValueError("dim belongs to an encoder")
        if bool(self.labels) != (CLASSIFIER in self.files):
            raise ValueError("labels belong to a classifier")
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is there twice")
        return self


@dataclass(frozen=True)
class Bundle:
    """An opened bundle; every file was as its manifest says when it was opened, and is checked again when read."""

    path: Path
    manifest: Manifest

    @cached_property
    def fingerprint(self) -> str:
        """Names the embedding space: 64 hex digits over what decides the embedding, and over nothing else."""
        model = ENCODER if ENCODER in self.manifest.files else CLASSIFIER
        decides = {
            "model": self.manifest.files[model],
            "layout": self.manifest.layout,
            "joints": self.layout.joints,
            "clip": self.manifest.clip.decides(),
        }
        return sha256(json.dumps(decides, sort_keys=True, separators=(",", ":")).encode())

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def layout(self) -> Layout:
        return layout_named(self.manifest.layout)

    @property
    def tasks(self) -> tuple[Task, ...]:
        each: tuple[tuple[Task, str], ...] = (("encoder", ENCODER), ("classifier", CLASSIFIER))
        return tuple(task for task, file in each if file in self.manifest.files)

    def model(self, task: Task) -> bytes:
        """The ONNX file of that task; raises `ModelMissing` if the bundle has none."""
        if task not in self.tasks:
            raise ModelMissing(self.name, task)
        return self.read(ENCODER if task == "encoder" else CLASSIFIER)

    def read(self, name: str) -> bytes:
        """A file's bytes; raises `InvalidBundle` if they are not those that the manifest was made for."""
        if name not in self.manifest.files:
            raise InvalidBundle(str(self.path), f"holds no {name}")
        content = _read(self.path, name)
        if sha256(content) != self.manifest.files[name]:
            raise InvalidBundle(str(self.path), f"{name} is not the file that its manifest describes (wrong hash)")
        return content

    def calibration_json(self) -> dict[str, Any] | None:
        """The maker's calibration, or None."""
        if CALIBRATION not in self.manifest.files:
            return None
        content = _parsed(self.path, CALIBRATION, self.read(CALIBRATION))
        if not isinstance(content, dict):
            raise InvalidBundle(str(self.path), f"{CALIBRATION} is not a JSON object")
        return content

    def card(self) -> str:
        """The card, or an empty text."""
        return self.read(CARD).decode("utf-8", "replace") if CARD in self.manifest.files else ""


def open_bundle(path: Path | str) -> Bundle:
    """Opens and checks a bundle directory or, where there is none, the shipped bundle of that name.

    Raises `InvalidBundle` with the file that is wrong.
    """
    path = Path(path) if Path(path).exists() else shipped(str(path))
    if not path.is_dir():
        raise InvalidBundle(str(path), "is not a directory")
    bundle = Bundle(path, _manifest(path))
    for name in bundle.manifest.files:
        bundle.read(name)
    return bundle


def shipped(name: str) -> Path:
    """Directory of a bundle that comes with gaitkeeper; raises `InvalidBundle` with the names there are."""
    there = sorted(each.parent.name for each in SHIPPED.glob(f"*/{MANIFEST}"))
    if name not in there:
        come = f"those that come with gaitkeeper are {', '.join(there)}" if there else "none comes with gaitkeeper"
        raise InvalidBundle(name, f"there is no such directory; {come}")
    return SHIPPED / name


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _manifest(path: Path) -> Manifest:
    content = _parsed(path, MANIFEST, _read(path, MANIFEST))
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        raise InvalidBundle(str(path), f"{MANIFEST} has format {version!r}; this gaitkeeper reads format {FORMAT}")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidBundle(str(path), f"{MANIFEST}: {where + ': ' if where else ''}{first['msg']}") from error


def _parsed(path: Path, name: str, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(str(path), f"{name} is not JSON ({error})") from error


def _read(path: Path, name: str) -> bytes:
    file = path / name
    try:
        if not file.resolve().is_relative_to(path.resolve()):
            raise InvalidBundle(str(path), f"{name} leads out of the bundle")
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES[name] + 1)
    except OSError as error:
        raise InvalidBundle(str(path), f"{name} cannot be read ({error.strerror or error})") from error
    if len(content) > MOST_BYTES[name]:
        raise InvalidBundle(str(path), f"{name} is larger than {MOST_BYTES[name] // MEGABYTE} MB")
    return content
