"""`gaitkeeper simulate walkers|actions`."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.data.arrays import SequenceSet
from training.data.casia_b import WALKERS_FILE
from training.data.cli import capture
from training.simulate import realism, samples, write
from training.simulate.actions import simulate_actions
from training.simulate.cameras import CASIA_B_VIEWS
from training.simulate.noise import NoiseModel
from training.simulate.seeds import role_of
from training.simulate.walkers import CASIA_B_WALKS, people, simulate_walkers

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Simulate walkers and actions: data that needs nobody's licence.\n\n"
    "Example: gaitkeeper simulate walkers --subjects 124 --out data/walkers",
)


app.command()(capture)


class Format(StrEnum):
    csv = "csv"
    npz = "npz"
    both = "both"


class CameraChoice(StrEnum):
    casia_b = "casia-b"
    random = "random"


Out = Annotated[Path, typer.Option("--out", help="Directory to write to.", file_okay=False)]
Seed = Annotated[int, typer.Option(min=0, help="The world: 0-999 test, 1000-1999 training, 2000-2999 selection.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
View = Annotated[CameraChoice, typer.Option(help="The ring of 11 cameras, or others on every walk.")]


@app.command()
def walkers(
    out: Out,
    subjects: Annotated[int, typer.Option(min=1, max=900, help="How many people.")] = 124,
    first: Annotated[int, typer.Option(min=1, max=900, help="Number of the first; up to 74 are for training.")] = 1,
    seed: Seed = 7,
    cameras: View = CameraChoice.casia_b,
    views: Annotated[int, typer.Option(min=1, max=50, help="Random cameras a walk; the ring always has 11.")] = 11,
    same_body: Annotated[bool, typer.Option("--same-body", help="One body for all: only motion differs.")] = False,
    format: Annotated[Format, typer.Option(help="GaitGraph CSV, npz, or both.")] = Format.both,
    check: Annotated[bool, typer.Option(help="Identify by bones and by motion alone, and print how well.")] = True,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Walkers in CASIA-B's structure: 6 normal walks, 2 with a bag, 2 in a coat, before 11 cameras.

    Writes casia-b_pose_train_valid.csv (subjects 1-74), casia-b_pose_test.csv (75 and above), walkers.npz, and
    people.csv (sex and stature), and simulation.json with everything that made them. The same seed gives the same data.

    Example: gaitkeeper simulate walkers --subjects 124 --out data/walkers
    """
    write.refuse_existing(out, write.WALKERS_FILES, force=force)
    numbers = range(first, first + subjects)
    ring = cameras is CameraChoice.casia_b
    with _bar("subjects", subjects) as moved:
        made = simulate_walkers(
            numbers,
            seed=seed,
            cameras=cameras.value,
            same_body=same_body,
            workers=workers,
            progress=lambda done, _: moved(done),
            views=CASIA_B_VIEWS if ring else views,
        )
    found = None
    if check and _checkable(made, ring):
        with _status("checking realism"):
            found = realism.check(made)
    parameters = _parameters(made, seed, cameras) | {
        "first_subject": first,
        "walks": dict(CASIA_B_WALKS),
        "same_body": same_body,
        "realism": None if found is None else asdict(found),
    }
    with write.replacing(out, write.WALKERS_FILES) as draft:
        _write_walkers(draft, made, format)
        if not same_body:
            write.write_people(draft, people(numbers, seed))
        write.write_parameters(draft, parameters)
    _report(out, parameters, found, as_json)


@app.command()
def actions(
    out: Out,
    subjects: Annotated[int, typer.Option(min=1, max=900, help="How many people.")] = 100,
    per_action: Annotated[int, typer.Option(min=1, max=50, help="Recordings of each action by each person.")] = 2,
    views: Annotated[int, typer.Option(min=1, max=20, help="Cameras before each recording.")] = 1,
    seed: Seed = 7,
    cameras: View = CameraChoice.random,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Simple actions: stand, sit down, stand up, wave, bend, squat, turn; 2 to 4 seconds each.

    Writes actions.npz and simulation.json. The same seed gives the same data.

    Example: gaitkeeper simulate actions --subjects 100 --out data/actions
    """
    write.refuse_existing(out, write.ACTIONS_FILES, force=force)
    with _bar("subjects", subjects) as moved:
        made = simulate_actions(
            subjects,
            seed=seed,
            per_action=per_action,
            views=views,
            cameras=cameras.value,
            progress=lambda done, _: moved(done),
        )
    parameters = _parameters(made, seed, cameras)
    with write.replacing(out, write.ACTIONS_FILES) as draft:
        made.save_npz(draft / write.ACTIONS_FILE, compress=False)
        write.write_parameters(draft, parameters)
    _report(out, parameters, None, as_json)


@app.command("samples")
def samples_(out: Out) -> None:
    """Samples for the demo: people to enroll, probes of them and of strangers, and actions.

    Writes OUT/walkers and OUT/actions, each with its samples.json.

    Example: gaitkeeper simulate samples --out service/samples
    """
    made = f"gaitkeeper simulate samples --out {out.name} (seed {samples.SEED})"
    samples.write_samples(out / "walkers", made, samples.walker_samples())
    samples.write_samples(out / "actions", made, samples.action_samples())


def _checkable(made: SequenceSet, ring: bool) -> bool:
    """The checks learn on half of the people and compare within a view."""
    return ring and len(np.unique(made.subject)) >= 8


def _parameters(made: SequenceSet, seed: int, cameras: CameraChoice) -> dict[str, Any]:
    return {
        "format": 1,
        "seed": seed,
        "role": role_of(seed),
        "cameras": cameras.value,
        "subjects": len(np.unique(made.subject)),
        "sequences": len(made),
        "frames": int(made.offsets[-1]),
        "actions": sorted(set(made.action.tolist())),
        "fps": made.fps,
        "noise": asdict(NoiseModel()),
        "numpy": np.__version__,
    }


def _write_walkers(draft: Path, made: SequenceSet, form: Format) -> None:
    if form is not Format.npz:
        with _bar("sequences to text", len(made)) as moved:
            done = iter(range(1, len(made) + 1))
            write.write_casia_b(draft, made, written=lambda _: moved(next(done)))
    if form is not Format.csv:
        with _status("writing npz"):
            made.save_npz(draft / WALKERS_FILE, compress=False)


def _report(out: Path, parameters: dict[str, Any], found: realism.Realism | None, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"out": str(out), **parameters}, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    counts = f"{parameters['sequences']} sequences ({parameters['frames']} frames) of {parameters['subjects']} subjects"
    console.print(f"{out}: {counts}, seed {parameters['seed']} ({parameters['role']})", markup=False)
    for line in found.lines() if found else []:
        console.print(line, markup=False)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; the function sets how many are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def _status(what: str) -> Iterator[None]:
    with Console(stderr=True).status(what):
        yield
