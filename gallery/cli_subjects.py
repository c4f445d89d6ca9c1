"""The commands `subjects list` and `show`."""

from pathlib import Path
from typing import Annotated

import typer

from gallery.options import AsJson, Data, GalleryName, SubjectId


def list_subjects(
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    after: Annotated[str, typer.Option(help="Begin behind this subject.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List the subjects of a gallery.

    Example: gaitkeeper subjects list --gallery staff
    """
    from gallery.opening import open_library
    from gallery.printing import err, out, print_json, subjects_table

    with open_library(data) as library:
        found = library.subjects(name, after=after, limit=limit)
        total = library.gallery(name).subjects
    if as_json:
        print_json(found)
        return
    out.print(subjects_table(found))
    if len(found) < total:
        err.print(f"{len(found)} of {total}; the next page: --after {found[-1].id if found else after}", markup=False)


def show_subject(
    subject: SubjectId,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Show what is held about a subject: consent, hold, metadata, templates.

    Example: gaitkeeper subjects show ann --gallery staff
    """
    from gallery.opening import open_library
    from gallery.printing import out, print_json, say_subject, templates_table

    with open_library(data) as library:
        found = library.subject(name, subject)
        held = library.templates_of(name, subject)
    if as_json:
        print_json({"subject": found, "templates": held})
        return
    say_subject(found)
    out.print(templates_table(held))
