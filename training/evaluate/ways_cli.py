"""`gaitkeeper evaluate fusion`, `thresholds` and `growth`: how a gallery should score and decide, and what holds."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from gallery.calibration import Calibration
from gallery.calibration_data import read_embeddings
from gallery.metrics import Interval, Names
from gallery.trials import Labelled
from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.runtime import OnnxEncoder
from training.data.arrays import SequenceSet
from training.data.open import open_set
from training.evaluate.clip_ways import Clips, embed_clips
from training.evaluate.embedding import embed_set
from training.evaluate.fusion import Comparison, compare
from training.evaluate.growth import grow
from training.evaluate.progress import bar
from training.evaluate.results import rounded, to_text, write_text
from training.evaluate.show import per_cent, plain_grid
from training.evaluate.sources import GaitProtocol, open_source
from training.evaluate.thresholds import SPLITS, Errors, compare_thresholds, scenes_of

TARGETS = (0.05, 0.1, 0.2)

BundlePath = Annotated[
    Path | None, typer.Option("--bundle", metavar="BUNDLE", help="Directory or name (the shipped one).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of what is drawn at random.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", dir_okay=False, help="Keep the results as JSON, too.")
]


def fusion(
    data: Annotated[Path | None, typer.Option("--data", metavar="PATH", help="A data set, which is embedded.")] = None,
    embeddings: Annotated[
        Path | None,
        typer.Option("--embeddings", metavar="NPZ", help="Or embeddings: arrays embeddings, subject[, sequence]."),
    ] = None,
    bundle: BundlePath = None,
    part: Annotated[str | None, typer.Option("--part", help="Only the sequences of this part of the data set.")] = None,
    templates: Annotated[int, typer.Option("--templates", min=1, help="Enrolled sequences of each subject.")] = 4,
    uneven: Annotated[bool, typer.Option("--uneven", help="From 1 to twice as many instead.")] = False,
    draws: Annotated[int, typer.Option("--draws", min=10, help="Of the bootstrap over people.")] = 1000,
    seed: Seed = 0,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Compare ways to score a subject, to normalise, to fuse clips and to demand a margin: mates missed (FNIR) where
    1 % and 5 % of strangers are let through; and two ways to make likelihood ratios.

    Example: gaitkeeper evaluate fusion --data recordings/cbkings34_mediapipe_gait.npz --part gallery_set
    """
    if (data is None) == (embeddings is None):
        raise typer.BadParameter("give --data or --embeddings")
    labelled, clips = _of_file(embeddings) if embeddings else _of_set(_some(data, part), _opened(bundle))
    found = compare(labelled, templates=templates, uneven=uneven, clips=clips, draws=draws, seed=seed)
    text = to_text(rounded(found.to_json()))
    if out is not None:
        write_text(out, text)
    if json:
        typer.echo(text, nl=False)
    else:
        _show_ways(Console(), found)


def thresholds(
    data: Annotated[Path, typer.Option("--data", metavar="PATH", help="Recordings, or another data set.")],
    protocol: Annotated[GaitProtocol, typer.Option("--protocol", help="What is enrolled and what searches.")],
    bundle: BundlePath = None,
    splits: Annotated[int, typer.Option("--splits", min=1, help="How often other people are the strangers.")] = SPLITS,
    fpir: Annotated[list[float] | None, typer.Option("--fpir", help="Rates to aim at (0.05, 0.1, 0.2).")] = None,
    seed: Seed = 0,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Compare the bundle's thresholds with those that a gallery measures on itself: a quarter of the people stay
    strangers, the others are enrolled, again and again.

    Example: gaitkeeper evaluate thresholds --data recordings/cbkings34_mediapipe_gait.npz --protocol cbkings34
    """
    opened = _opened(bundle)
    content = opened.calibration_json()
    prior = None if content is None else Calibration.from_json(content)
    source = open_source(data, protocol)
    with bar("embedding") as line:
        embedded = embed_set(
            OnnxEncoder(opened), source.data, np.arange(len(source.data)), progress=line.of(len(source.data))
        )
    scenes = scenes_of(source.cells, np.flatnonzero(embedded.usable))
    found: list[Errors] = []
    with bar("calibrating") as line:
        advance = line.of(len(scenes))
        for scene in scenes:
            found += compare_thresholds(
                embedded.embeddings, source.data.subject, _sessions(source.data), scene, tuple(fpir or TARGETS), prior,
                splits=splits, seed=seed,
            )  # fmt: skip
            advance(1)
    text = to_text({"data": data.name, "bundle": opened.name, "errors": [rounded(one.to_json()) for one in found]})
    if out is not None:
        write_text(out, text)
    if json:
        typer.echo(text, nl=False)
    else:
        _show_thresholds(Console(), found)


def growth(
    embeddings: Annotated[
        Path, typer.Option("--embeddings", metavar="NPZ", help="Of many people: embeddings, subject[, sequence].")
    ],
    known: Annotated[int, typer.Option("--known", min=3, help="People to calibrate on.")] = 100,
    splits: Annotated[int, typer.Option("--splits", min=1, help="How often other people are known.")] = 20,
    fpir: Annotated[list[float] | None, typer.Option("--fpir", help="Rates to aim at (0.05, 0.1).")] = None,
    seed: Seed = 0,
    out: Out = None,
    json: AsJson = False,
) -> None:
    """Calibrate on a few people, enroll three and ten times as many: does the rate hold where nothing was measured?

    Example: gaitkeeper evaluate growth --embeddings population.npz --known 100
    """
    labelled, _ = _of_file(embeddings)
    found = list(grow(labelled, known, tuple(fpir or TARGETS[:2]), splits=splits, seed=seed))
    text = to_text({"embeddings": embeddings.name, "growth": [rounded(one.to_json()) for one in found]})
    if out is not None:
        write_text(out, text)
    if json:
        typer.echo(text, nl=False)
        return
    grid = plain_grid(
        f"thresholds of {known} people in galleries of more",
        ("aim %", "FPIR %", "most draws", "FNIR %", "too few people"),
    )
    for one in found:
        most = f"{per_cent(one.fpir_low)}-{per_cent(one.fpir_high)}"
        refused = f"{one.refused}/{one.splits}"
        grid.add_row(str(one.size), f"{100 * one.rate:g}", per_cent(one.fpir), most, per_cent(one.fnir), refused)
    Console().print(grid)


def _opened(path: Path | None) -> Bundle:
    return open_bundle(path or shipped(DEFAULT_ENCODER))


def _some(data: Path | None, part: str | None) -> SequenceSet:
    assert data is not None
    found = open_set(data)
    return found if part is None else found.select(found.part == part)


def _sessions(data: SequenceSet) -> Names:
    """The walk each is of, which several cameras may have seen."""
    return np.array([f"{data.subject[i]}|{data.part[i]}|{data.sequence_name[i]}" for i in range(len(data))])


def _of_file(path: Path) -> tuple[Labelled, None]:
    found = read_embeddings(path)
    walks = found.labels.get("sequence")
    sessions = None if walks is None else np.char.add(np.char.add(found.subjects, "|"), walks)
    return Labelled.of(found.embeddings, found.subjects, sessions), None


def _of_set(data: SequenceSet, bundle: Bundle) -> tuple[Labelled, Clips]:
    encoder = OnnxEncoder(bundle)
    with bar("embedding") as line:
        advance = line.of(2 * len(data))
        embedded = embed_set(encoder, data, np.arange(len(data)), progress=advance)
        kept = np.flatnonzero(embedded.usable)
        clips = embed_clips(encoder, data, kept, progress=advance)
    return Labelled.of(embedded.embeddings[kept], data.subject[kept], _sessions(data)[kept]), clips


def _show_ways(console: Console, found: Comparison) -> None:
    for group, ways in found.groups.items():
        grid = plain_grid(f"FNIR %, {group}", [f"at FPIR {100 * rate:g} %" for rate in found.rates])
        for way in ways:
            grid.add_row(way.name, *(_with_interval(one) for one in way.misses))
        console.print(grid)
    for name, bits in found.evidence.items():
        console.print(f"likelihood ratios by {name}: Cllr {bits:.3f} bits (0: an oracle, 1: no evidence)")
    console.print(f"{found.people} people, {found.templates} templates, {found.probes} searches")


def _show_thresholds(console: Console, found: list[Errors]) -> None:
    columns = ("aim %", "thresholds", "threshold", "FPIR %", "FNIR %", "too few people")
    grid = plain_grid("strangers let through, and mates missed", columns)
    for one in found:
        refused = f"{one.refused}/{one.splits}"
        threshold = "-" if one.refused == one.splits else f"{one.threshold:.3f}"
        grid.add_row(
            f"{one.scene} ({one.enrolled:g})", f"{100 * one.rate:g}", one.kind, threshold,
            _with_interval(one.fpir), _with_interval(one.fnir), refused,
        )  # fmt: skip
    console.print(grid)


def _with_interval(one: Interval | None) -> str:
    if one is None:
        return "-"
    return f"{per_cent(one.value)} ({per_cent(one.low)}-{per_cent(one.high)})"
