"""The commands `gallery export` and `gallery import`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.options import AsJson, Data

if TYPE_CHECKING:
    from gallery.archive.lock import Opener

PassphraseFile = Annotated[
    Path | None, typer.Option("--passphrase-file", help="File whose first line is the passphrase.")
]
RecipientKey = Annotated[
    Path | None, typer.Option("--recipient-key", help="File of 32 random bytes that both sides have.")
]


def export_gallery(
    name: Annotated[str, typer.Argument(help="Name of the gallery.")],
    out_file: Annotated[Path, typer.Argument(metavar="OUT", help="The archive to be written, such as staff.gka.")],
    data: Data = Path("gaitkeeper-data"),
    with_vault: Annotated[
        bool, typer.Option("--with-vault", help="With the sequences that the gallery keeps.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    recipient_key: RecipientKey = None,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a gallery into one file, signed and encrypted: templates, subjects with consent, holds and metadata, its
    calibration. Without a file for the secret, a passphrase is asked for. The service may run meanwhile.

    Whoever imports it elsewhere must know the public key that is printed (`gaitkeeper gallery import --trust`). What
    is erased from the gallery later stays in its archives: destroy those, or their key, too.

    Example: gaitkeeper gallery export staff staff.gka --recipient-key backup.key
    """
    from gallery.archive.exporting import export_gallery as write
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.progress import interruptible
    from model.errors import InvalidRequest

    if out_file.exists() and not force:
        raise InvalidRequest("OUT", f"{out_file} is there already; --force replaces it")
    opener = _opener(passphrase_file, recipient_key, confirm=True)
    store = open_data(data)
    try:
        with interruptible("exporting") as progress:
            made = write(store, name, out_file, opener, with_vault=with_vault, progress=progress)
    finally:
        store.close()
    if as_json:
        print_json({"file": str(out_file), **_fields(made)})
        return
    what = f"{made.subjects} subjects, {made.templates} templates"
    what += f", {made.skeletons} sequences" if with_vault else ""
    out.print(f"exported gallery {name} to {out_file}: {what}", markup=False, soft_wrap=True)
    out.print(f"signed with the key {made.public_key}", markup=False, soft_wrap=True)


def import_gallery(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The archive.")],
    data: Data = Path("gaitkeeper-data"),
    name: Annotated[str | None, typer.Option("--as", help="Name of the gallery here.", show_default="its own")] = None,
    trust: Annotated[
        str | None, typer.Option("--trust", help="Public key of the store that signed it.", show_default="this store")
    ] = None,
    passphrase_file: PassphraseFile = None,
    recipient_key: RecipientKey = None,
    as_json: AsJson = False,
) -> None:
    """Make a gallery of an archive, all or nothing; it answers as the exported one did. All of the file is checked
    before anything is written. Of this store's own archives, who was erased from that gallery since does not come back;
    an archive of another store brings everybody who is in it.

    Example: gaitkeeper gallery import staff.gka --recipient-key backup.key --as staff-2026
    """
    from gallery.archive.importing import import_gallery as read
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.progress import interruptible

    trusted = None if trust is None else _public_key(trust)
    opener = _opener(passphrase_file, recipient_key, confirm=False)
    store = open_data(data, make=True)
    try:
        with interruptible("importing") as progress:
            made = read(store, file, opener, name=name, trusted=trusted, progress=progress)
    finally:
        store.close()
    if as_json:
        print_json(_fields(made))
        return
    what = f"{made.subjects} subjects, {made.templates} templates"
    what += f", {made.skeletons} sequences" if made.skeletons else ""
    out.print(f"imported gallery {made.gallery}: {what}", markup=False, soft_wrap=True)
    if made.erased:
        out.print(f"left out: {made.erased} templates that were erased here since", markup=False)


def _opener(passphrase_file: Path | None, recipient_key: Path | None, *, confirm: bool) -> "Opener":
    from gallery.archive.lock import key_file, passphrase
    from gallery.archive.lock import passphrase_file as from_file

    if passphrase_file is not None and recipient_key is not None:
        raise typer.BadParameter("give one of --passphrase-file and --recipient-key")
    if passphrase_file is not None:
        return from_file(passphrase_file)
    if recipient_key is not None:
        return key_file(recipient_key)
    return passphrase(_typed(confirm=confirm))


def _typed(*, confirm: bool) -> str:
    """A passphrase from the terminal; where it would be seen, or there is none, nobody is asked."""
    import warnings
    from getpass import GetPassWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", GetPassWarning)
            return str(
                typer.prompt("Passphrase of the archive", hide_input=True, confirmation_prompt=confirm, err=True)
            )
    except (typer.Abort, GetPassWarning):
        said = "no passphrase was given; --passphrase-file or --recipient-key names a file with a secret"
        typer.echo(f"\nerror: {said}", err=True)
        raise typer.Exit(2) from None


def _public_key(text: str) -> bytes:
    import binascii
    from base64 import b64decode

    from model.errors import InvalidRequest

    try:
        found = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != 32:
        raise InvalidRequest("trust", "must be a public key as `gaitkeeper keys show` prints it")
    return found


def _fields(made: object) -> dict[str, object]:
    from gallery.printing import plain

    fields: dict[str, object] = plain(made)
    return fields
