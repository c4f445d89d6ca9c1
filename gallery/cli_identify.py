"""The commands `identify` and `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from gallery.options import AsJson, Aspect, BundlePath, Data, Fps, GalleryName, LayoutName, TrackName

File = Annotated[Path, typer.Argument(help="Keypoint file (see `gaitkeeper inspect`).")]
Threshold = Annotated[
    float | None, typer.Option(min=-1, max=1, help="Score to reach, instead of a calibrated threshold.")
]
Db = Annotated[
    float | None, typer.Option("--db", min=0, max=100, help="The rate to hold in dB: 20 is 1 %, 30 is 0.1 %.")
]
AtLeast = Annotated[
    int | None, typer.Option("--at-least", min=0, help="Change of the gallery that the answer must have seen.")
]


def identify(
    file: File,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    track: TrackName = None,
    fps: Fps = None,
    aspect: Aspect = None,
    layout: LayoutName = None,
    top_k: Annotated[int, typer.Option(min=1, help="Candidates to list.")] = 5,
    fpir: Annotated[
        float | None, typer.Option(min=0, max=1, help="False-positive identification rate to hold.")
    ] = None,
    decibels: Db = None,
    threshold: Threshold = None,
    within: Annotated[
        list[str] | None,
        typer.Option("--within", metavar="SUBJECT", help="Search among these only; repeat it."),
    ] = None,
    within_file: Annotated[
        Path | None, typer.Option("--within-file", dir_okay=False, help="The same, one subject a line.")
    ] = None,
    at_least: AtLeast = None,
    as_json: AsJson = False,
) -> None:
    """Say who a sequence is, or that it is nobody we know.

    Example: gaitkeeper identify walk.json --gallery staff --fpir 0.01

    Example: gaitkeeper identify walk.json --within ann --within bob --db 20
    """
    from gallery import identify as use_case
    from gallery.opening import open_bundle_or_default, open_encoder, open_library, read_track
    from gallery.printing import print_json, say_decision

    rate, among = _one_rate("--fpir", fpir, decibels, threshold), _within(within, within_file)
    opened = open_bundle_or_default(bundle)
    with open_library(data, opened) as library:
        found, notes = read_track(file, track, fps=fps, aspect=aspect, layout=layout)
        encoder = open_encoder(opened)
        (answer,) = use_case.identify(
            library,
            encoder,
            name,
            [found.sequence],
            top_k=top_k,
            fpir=rate,
            threshold=threshold,
            within=among,
            at_least=at_least,
        )
    if as_json:
        told = {"file": str(file), "track": found.name, "gallery": name, "bundle": opened.fingerprint}
        print_json({**told, "decision": answer.decision, "notes": [*notes, *answer.notes]})
    else:
        say_decision(answer.decision, [*notes, *answer.notes])


def verify(
    file: File,
    subject: Annotated[str, typer.Option("--subject", help="Who it is said to be.")],
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    track: TrackName = None,
    fps: Fps = None,
    aspect: Aspect = None,
    layout: LayoutName = None,
    fmr: Annotated[float | None, typer.Option(min=0, max=1, help="False-match rate to hold.")] = None,
    decibels: Db = None,
    threshold: Threshold = None,
    at_least: AtLeast = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a sequence is the subject it is said to be.

    Example: gaitkeeper verify walk.json --subject ann --gallery staff
    """
    from gallery import identify as use_case
    from gallery.opening import open_bundle_or_default, open_encoder, open_library, read_track
    from gallery.printing import print_json, say_decision

    rate = _one_rate("--fmr", fmr, decibels, threshold)
    opened = open_bundle_or_default(bundle)
    with open_library(data, opened) as library:
        found, notes = read_track(file, track, fps=fps, aspect=aspect, layout=layout)
        encoder = open_encoder(opened)
        answer = use_case.verify(
            library, encoder, name, subject, found.sequence, fmr=rate, threshold=threshold, at_least=at_least
        )
    if as_json:
        told = {"file": str(file), "track": found.name, "gallery": name, "subject": subject}
        print_json(
            {**told, "bundle": opened.fingerprint, "decision": answer.decision, "notes": [*notes, *answer.notes]}
        )
    else:
        say_decision(answer.decision, [*notes, *answer.notes], claimed=subject)


def _one_rate(option: str, rate: float | None, decibels: float | None, threshold: float | None) -> float | None:
    """The rate that is asked for, in whichever way."""
    from gallery.metrics import rate_of_decibels

    if sum(each is not None for each in (rate, decibels, threshold)) > 1:
        raise typer.BadParameter(
            "one of them says what to hold a score against", param_hint=f"{option}, --db, --threshold"
        )
    return rate if decibels is None else rate_of_decibels(decibels)


def _within(named: list[str] | None, file: Path | None) -> list[str] | None:
    """The subjects that are named, and those of a file, each once. Raises `UnreadableFile`."""
    from model.errors import UnreadableFile

    if file is None:
        return list(dict.fromkeys(named)) if named else None
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UnreadableFile(str(file), "is not utf-8 text") from error
    except OSError as error:
        raise UnreadableFile(str(file), error.strerror or str(error)) from error
    listed = [line.strip() for line in lines if line.strip()]
    if not listed:
        raise UnreadableFile(str(file), "it names no subject")
    return list(dict.fromkeys([*(named or ()), *listed]))
