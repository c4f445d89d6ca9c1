"""`gaitkeeper export`."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def export(
    run: Annotated[Path, typer.Argument(help="Directory of a run, as `gaitkeeper train` left it.")],
    out: Annotated[Path, typer.Option("--out", help="Directory of the bundle; replaced if it is one already.")],
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
    """Export a run's best network to a bundle.

    It is refused unless ONNX Runtime and torch agree to 1e-4 at every batch size and length that is tried. Equal
    weights give an equal model, so a bundle can be exported again to add its results and its calibration.

    Example: gaitkeeper export runs/gait --out bundles/gait --results runs/gait/casia-b/results.json
    """
    with Console(stderr=True).status("exporting the network (half a minute or more)"):
        from training.export import Attached, export_run  # torch takes seconds to import

        attached = Attached.read(calibration, results or (), notes)
        done = export_run(run, out, name=name, attached=attached)
    bundle = done.bundle
    if json_output:
        about = {"bundle": str(out), "fingerprint": bundle.fingerprint, "difference": done.difference}
        typer.echo(json.dumps(about | {"tasks": bundle.tasks, "files": bundle.manifest.files}))
        return
    typer.echo(f"{out}: {', '.join(bundle.tasks)} {bundle.name} {bundle.fingerprint[:12]}")
    typer.echo(f"ONNX Runtime and torch differ by at most {done.difference:.1e}")
