"""The commands `gallery` and `subjects`; `enroll`, `identify` and `verify` are in files of their own.

The service may run meanwhile, and sees what they change.
"""

from pathlib import Path
from typing import Annotated

import typer

from gallery.cli_enroll import enroll
from gallery.cli_identify import identify, verify
from gallery.options import AsJson, BundlePath, Data, GalleryName

__all__ = ["enroll", "gallery", "identify", "subjects", "verify"]

gallery = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Create, list, show and delete galleries.\n\nExample: gaitkeeper gallery create staff",
)
subjects = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="List, show and erase the subjects of a gallery.\n\nExample: gaitkeeper subjects list --gallery staff",
)

SubjectId = Annotated[str, typer.Argument(metavar="ID", help="Subject.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@gallery.command("create")
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


@gallery.command("list")
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


@gallery.command("show")
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


@gallery.command("delete")
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
            _ask(f"Delete gallery {name} with {held.subjects} subjects?")
        library.delete(name)
    out.print(f"deleted gallery {name}: {held.subjects} subjects, {held.templates} templates", markup=False)


@subjects.command("list")
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


@subjects.command("show")
def show_subject(
    subject: SubjectId,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Show what is held about a subject.

    Example: gaitkeeper subjects show ann --gallery staff
    """
    from gallery.opening import open_library
    from gallery.printing import day, out, print_json, templates_table

    with open_library(data) as library:
        found = library.subject(name, subject)
        held = library.templates_of(name, subject)
    if as_json:
        print_json({"subject": found, "templates": held})
        return
    out.print(f"{found.id} in gallery {name}, enrolled {day(found.created)}", markup=False)
    out.print(templates_table(held))


@subjects.command("erase")
def erase_subject(
    subject: SubjectId,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    template: Annotated[int | None, typer.Option(help="Erase only this template.")] = None,
    yes: Yes = False,
) -> None:
    """Erase a subject, or one of its templates; no answer names it from then on.

    Example: gaitkeeper subjects erase ann --gallery staff --yes
    """
    from gallery.opening import open_library
    from gallery.printing import out
    from model.errors import UnknownTemplate

    with open_library(data) as library:
        held = library.templates_of(name, subject)
        if template is not None and template not in {each.id for each in held}:
            raise UnknownTemplate(name, str(template))
        what = f"subject {subject}" if template is None else f"template {template} of subject {subject}"
        if not yes:
            _ask(f"Erase {what} from gallery {name}?")
        if template is None:
            library.erase_subject(name, subject)
        else:
            library.erase_template(name, template)
    out.print(f"erased {what} from gallery {name}", markup=False)


def _ask(question: str) -> None:
    """Go on after a yes; anything else, or nobody to answer, changes nothing and ends with status 1."""
    try:
        typer.confirm(question, abort=True)
    except typer.Abort:
        typer.echo("\nnothing was changed; --yes does it without asking", err=True)
        raise typer.Exit(1) from None
