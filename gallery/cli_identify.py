"""The commands `identify` and `verify`."""

from pathlib import Path
from typing import Annotated

import typer

from gallery.options import AsJson, Aspect, BundlePath, Data, Fps, GalleryName, LayoutName, TrackName

File = Annotated[Path, typer.Argument(help="Keypoint file (see `gaitkeeper inspect`).")]
Threshold = Annotated[
    float | None, typer.Option(min=-1, max=1, help="Score to reach, instead of a calibrated threshold.")
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
    threshold: Threshold = None,
    as_json: AsJson = False,
) -> None:
    """Say who a sequence is, or that it is nobody we know.

    Example: gaitkeeper identify walk.json --gallery staff --fpir 0.01
    """
    from gallery import identify as use_case
    from gallery.opening import open_bundle_or_default, open_encoder, open_library, read_track
    from gallery.printing import print_json, say_decision

    opened = open_bundle_or_default(bundle)
    with open_library(data, opened) as library:
        found, notes = read_track(file, track, fps=fps, aspect=aspect, layout=layout)
        answer = use_case.identify(
            library, open_encoder(opened), name, [found.sequence], top_k=top_k, fpir=fpir, threshold=threshold
        )[0]
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
    threshold: Threshold = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a sequence is the subject it is said to be.

    Example: gaitkeeper verify walk.json --subject ann --gallery staff
    """
    from gallery import identify as use_case
    from gallery.opening import open_bundle_or_default, open_encoder, open_library, read_track
    from gallery.printing import print_json, say_decision

    opened = open_bundle_or_default(bundle)
    with open_library(data, opened) as library:
        found, notes = read_track(file, track, fps=fps, aspect=aspect, layout=layout)
        answer = use_case.verify(
            library, open_encoder(opened), name, subject, found.sequence, fmr=fmr, threshold=threshold
        )
    if as_json:
        told = {"file": str(file), "track": found.name, "gallery": name, "subject": subject}
        print_json(
            {**told, "bundle": opened.fingerprint, "decision": answer.decision, "notes": [*notes, *answer.notes]}
        )
    else:
        say_decision(answer.decision, [*notes, *answer.notes], claimed=subject)
