"""`gaitkeeper data`: which data sets are known and what one holds. And a command that the simulator's include: motion
capture to data sets and samples.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from training.data.cmu import ACKNOWLEDGEMENT, observed, samples, trials
from training.simulate.samples import motion_capture_samples, write_samples

data = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Look at data sets as they are distributed.\n\nExample: gaitkeeper data check nturgb+d_skeletons",
)


@data.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="DIR", help="A data set: its directory, or its one file.")],
    kind: Annotated[
        str | None, typer.Option("--as", metavar="KIND", help="What it is, where its content does not tell.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is in a data set, what would be left out and why, and whether that is what should be there.

    Everything is read once and nothing is kept. A directory may hold several sets that are one file each. Ends with
    status 0 where all is as the makers say, 1 where something is missing or unexpected, 2 for what cannot be read.

    Example: gaitkeeper data check nturgb+d_skeletons --as ntu60-raw
    """
    from training.data.kinds import sets_at
    from training.data.load import check as look_at
    from training.data.load import one_set
    from training.evaluate.progress import bar

    reports = []
    for found, source in [one_set(path, kind)] if kind else sets_at(path):
        with bar(f"reading {source.name}") as line:
            total = sum(file.stat().st_size for file in found.files(source))
            reports.append(look_at(found, source, progress=line.of(total)))
        if not as_json:
            typer.echo("\n".join(reports[-1].lines()))
    fine = all(report.as_expected for report in reports)
    if as_json:
        typer.echo(json.dumps({"as_expected": fine, "sets": [report.to_json() for report in reports]}, indent=1))
    raise typer.Exit(0 if fine else 1)


@data.command()
def kinds(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the kinds of data sets that can be read, as `check --as` and recipes name them.

    Example: gaitkeeper data kinds
    """
    from training.data.kinds import KINDS

    if as_json:
        typer.echo(json.dumps({name: kind.title for name, kind in KINDS.items()}, indent=1))
        return
    for name, kind in KINDS.items():
        typer.echo(f"{name:<20} {kind.title}")


def capture(
    recordings: Annotated[Path, typer.Argument(help="cmu_mocap.npz, the motion capture.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The data set, an npz file.")],
    cameras: Annotated[int, typer.Option("--cameras", min=1, help="Random cameras that see each trial.")] = 8,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of cameras and noise.")] = 1000,
    samples_dir: Annotated[
        Path | None, typer.Option("--samples", metavar="DIR", help="Also write sample files of trials kept out.")
    ] = None,
) -> None:
    """Film recorded walks, runs and jumps with simulated cameras.

    The data set's `part` says which trials may be trained on ("train") and which are of other people ("test").

    Example: gaitkeeper simulate capture recordings/cmu_mocap.npz --out data/capture.npz
    """
    pieces = trials(recordings)
    data = observed(pieces, cameras=cameras, seed=seed)
    data.save_npz(out)
    typer.echo(f"{len(data)} sequences of {len(np.unique(data.subject))} people written to {out}")
    if samples_dir is None:
        return
    made = f"gaitkeeper simulate capture {recordings.name} --samples {samples_dir.name}. {ACKNOWLEDGEMENT}"
    write_samples(samples_dir, made, motion_capture_samples(samples(pieces)))
    note = "Real people, filmed by simulated cameras: walk, run and jump of people whom no bundle was trained on.\n"
    (samples_dir / "ACKNOWLEDGEMENT.txt").write_text(f"{note}{ACKNOWLEDGEMENT}\n", encoding="utf-8")
