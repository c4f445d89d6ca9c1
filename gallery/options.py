"""Options that the commands share, and the question before what cannot be undone."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from model.cli import Aspect, Fps, LayoutName

__all__ = [
    "AsJson",
    "Aspect",
    "BundlePath",
    "ConsentReference",
    "Data",
    "DuplicateFpir",
    "DuplicatesMode",
    "Expires",
    "Fps",
    "GalleryName",
    "LayoutName",
    "Purpose",
    "SubjectId",
    "TrackName",
    "Yes",
    "confirmed",
]

Data: TypeAlias = Annotated[
    Path, typer.Option("--data", envvar="GAITKEEPER_DATA", help="Data directory.", file_okay=False)
]
GalleryName: TypeAlias = Annotated[str, typer.Option("--gallery", "-g", help="Name of the gallery.")]
BundlePath: TypeAlias = Annotated[
    Path | None,
    typer.Option("--bundle", help="Directory, or a shipped bundle's name.", show_default="the shipped encoder"),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TrackName: TypeAlias = Annotated[str | None, typer.Option("--track", help="Which person, if the file holds several.")]
SubjectId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Subject.")]
ConsentReference: TypeAlias = Annotated[
    str | None, typer.Option("--consent", help="Reference of the subject's consent, in your own files.")
]
Purpose: TypeAlias = Annotated[str | None, typer.Option("--purpose", help="What the subject is enrolled for.")]
Expires: TypeAlias = Annotated[
    str | None,
    typer.Option("--expires", metavar="DAY|90d|never", help="From when on the subject is not to be named any more."),
]
DuplicatesMode: TypeAlias = Annotated[
    Literal["check", "note", "off"] | None,
    typer.Option(
        "--duplicates",
        envvar="GAITKEEPER_DUPLICATES",
        help="A new subject who looks like another: refuse it, only say so, or do not look.",
        show_default="check where the gallery has a calibration of its own",
    ),
]
DuplicateFpir: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--duplicate-fpir",
        min=0,
        max=1,
        help="Share of new people who may be refused falsely.",
        show_default="the calibration's target",
    ),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def confirmed(question: str) -> None:
    """Go on after a yes; anything else, or nobody to answer, changes nothing and ends with status 1."""
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        typer.echo("\nnothing was changed; --yes does it without asking", err=True)
        raise typer.Exit(1) from None
