"""The commands `gallery create`, `list`, `show` and `delete`."""

from pathlib import Path
from typing import Annotated

import typer

from gallery.options import AsJson, BundlePath, Data, Yes, confirmed


def create(
    name: Annotated[str, typer.Argument(help="Name of the new gallery.")],
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    as_json: AsJson = False,
) -> None:
    """Create an empty gallery for the embeddings of one bundle.

    Example: gaitkeeper gallery create staff
    """
    from gallery.opening import open_bundle_or_default, open_library
    from gallery.printing import out, print_json

    opened = open_bundle_or_default(bundle)
    with open_library(data, opened, make=True) as library:
        made = library.create(name, fingerprint=opened.fingerprint, dim=opened.manifest.dim or 0)
    if as_json:
        print_json(made)
    else:
        out.print(f"created gallery {made.name} for bundle {opened.manifest.name}", markup=False)


def list_galleries(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """List the galleries.

    Example: gaitkeeper gallery list
    """
    from gallery.opening import open_library
    from gallery.printing import galleries_table, out, print_json

    with open_library(data) as library:
        found = library.galleries()
    if as_json:
        print_json(found)
    else:
        out.print(galleries_table(found))


def show_gallery(
    name: Annotated[str, typer.Argument(help="Name of the gallery.")] = "default",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Show one gallery: its size, its bundle, its calibration.

    Example: gaitkeeper gallery show staff
    """
    from gallery.opening import open_library
    from gallery.printing import day, out, print_json

    with open_library(data) as library:
        found = library.store.gallery(name)
    if as_json:
        print_json(found)
        return
    held = found.gallery
    out.print(f"{held.name}: {held.subjects} subjects, {held.templates} templates", markup=False)
    out.print(f"bundle {held.fingerprint}, {held.dim} numbers a template, created {day(held.created)}", soft_wrap=True)
    own = found.calibration
    out.print(f"calibration: {'the bundle’s' if own is None else own['id']}")


def delete_gallery(
    name: Annotated[str, typer.Argument(help="Name of the gallery.")],
    data: Data = Path("gaitkeeper-data"),
    yes: Yes = False,
) -> None:
    """Delete a gallery with all its subjects and templates; there is no way back.

    Example: gaitkeeper gallery delete staff --yes
    """
    from gallery.opening import open_library
    from gallery.printing import out

    with open_library(data) as library:
        held = library.gallery(name)
        if not yes:
            confirmed(f"Delete gallery {name} with {held.subjects} subjects?")
        library.delete(name)
    out.print(f"deleted gallery {name}: {held.subjects} subjects, {held.templates} templates", markup=False)
