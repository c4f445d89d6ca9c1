"""`gaitkeeper tune`."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from model.bundle import DEFAULT_CLASSIFIER, DEFAULT_ENCODER, Bundle, Task, open_bundle, shipped
from model.errors import InvalidRequest
from model.execution import write_tuned
from model.runtime import OnnxClassifier, OnnxEncoder
from training.data.open import open_set
from training.evaluate.sources import GaitProtocol
from training.tune import exams
from training.tune.exams import Exam
from training.tune.tune import Choice, Prefer, tune


def tune_command(
    encoder: Annotated[Path | None, typer.Option(help="Bundle: a directory, or a shipped one's name.")] = None,
    classifier: Annotated[Path | None, typer.Option(help="The same, of the classifier.")] = None,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", metavar="PROTOCOL=PATH", help="Walks that rank-1 is measured on (simulated ones); again."),
    ] = None,
    actions: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Actions with labels (simulated ones); again for more.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Data directory of the service, which reads what is chosen.")] = Path(
        "gaitkeeper-data"
    ),
    threads: Annotated[int, typer.Option(min=1, help="Threads of one run, as the service will have.")] = 1,
    prefer: Annotated[
        Prefer, typer.Option(help="What is to be fast: a request alone, many at once, or both alike.")
    ] = "both",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure, and choose nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was measured as JSON.")] = False,
) -> None:
    """Choose how the models run on this machine: the fastest way that loses no more than 0.2 points of rank-1.

    Tried are ONNX Runtime in float32 and in 8 bits, and OpenVINO in float32 and bfloat16, each with several clips at a
    time. The service takes up what is chosen when it starts next, on hardware like this (`gaitkeeper serve`, setting
    execution). Let nothing else run meanwhile.

    Example: `gaitkeeper tune --on casia-b=data/test --on cbkings34=recordings/cbkings34.npz`
    """
    walking = open_bundle(encoder or shipped(DEFAULT_ENCODER))
    acting = open_bundle(classifier or shipped(DEFAULT_CLASSIFIER))
    told = Console(stderr=True)
    with told.status("making what is asked ...") as status:
        found = [_gait_exams(walking, on or [], threads), _action_exams(acting, actions or [], threads)]
        tasks: tuple[tuple[Bundle, Task], ...] = ((walking, "encoder"), (acting, "classifier"))
        chosen: list[tuple[Bundle, Choice]] = []
        for (bundle, task), asked in zip(tasks, found, strict=True):
            tell = partial(_tell, status, task)
            chosen.append((bundle, tune(bundle, task, asked, threads=threads, prefer=prefer, tell=tell)))
    for bundle, choice in chosen:
        if not dry_run:
            write_tuned(data, bundle, choice.tuned, choice.quantised)
    _show(chosen, found, data, dry_run=dry_run, as_json=as_json)


def _tell(status: Status, task: Task, what: str) -> None:
    status.update(f"{task}: {what} ...")


def _gait_exams(bundle: Bundle, on: list[str], threads: int) -> list[Exam]:
    model = OnnxEncoder(bundle, threads=threads)
    if not on:
        return [exams.walkers(model)]
    return [exams.recorded(model, path, protocol) for protocol, path in map(_protocol_and_path, on)]


def _action_exams(bundle: Bundle, paths: list[Path], threads: int) -> list[Exam]:
    model = OnnxClassifier(bundle, threads=threads)
    if not paths:
        return [exams.actions(model)]
    return [exams.action_exam(path.name, model, open_set(path)) for path in paths]


def _protocol_and_path(text: str) -> tuple[GaitProtocol, Path]:
    name, equals, path = text.partition("=")
    if not equals or name not in set(GaitProtocol):
        raise InvalidRequest("on", f"must be PROTOCOL=PATH with a protocol of {', '.join(GaitProtocol)}, got {text!r}")
    return GaitProtocol(name), Path(path)


def _show(
    chosen: list[tuple[Bundle, Choice]], asked: list[list[Exam]], data: Path, *, dry_run: bool, as_json: bool
) -> None:
    if as_json:
        print(json.dumps([_as_json(*each, exams) for each, exams in zip(chosen, asked, strict=True)], indent=1))
        return
    console = Console()
    for (bundle, choice), each in zip(chosen, asked, strict=True):
        console.print(_table(bundle, choice, each))
    console.print(f"hardware: {chosen[0][1].tuned.hardware}", highlight=False)
    if not dry_run:
        console.print(f"the service takes it up from {data} when it starts next", highlight=False)


def _as_json(bundle: Bundle, choice: Choice, asked: list[Exam]) -> dict[str, object]:
    tuned = choice.tuned
    sets = [{"name": exam.name, "sequences": exam.sequences, "people": exam.people} for exam in asked]
    found = {"bundle": bundle.name, "task": tuned.task, "execution": str(tuned.execution), "clips": tuned.clips}
    return {**found, "hardware": tuned.hardware, "sets": sets, "measured": tuned.measured}


def _table(bundle: Bundle, choice: Choice, asked: list[Exam]) -> Table:
    sets = ", ".join(f"{exam.name}: {exam.sequences:,} sequences of {exam.people} people" for exam in asked)
    names = [f"right on {exam.name}" for exam in asked]
    table = Table("execution", "one alone", "at best", "clips at once", *names, "", title=f"{bundle.name} ({sets})")
    for each in choice.tried:
        if not each.each:
            table.add_row(str(each.execution), *("" for _ in range(3 + len(asked))), each.why_not)
            continue
        right = [f"{100 * each.right[exam.name]:.2f} %" for exam in asked]
        verdict = "chosen" if each.execution is choice.tuned.execution else each.why_not or "slower"
        speeds = (f"{1000 * each.alone:.2f} ms", f"{1 / each.fastest:.0f} clips/s", str(each.clips))
        table.add_row(str(each.execution), *speeds, *right, verdict)
    return table
