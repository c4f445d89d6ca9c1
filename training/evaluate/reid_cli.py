"""`gaitkeeper evaluate reid`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.graph import Device
from model.runtime import OnnxEncoder
from training.evaluate import reid_show
from training.evaluate.progress import bar
from training.evaluate.reid import evaluate_reid, steps
from training.evaluate.reid_picture import plot_cmc
from training.evaluate.reid_source import open_windows
from training.evaluate.results import heading, rounded, to_text, write_csv, write_text
from training.evaluate.sources import People
from training.evaluate.ways_cli import AsJson, BundlePath
from training.protocols import reid as protocol


def reid(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="PATH", help="CASIA-B in any form, TranSG's .npy too; walkers; or an npz."),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where results.json, CSV and picture go.")
    ],
    bundle: BundlePath = None,
    people: Annotated[
        People, typer.Option("--people", help="The test split (TranSG's own; else 063-124), or all.")
    ] = People.TEST,
    frames: Annotated[int, typer.Option("--frames", min=2, help="Of a window; sequences are cut.")] = protocol.FRAMES,
    json: AsJson = False,
    device: Annotated[Device, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads of one run of the model.")] = None,
) -> None:
    """Re-identify windows of 40 frames: N-N, B-B, C-C, C-N, B-N, as published and strictly, side by side.

    Writes results.json, settings.csv, cmc.csv, left_out.csv and cmc.png to --out: Rank-1, 5 and 10, mAP and mINP with
    95 % intervals over people. Where probes and gallery wear the same, the published way counts the next window of
    the same walk before the same camera as found; the strict one searches other views only.

    Example: gaitkeeper evaluate reid --bundle bundles/casia-b-reid --data data/casia-b --out results/reid
    """
    opened = open_bundle(bundle or shipped(DEFAULT_ENCODER))
    encoder = OnnxEncoder(opened, threads=threads, device=device)
    with bar("reading") as line:
        windows = open_windows(data, people, frames, progress=line.of_bytes(data))
    with bar("embedding and searching") as line:
        result = evaluate_reid(encoder, windows, progress=line.of(steps(windows.data)))
    title = f"{opened.name} on {data.name}, re-identification of {result.people} people"
    plot_cmc(result, title, out / "cmc.png")
    counts = ("people", "probes", "gallery")
    write_csv(out / "settings.csv", (*reid_show.CSV_HEADER, *counts), reid_show.csv_rows(result))
    write_csv(out / "cmc.csv", ("setting", "variant", "rank", "share"), reid_show.cmc_rows(result))
    write_csv(out / "left_out.csv", ("window", "reasons", "detail"), reid_show.left_out_rows(result))
    head = heading("reid", opened, data, protocol.NAME, simulated=windows.simulated)
    text = to_text(rounded(head | reid_show.to_json(result)))
    write_text(out / "results.json", text)
    if json:
        typer.echo(text, nl=False)
        return
    console = Console()
    reid_show.show_reid(console, result, title)
    console.print(f"written to {out / 'results.json'}", style="dim")
