"""`gaitkeeper evaluate openset`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gallery.calibration import Calibration
from gallery.interrupt import held_back
from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.errors import InvalidRequest
from model.graph import Device
from model.runtime import OnnxEncoder
from training.data.open import open_set
from training.evaluate.openset import OpenSetReport, Plan, evaluate_open_set
from training.evaluate.openset_data import Walks, chosen_columns, embedded, mask_of, read_embeddings, with_people
from training.evaluate.openset_page import open_set_page
from training.evaluate.openset_pictures import plot_all
from training.evaluate.openset_rows import csv_tables, to_json
from training.evaluate.openset_tables import caption, show_open_set
from training.evaluate.progress import bar
from training.evaluate.results import heading, rounded, to_text, write_csv, write_text
from training.evaluate.sources import is_simulated

WIDTH = 120


def openset(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where report, pictures and tables go.")
    ],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="PATH", help="A data set, as the other evaluations take it.")
    ] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option("--embeddings", metavar="FILE", help="Instead: npz with embeddings, subject, other labels."),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option("--bundle", metavar="BUNDLE", help="Directory, or a shipped bundle's name (the shipped one)."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="COLUMN", help="Groups, again and again; age:18,65 makes bands of numbers."),
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", metavar="CSV", help="More columns about people, by its column subject.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="COLUMN=VALUES", help="Use these sequences and no others.")
    ] = None,
    enroll: Annotated[
        list[str] | None, typer.Option("--enroll", metavar="COLUMN=VALUES", help="Make templates of these only.")
    ] = None,
    share: Annotated[float, typer.Option("--gallery-share", help="Of the people, enrolled at a time.")] = 0.5,
    divisions: Annotated[int, typer.Option(min=1, help="Into enrolled and strangers, at random.")] = 10,
    walks: Annotated[
        int | None, typer.Option(min=1, help="Enrolled of each person.", show_default="half of them")
    ] = None,
    templates: Annotated[
        int | None, typer.Option(min=1, help="At most, of each person.", show_default="all of those walks")
    ] = None,
    draws: Annotated[int, typer.Option(min=100, help="Of the people, for the intervals.")] = 1000,
    threshold: Annotated[
        float | None, typer.Option(help="Test this one.", show_default="the bundle's calibration")
    ] = None,
    require: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Pass or fail FPIR <= 1:1000 for a gallery of N; failing is status 1."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the divisions.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")] = False,
    device: Annotated[Device, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads of one run of the model.")] = None,
) -> None:
    """Misses and false alarms where some people are strangers, as NIST's 1:N reports give them.

    People are divided into enrolled and strangers, again and again. Writes report.html, PNG pictures, CSV tables and
    results.json to --out. Everybody in the data is used: give people whom the encoder was not trained on.

    Example: gaitkeeper evaluate openset --data data/test11 --by view --by condition --out results/openset
    """
    if (data is None) == (embeddings is None):
        raise InvalidRequest("data", "give --data or --embeddings, and not both")
    plan = Plan(share, divisions, walks, templates, draws, seed)
    source = data or embeddings
    assert source is not None
    opened = None if embeddings and bundle is None else open_bundle(bundle or shipped(DEFAULT_ENCODER))
    found = read_embeddings(source) if embeddings else _embedded(opened, source, device, threads)
    if labels is not None:
        found = with_people(found, labels)
    found = found.select(mask_of(found, only)) if only else found
    found, columns = chosen_columns(found, by or ())
    content = None if opened is None else opened.calibration_json()
    with bar("searching") as line:
        report = evaluate_open_set(
            found, columns, plan, eligible=mask_of(found, enroll or ()),
            prior=None if content is None else Calibration.from_json(content), threshold=threshold,
            operational=require, progress=line.of(divisions),
        )  # fmt: skip
    head = {"kind": "openset", "data": {"name": source.name, "simulated": found.simulated}}
    if opened is not None:
        head = heading("openset", opened, source, "random divisions", simulated=found.simulated)
    title = source.name if opened is None else f"{opened.name} on {source.name}"
    results = rounded(head | to_json(report))
    with bar("drawing"):
        _write(report, results, title, out)
    if json:
        typer.echo(to_text(results), nl=False)
    else:
        console = Console()
        if not console.is_terminal:  # in a file, no cell is cut off
            console.width = max(console.width, WIDTH)
        show_open_set(console, report, title)
        console.print(f"written to {out / 'report.html'}", style="dim")
    if report.requirement and not report.requirement.passed:
        raise typer.Exit(1)


def _embedded(bundle: Bundle | None, path: Path, device: Device, threads: int | None) -> Walks:
    assert bundle is not None
    encoder = OnnxEncoder(bundle, threads=threads, device=device)
    with bar("reading") as line:
        data = open_set(path, progress=line.of_bytes(path))
    with bar("embedding") as line:
        return embedded(encoder, data, simulated=is_simulated(path), progress=line.of(len(data)))


def _write(report: OpenSetReport, results: Mapping[str, Any], title: str, out: Path) -> None:
    """Every file, each whole; after Ctrl-C those begun are finished and no more are written."""
    with held_back() as interrupt:
        pictures = plot_all(report, caption(report, title), out)
        interrupt.check()
        for name, (header, rows) in csv_tables(report).items():
            write_csv(out / name, header, rows)
        write_text(out / "report.html", open_set_page(report, title, pictures))
        write_text(out / "results.json", to_text(results))
        interrupt.check()
