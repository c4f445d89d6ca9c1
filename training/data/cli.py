"""Motion capture to data sets and samples: the command that the simulator's commands include."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from training.data.cmu import ACKNOWLEDGEMENT, observed, samples, trials
from training.simulate.samples import motion_capture_samples, write_samples


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
