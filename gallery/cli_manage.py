"""The commands `subjects set`, `rename`, `merge`, `move` and `copy`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gallery.options import (
    AsJson,
    ConsentReference,
    Data,
    Expires,
    GalleryName,
    Purpose,
    SubjectId,
    Yes,
    confirmed,
)

if TYPE_CHECKING:
    from gallery.template import Subject

METADATA_BYTES = 1024 * 1024


def set_subject(
    subject: SubjectId,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    reference: ConsentReference = None,
    purpose: Purpose = None,
    expires: Expires = None,
    hold: Annotated[
        str | None,
        typer.Option("--hold", metavar="REASON", help="It must not be erased, purged, merged or moved."),
    ] = None,
    release: Annotated[bool, typer.Option("--release", help="End the hold.")] = False,
    metadata: Annotated[
        Path | None,
        typer.Option("--metadata", dir_okay=False, help="An object of JSON that replaces what is kept; {} empties it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set a subject's consent, purpose, expiry, hold or metadata; what is not named stays. An empty text takes a
    reference or a purpose away.

    Example: gaitkeeper subjects set ann --consent A-17 --purpose access --expires 2031-01-01

    Example: gaitkeeper subjects set ann --hold "case 12"
    """
    from gallery.consent import changed
    from gallery.opening import open_library
    from gallery.printing import print_json, say_subject

    if hold is not None and release:
        raise typer.BadParameter("a hold is either set or ended", param_hint="--hold, --release")
    values: dict[str, Any] = {}
    if hold is not None or release:
        values["hold"] = None if release else hold
    if metadata is not None:
        values["metadata"] = _metadata(metadata)
    consent = any(each is not None for each in (reference, purpose, expires))
    if not values and not consent:
        raise typer.BadParameter("name what to set: --consent, --purpose, --expires, --hold, --release or --metadata")
    with open_library(data) as library:
        if consent:
            before = library.subject(name, subject).consent
            values["consent"] = changed(before, reference, purpose, expires)
        found = library.store.update_subject(name, subject, **values)
    if as_json:
        print_json(found)
    else:
        say_subject(found)


def _metadata(file: Path) -> dict[str, Any]:
    import json

    from model.errors import UnreadableFile

    try:
        if file.stat().st_size > METADATA_BYTES:
            raise UnreadableFile(str(file), f"larger than {METADATA_BYTES} bytes")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableFile(str(file), error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(str(file), f"is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise UnreadableFile(str(file), "is not an object of JSON")
    return content


def rename(
    subject: SubjectId,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new id.")],
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Give a subject another id; all else stays.

    Example: gaitkeeper subjects rename ann anna --gallery staff
    """
    from gallery.opening import open_library
    from gallery.store.managing import rename_subject

    with open_library(data) as library:
        found = rename_subject(library.store, name, subject, new)
    _say(found, f"{subject} is {found.id} in gallery {name} now", as_json)


def merge(
    subject: SubjectId,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The subject that gets all of it.")],
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    force: Annotated[bool, typer.Option("--force", help="Although they were enrolled for different purposes.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Merge a subject into another: two ids turned out to be one person. The earlier end of their consents holds.

    Example: gaitkeeper subjects merge ann-2 ann --gallery staff --yes
    """
    from gallery.opening import open_library
    from gallery.store.managing import merge_subjects

    with open_library(data) as library:
        held = library.subject(name, subject)
        library.subject(name, into)
        if not yes:
            confirmed(f"Give the {held.templates} templates of {subject} to {into}? {subject} is no more then.")
        found = merge_subjects(library.store, name, subject, into, force=force)
    _say(found, f"merged {subject} into {into}, who has {found.templates} templates now", as_json)


def move(
    subject: SubjectId,
    to: Annotated[str, typer.Argument(metavar="GALLERY", help="Gallery of the same bundle.")],
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Move a subject, with all that is held on it, to another gallery of the same bundle.

    Example: gaitkeeper subjects move ann visitors --gallery staff
    """
    from gallery.opening import open_library
    from gallery.store.managing import move_subject

    with open_library(data) as library:
        found = move_subject(library.store, name, subject, to)
    _say(found, f"moved {subject} from gallery {name} to {to}: {found.templates} templates", as_json)


def copy(
    subject: SubjectId,
    target: Annotated[Path, typer.Argument(metavar="OUT.zip", help="Where to write it, for this user only.")],
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write everything that is held on a subject to one zip, for a request of access: nobody else's data are in it.

    Example: gaitkeeper subjects copy ann ann.zip --gallery staff
    """
    from gallery.access import check_target, copy_of, write_private
    from gallery.opening import open_library
    from gallery.printing import out, print_json

    check_target(target, force=force)
    with open_library(data) as library:
        found = copy_of(library.store, name, subject)
    write_private(target, found.content, force=force)
    if as_json:
        print_json({"subject": subject, "gallery": name, "file": str(target), "files": found.files})
    else:
        out.print(f"wrote {target}: {len(found.files)} files, {len(found.content)} bytes", markup=False, soft_wrap=True)


def _say(found: "Subject", line: str, as_json: bool) -> None:
    from gallery.printing import out, print_json

    if as_json:
        print_json(found)
    else:
        out.print(line, markup=False, soft_wrap=True)
