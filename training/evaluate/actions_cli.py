"""`gaitkeeper evaluate actions`: the command."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from model.bundle import DEFAULT_CLASSIFIER, open_bundle, shipped
from model.errors import InvalidRequest
from model.graph import Device
from model.runtime import Classifier, OnnxClassifier
from training.data.occlude import Part
from training.evaluate.action_result import ActionResult
from training.evaluate.actions import Options, evaluate_actions
from training.evaluate.actions_show import show_actions, show_occlusion, show_source
from training.evaluate.actions_source import ActionSource, open_actions, size_of
from training.evaluate.occlusion import FRAMES, When, evaluate_occluded, evaluate_without_frames
from training.evaluate.plot import plot_confusion
from training.evaluate.progress import bar
from training.evaluate.results import heading, rounded, to_text, write_csv, write_text
from training.evaluate.seen import seen_in_training
from training.protocols.actions import ActionProtocol

PROBABILITIES = "probabilities.npz"


def actions(
    data: Annotated[
        Path, typer.Option("--data", metavar="PATH", help="A data set as it is distributed: its directory or its file.")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where results.json, CSV and picture go.")
    ],
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="BUNDLE", help="Directory, or a shipped bundle's name (the shipped one)."),
    ] = None,
    protocol: Annotated[ActionProtocol, typer.Option("--protocol", help="Which recordings are tested on.")] = (
        ActionProtocol.ALL
    ),
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="A split of the data set instead, as xsub_val.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--as", metavar="KIND", help="What the data are, where their content does not tell.")
    ] = None,
    clips: Annotated[
        int | None, typer.Option("--clips", min=1, max=100, help="Clips of a recording; default: the bundle's.")
    ] = None,
    official: Annotated[
        bool, typer.Option("--official-clips", help="Take the very frames that the published test (pyskl's) takes.")
    ] = False,
    occluded: Annotated[
        When | None,
        typer.Option("--occluded", help="Also with each part of the body hidden, before centring or after."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")] = False,
    device: Annotated[Device, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads of one run of the model.")] = None,
) -> None:
    """Accuracy of a classifier, class by class, on all recordings or on a data set's official test.

    Writes results.json, classes.csv, left_out.csv, confusion.png and probabilities.npz to --out. Recordings with a
    label that the classifier does not have are left out, and counted.

    Example: gaitkeeper evaluate actions --bundle bundles/utd --data utd_mhad.npz --protocol utd-mhad --out results/utd
    """
    if split is not None and protocol is not ActionProtocol.ALL:
        raise InvalidRequest("split", f"protocol {protocol} has its own; give one of the two")
    opened = open_bundle(bundle or shipped(DEFAULT_CLASSIFIER))
    classifier = OnnxClassifier(opened, threads=threads, device=device)
    with bar("reading") as line:
        source = open_actions(data, protocol, split=split, kind=kind, progress=line.of(size_of(data)))
    options: Options = {"clips": clips, "official": official, "groups": source.chosen.groups}
    measured = _measured(classifier, source, occluded, options)
    title = f"{opened.name} on {data.name} ({source.chosen.name})"
    write_tables(out, measured.result, title)
    seen = seen_in_training(opened.manifest.trained, source.loaded, source.chosen, data)
    head = heading("actions", opened, data, source.chosen.name, simulated=source.simulated)
    text = to_text(head | rounded(_content(source, measured, seen)))
    write_text(out / "results.json", text)
    if json:
        typer.echo(text, nl=False)
    else:
        _print(Console(), source, measured, seen, title, out)


@dataclass(frozen=True, eq=False)
class _Measured:
    """The result, and those with something hidden, by what it is."""

    result: ActionResult
    when: When | None
    parts: Mapping[Part, ActionResult]
    frames: Mapping[int, ActionResult]


def _measured(classifier: Classifier, source: ActionSource, when: When | None, options: Options) -> _Measured:
    tested = source.chosen.data
    with bar("classifying") as line:
        told: Options = {**options, "progress": line.of(len(tested))}
        result = evaluate_actions(classifier, tested, **told)
    if when is None:
        return _Measured(result, None, {}, {})
    with bar("hiding parts") as line:
        steps: Options = {**options, "progress": line.of((len(Part) + len(FRAMES)) * len(tested))}
        parts = evaluate_occluded(classifier, tested, when=when, **steps)
        frames = evaluate_without_frames(classifier, tested, **steps)
    return _Measured(result, when, parts, frames)


def write_tables(out: Path, result: ActionResult, title: str) -> None:
    """Everything beside results.json."""
    plot_confusion(result.confusion, result.labels, title, out / "confusion.png")
    classes = [(label, f"{share:.6f}", *counts) for label, (share, *counts) in result.by_class().items()]
    write_csv(out / "classes.csv", ("class", "accuracy", "recordings", "people"), classes)
    left_out = [(one.index, " ".join(one.reasons), one.detail) for one in result.left_out]
    write_csv(out / "left_out.csv", ("recording", "reasons", "detail"), left_out)
    result.save(out / PROBABILITIES)


def _content(source: ActionSource, measured: _Measured, seen: int) -> dict[str, Any]:
    chosen = source.chosen
    content = measured.result.to_json() | {
        "figure": chosen.figure,
        "data_set": {
            "kind": source.loaded.report.kind,
            "recordings": chosen.whole,
            "tested_on": len(chosen.data),
            "seen_in_training": seen,
            "expected": chosen.expected,
            "not_in_the_set": {reason: count for reason, (count, _) in source.loaded.report.left_out.items()},
            "problems": list(source.loaded.report.problems),
        },
    }
    if measured.when is None:
        return content
    hidden = {part.value: figures_of(each) for part, each in measured.parts.items()}
    frames = {str(count): figures_of(each) for count, each in measured.frames.items()}
    return content | {"occlusion": {"joints_hidden": measured.when.value, "parts": hidden, "frames_of_100": frames}}


def figures_of(result: ActionResult) -> dict[str, float]:
    """The three figures alone."""
    top5, mean = result.top(5), result.mean_by_class
    return {"accuracy": result.accuracy, "top5_accuracy": top5, "mean_class_accuracy": mean}


def _print(console: Console, source: ActionSource, measured: _Measured, seen: int, title: str, out: Path) -> None:
    show_actions(console, measured.result, title, source.chosen.figure)
    if measured.when is not None:
        hidden = {part.value: each for part, each in measured.parts.items()}
        hidden |= {f"{count} of 100 frames": each for count, each in measured.frames.items()}
        show_occlusion(console, measured.result, hidden, f"hidden in the test ({measured.when} centring)")
    show_source(console, source.chosen, source.loaded.report)
    if seen:
        line = f"{seen:,} of the recordings tested on are in what the bundle was made from: see its card"
        console.print(line, style="yellow", highlight=False)
    if source.simulated:
        console.print("the data are simulated", style="yellow")
    console.print(f"written to {out / 'results.json'}", style="dim")
