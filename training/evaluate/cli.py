"""`gaitkeeper evaluate`: gait, reid, openset, fusion, thresholds, growth, actions, ensemble, calibrate, manifest."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gallery.calibration import Calibration
from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.graph import Device
from model.runtime import OnnxEncoder
from training.data.open import open_set
from training.evaluate import show
from training.evaluate.actions_cli import actions
from training.evaluate.calibrate import calibrate_on
from training.evaluate.ensemble_cli import ensemble
from training.evaluate.gait import evaluate_gait
from training.evaluate.manifest import HEADER, manifest_rows
from training.evaluate.openset_cli import openset
from training.evaluate.plot import plot_matrices
from training.evaluate.progress import bar
from training.evaluate.reid_cli import reid
from training.evaluate.results import cell_rows, heading, left_out_rows, rounded, to_text, write_csv, write_text
from training.evaluate.sources import GaitProtocol, People, open_source
from training.evaluate.ways_cli import fusion, growth, thresholds
from training.protocols.casia_b import Training
from training.protocols.cells import used

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Measure a bundle on data with known answers, through the path that is served.\n\n"
    "Example: gaitkeeper evaluate gait --data data/walkers --out results/walkers",
)
app.command()(reid)
app.command()(openset)
app.command()(fusion)
app.command()(thresholds)
app.command()(growth)

BundleOption = Annotated[
    Path | None,
    typer.Option("--bundle", metavar="BUNDLE", help="Directory, or a shipped bundle's name (the shipped one)."),
]
DataOption = Annotated[
    Path, typer.Option("--data", metavar="PATH", help="A data set: directory of CSV files or of walkers, or npz.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")]
DeviceOption = Annotated[Device, typer.Option("--device", help="auto, cpu or cuda.")]
ThreadsOption = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of one run of the model.")]


@app.command()
def gait(
    data: DataOption,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where results.json, CSV and picture go.")
    ],
    bundle: BundleOption = None,
    protocol: Annotated[GaitProtocol, typer.Option("--protocol", help="What is searched by what.")] = (
        GaitProtocol.CASIA_B
    ),
    people: Annotated[
        People | None,
        typer.Option("--people", help="The test split, or all; default: test for casia-b, all for the others."),
    ] = None,
    split: Annotated[
        Training,
        typer.Option("--split", help="Of casia-b: 74 (lt), 62 (mt) or 24 (st) people trained, the others test."),
    ] = Training.LT,
    json: JsonOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Rank-1 identification by a protocol.

    Writes results.json, cells.csv (one row a pair of views), left_out.csv and matrices.png to --out.

    Example: gaitkeeper evaluate gait --bundle model/bundles/gait-sim-coco17 --data data/walkers --out results/walkers
    """
    opened = _opened(bundle, DEFAULT_ENCODER)
    encoder = OnnxEncoder(opened, threads=threads, device=device)
    with bar("reading") as line:
        source = open_source(data, protocol, people, training=split, progress=line.of_bytes(data))
    with bar("embedding") as line:
        result = evaluate_gait(encoder, source, prior=_prior(opened), progress=line.of(2 * len(used(source.cells))))
    name = protocol.value if split is Training.LT else f"{protocol.value}-{split.value}"
    head = heading("gait", opened, data, name, simulated=source.simulated)
    title = f"{opened.name} on {data.name}, protocol {name}, {result.people} people"
    plot_matrices(result.tables, title, out / "matrices.png")
    write_csv(out / "cells.csv", ("table", "gallery_view", "probe_view", "rank1", "probes"), cell_rows(result))
    write_csv(out / "left_out.csv", ("sequence", "reasons", "detail"), left_out_rows(result))
    _finish(out / "results.json", head | rounded(result.to_json()), lambda c: show.show_gait(c, result, title), json)


app.command()(actions)
app.command()(ensemble)


@app.command()
def calibrate(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="The calibration, a JSON file.")],
    bundle: BundleOption = None,
    made_on: Annotated[str, typer.Option("--made-on", help="What the data are, in words.")] = "",
    templates: Annotated[int, typer.Option("--templates", min=1, help="Templates of each enrolled subject.")] = 1,
    fpir: Annotated[float, typer.Option("--fpir", help="The false-positive rate to aim at by default.")] = 0.05,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random galleries.")] = 0,
    json: JsonOption = False,
    device: DeviceOption = "auto",
    threads: ThreadsOption = None,
) -> None:
    """Measure which threshold holds which false-positive rate, for galleries of several sizes.

    Everybody in the data is used: give people whom the encoder was not trained on.

    Example: gaitkeeper evaluate calibrate --bundle bundles/gait --data data/others --out bundles/gait/calibration.json
    """
    opened = _opened(bundle, DEFAULT_ENCODER)
    encoder = OnnxEncoder(opened, threads=threads, device=device)
    with bar("reading") as line:
        labelled = open_set(data, progress=line.of_bytes(data))
    with bar("embedding") as line:
        calibration, left_out = calibrate_on(
            encoder, labelled, made_on=made_on or labelled.name, templates_per_subject=templates, target_fpir=fpir,
            seed=seed, progress=line.of(len(labelled)),
        )  # fmt: skip

    def show_all(console: Console) -> None:
        show.show_calibration(console, calibration)
        show.show_left_out(console, left_out)

    _finish(out, calibration.to_json(), show_all, json)


@app.command()
def manifest(
    data: DataOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", dir_okay=False, help="The manifest, a CSV file.")],
    protocol: Annotated[GaitProtocol, typer.Option("--protocol", help="Whose gallery it is.")] = GaitProtocol.CBKINGS34,
    table: Annotated[
        str | None, typer.Option("--table", help="Of which figure; default: the protocol's first.")
    ] = None,
) -> None:
    """Write a manifest of a protocol's gallery, for `gaitkeeper enroll --manifest`.

    Example: gaitkeeper evaluate manifest --data recordings/cbkings34_mediapipe_gait.npz --out gallery.csv
    """
    rows = list(manifest_rows(data, protocol, table))
    write_csv(out, HEADER, rows)
    typer.echo(f"{len(rows)} sequences of {len({row[1] for row in rows})} people written to {out}")


def _opened(path: Path | None, default: str) -> Bundle:
    return open_bundle(path or shipped(default))


def _prior(bundle: Bundle) -> Calibration | None:
    content = bundle.calibration_json()
    return None if content is None else Calibration.from_json(content)


def _finish(path: Path, content: Mapping[str, Any], show_all: Callable[[Console], None], as_json: bool) -> None:
    """Keep the results, then print them: for a person, or for a program."""
    text = to_text(content)
    write_text(path, text)
    if as_json:
        typer.echo(text, nl=False)
        return
    console = Console()
    show_all(console)
    console.print(f"written to {path}", style="dim")
