"""From runs to a bundle: ONNX, its proof, manifest, card. Nothing is written unless all of it holds."""

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
from model.bundle_writing import refuse_foreign, write_bundle
from model.errors import InvalidRequest
from model.sequence import Floats
from training.card import card
from training.ensemble import Ensemble
from training.onnx_graph import check_equal, to_onnx
from training.run import Run

_FILE: dict[Task, str] = {"encoder": ENCODER, "classifier": CLASSIFIER}
PACKAGES = ("torch", "onnx", "onnxruntime", "numpy")


@dataclass(frozen=True)
class Exported:
    """difference: largest between ONNX Runtime and torch over all batch sizes and lengths tried."""

    bundle: Bundle
    difference: float


@dataclass(frozen=True)
class Converted:
    """An ensemble's networks as one ONNX graph. kept: inputs and torch's outputs, for the parity file."""

    made: Ensemble
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


def export_run(
    runs: Path | Sequence[Path],
    out: Path,
    *,
    name: str | None = None,
    attached: Attached | None = None,
    weights: Sequence[float] | None = None,
) -> Exported:
    """Writes the bundle `out` from a run's best network, or from those of several; one that is there is replaced.

    Runs that learned subjects give an encoder, those that learned actions a classifier. weights: of each run, by
    default `training.ensemble.default_weights`. Raises `ExportRejected` if ONNX Runtime and torch differ,
    `InvalidRequest` for runs that do not fit each other or results of another model, `InvalidRecipe` for no run,
    `InvalidBundle`, before anything else, where `out` holds something else.
    """
    refuse_foreign(out)
    made = Ensemble.load([runs] if isinstance(runs, Path) else runs, weights)
    return write(convert(made), out, name=name, attached=attached)


def convert(made: Ensemble | Run) -> Converted:
    """The slow part: about half a minute a network. Raises `ExportRejected`."""
    if isinstance(made, Run):
        made = Ensemble.of(made)
    model = to_onnx(made)
    return Converted(made, model, *check_equal(model, made))


def write(converted: Converted, out: Path, *, name: str | None = None, attached: Attached | None = None) -> Exported:
    """Raises `InvalidRequest` for results of another model."""
    attached, made = attached or Attached(), converted.made
    files = {_FILE[made.task]: converted.model, PARITY: _npz(converted.kept)}
    if attached.calibration:
        files[CALIBRATION] = json.dumps(attached.calibration.to_json(), indent=1).encode() + b"\n"
    about = _manifest(made, name or default_name(made), files)
    _check_about(attached.results, Bundle(out, about).fingerprint)
    text = card(about, made, attached.results, attached.calibration, converted.difference, attached.notes)
    bundle = write_bundle(
        out,
        {**files, CARD: text.encode()},
        name=about.name,
        layout=about.layout,
        clip=about.clip,
        dim=about.dim,
        labels=about.labels,
        streams=about.streams,
        trained=about.trained,
    )
    return Exported(bundle, converted.difference)


def default_name(made: Ensemble) -> str:
    """The recipe's name; of several runs, the first one's and how many there are, as in `ntu60-xsub-6s`."""
    name = made.runs[0].recipe.name
    return name if len(made.runs) == 1 else f"{name}-{len(made.runs)}s"


def _manifest(made: Ensemble, name: str, files: Mapping[str, bytes]) -> Manifest:
    """As it will be written, but for the card's hash, which is no part of the fingerprint."""
    task = made.task
    return Manifest(
        name=name,
        layout=made.layout.name,
        clip=made.clip,
        dim=made.dim if task == "encoder" else None,
        labels=() if task == "encoder" else made.labels,
        files={file: sha256(content) for file, content in files.items()},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        streams=made.members if len(made.runs) > 1 else (),
        trained={
            **_origin(made),
            "exported_with": {package: _version(package) for package in PACKAGES},
            "classes": len(made.labels),
            "parameters": sum(tensor.numel() for network in made.networks for tensor in network.parameters()),
        },
    )


def _origin(made: Ensemble) -> dict[str, Any]:
    """What made the network; of an ensemble, `members`: the same of each, in the manifest's order of streams."""
    each = [
        {
            "recipe": run.recipe.model_dump(mode="json"),
            "commit": run.about.get("commit"),
            "trained_with": run.about.get("versions", {}),
            "best": run.about.get("best"),
        }
        for run in made.runs
    ]
    return each[0] if len(each) == 1 else {"members": each}


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
