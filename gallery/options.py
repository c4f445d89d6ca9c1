"""Options that the commands share."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from model.cli import Aspect, Fps, LayoutName

__all__ = ["AsJson", "Aspect", "BundlePath", "Data", "Fps", "GalleryName", "LayoutName", "TrackName"]

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
