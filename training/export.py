"""From a run to a bundle: ONNX, its proof, manifest, card. Nothing is written unless all of it holds."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

import numpy as np

from gallery.calibration import Calibration
from model.bundle import CALIBRATION, CARD, CLASSIFIER, ENCODER, PARITY, Bundle, Manifest, Task, sha256
from model.bundle_writing import write_bundle
from model.errors import InvalidRequest
from model.sequence import Floats
from training.card import card
from training.onnx_graph import check_equal, to_onnx
from training.run import Run, load_run

_FILE: dict[Task, str] = {"encoder": ENCODER, "classifier": CLASSIFIER}
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Exported:
    """difference: largest between ONNX Runtime and torch over all batch sizes and lengths tried."""

    bundle: Bundle
    difference: float


@dataclass(frozen=True)
class Converted:
    """A run's network as ONNX. kept: inputs and torch's outputs, for the parity file."""

    run: Run
    task: Task
    model: bytes
    difference: float
    kept: Mapping[str, Floats]


@dataclass(frozen=True)
class Attached:
    """What a bundle carries beside its model.

    results: what `gaitkeeper evaluate` wrote about this very model, for the card; notes: a text for the card.
    """

    calibration: Calibration | None = None
    results: tuple[dict[str, Any], ...] = ()
    notes: str = ""

    @classmethod
    def read(cls, calibration: Path | None, results: Sequence[Path], notes: Path | None) -> Self:
        """Raises `InvalidRequest` for a file that is not what it should be."""
        return cls(
            Calibration.from_json(_json("calibration", calibration)) if calibration else None,
            tuple(_json("results", path) for path in results),
            _text("notes", notes) if notes else "",
        )


def export_run(run: Path, out: Path, *, name: str | None = None, attached: Attached | None = None) -> Exported:
    """Writes the bundle `out` from a run's best network; one that is there is replaced.

    A run that learned subjects gives an encoder, one that learned actions a classifier. Raises `ExportRejected` if
    ONNX Runtime and torch differ, `InvalidRequest` for results of another model, `InvalidRecipe` if `run` is no run.
    """
    return write(convert(load_run(run)), out, name=name, attached=attached)


def convert(run: Run) -> Converted:
    """The slow part: about half a minute. Raises `ExportRejected`."""
    task: Task = "encoder" if run.recipe.data.label == "subject" else "classifier"
    model = to_onnx(run.network, task)
    return Converted(run, task, model, *check_equal(model, run.network, task))


def write(converted: Converted, out: Path, *, name: str | None = None, attached: Attached | None = None) -> Exported:
    """Raises `InvalidRequest` for results of another model."""
    attached = attached or Attached()
    files = {_FILE[converted.task]: converted.model, PARITY: _npz(converted.kept)}
    if attached.calibration:
        files[CALIBRATION] = json.dumps(attached.calibration.to_json(), indent=1).encode() + b"\n"
    about = _manifest(converted.run, converted.task, name or converted.run.recipe.name, files)
    _check_about(attached.results, Bundle(out, about).fingerprint)
    text = card(about, converted.run, attached.results, attached.calibration, converted.difference, attached.notes)
    bundle = write_bundle(
        out,
        {**files, CARD: text.encode()},
        name=about.name,
        layout=about.layout,
        clip=about.clip,
        dim=about.dim,
        labels=about.labels,
        trained=about.trained,
    )
    return Exported(bundle, converted.difference)


def _manifest(run: Run, task: Task, name: str, files: Mapping[str, bytes]) -> Manifest:
    """As it will be written, but for the card's hash, which is no part of the fingerprint."""
    recipe = run.recipe
    return Manifest(
        name=name,
        layout=recipe.network.layout,
        clip=recipe.clip,
        dim=recipe.network.dim if task == "encoder" else None,
        labels=() if task == "encoder" else run.labels,
        files={file: sha256(content) for file, content in files.items()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        trained={
            "recipe": recipe.model_dump(mode="json"),
            "commit": run.about.get("commit"),
            "trained_with": run.about.get("versions", {}),
            "exported_with": {package: _version(package) for package in PACKAGES},
            "classes": len(run.labels),
            "parameters": sum(parameter.numel() for parameter in run.network.parameters()),
            "best": run.about.get("best"),
        },
    )


def _check_about(results: Sequence[Mapping[str, Any]], fingerprint: str) -> None:
    for number, result in enumerate(results, 1):
        bundle = result.get("bundle")
        found = bundle.get("fingerprint") if isinstance(bundle, dict) else None
        if found != fingerprint:
            raise InvalidRequest("results", f"file {number} is about model {str(found)[:12]}, not {fingerprint[:12]}")


def _json(field: str, path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(field, path))
    except ValueError as error:
        raise InvalidRequest(field, f"{path} is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise InvalidRequest(field, f"{path} is not a JSON object")
    return content


def _text(field: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(field, f"{path} cannot be read ({error})") from error


def _npz(arrays: Mapping[str, Floats]) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
