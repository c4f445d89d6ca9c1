"""`gaitkeeper export`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from model.errors import InvalidRequest

if TYPE_CHECKING:
    from training.export import Exported


def export(
    run: Annotated[
        list[Path],
        typer.Argument(help="Directory of a run, as `gaitkeeper train` left it; of several, for an ensemble."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Directory of the bundle; replaced if it is one already.")],
    weights: Annotated[
        str | None,
        typer.Option(
            help="How much each run counts, as 2,2,1,1. By default 2 for joints and bones and 1 for their motions, as "
            "published, where each run is of another one of these streams; otherwise 1 for each.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="The bundle's name; by default the recipe's.")] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="calibration.json that was measured with this model.")
    ] = None,
    results: Annotated[
        list[Path] | None, typer.Option(help="results.json of an evaluation, for the card; may be given again.")
    ] = None,
    notes: Annotated[Path | None, typer.Option(help="A text for the card, in Markdown.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Export a run's best network to a bundle, or those of several runs over the same clips to one that holds them all.

    It is refused unless ONNX Runtime and torch agree to 1e-4 at every batch size and length that is tried. Equal
    weights give an equal model, so a bundle can be exported again to add its results and its calibration.

    Several runs answer as one model: the weighted mean of their probabilities, or for encoders of their cosines.

    Example: gaitkeeper export runs/gait --out bundles/gait --results runs/gait/casia-b/results.json

    Example: gaitkeeper export runs/joint runs/bone runs/motion --weights 2,2,1 --out bundles/ensemble
    """
    told = weights_of(weights)
    with Console(stderr=True).status(f"exporting {_networks(len(run))} (half a minute or more each)"):
        from training.export import Attached, export_run  # torch takes seconds to import

        attached = Attached.read(calibration, results or (), notes)
        done = export_run(run, out, name=name, attached=attached, weights=told)
    _print(out, done, as_json=json_output)


def weights_of(text: str | None) -> tuple[float, ...] | None:
    """Numbers between commas; raises `InvalidRequest`.

    >>> weights_of("2, 2,1")
    (2.0, 2.0, 1.0)
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidRequest("weights", f"takes numbers between commas, as 2,2,1,1; got {text!r}") from error


def _print(out: Path, done: "Exported", *, as_json: bool) -> None:
    bundle = done.bundle
    streams = [member.model_dump(mode="json") for member in bundle.manifest.streams]
    if as_json:
        about = {"bundle": str(out), "fingerprint": bundle.fingerprint, "difference": done.difference}
        typer.echo(json.dumps(about | {"tasks": bundle.tasks, "files": bundle.manifest.files, "streams": streams}))
        return
    typer.echo(f"{out}: {', '.join(bundle.tasks)} {bundle.name} {bundle.fingerprint[:12]}")
    for member in bundle.manifest.streams:
        typer.echo(f"  {member.weight:g} x {member.name} ({', '.join(member.streams)})")
    typer.echo(f"ONNX Runtime and torch differ by at most {done.difference:.1e}")


def _networks(count: int) -> str:
    return "the network" if count == 1 else f"{count} networks"
