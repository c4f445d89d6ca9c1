"""The commands `subjects erase`, and `gallery erasures`, `receipt`, `verify-erasure` and `purge`."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gallery.options import AsJson, Data, GalleryName, SubjectId, Yes, confirmed

if TYPE_CHECKING:
    from gallery.store import Erasure

# How long a command waits for who is reading just then; after that the service's maintenance goes on with it.
FINISH_S = 5.0

ReceiptFile = Annotated[
    Path | None, typer.Option("--receipt", help="Write the signed receipt to this new file.", dir_okay=False)
]


def erase_subject(
    subject: SubjectId,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    template: Annotated[int | None, typer.Option(help="Erase only this template.")] = None,
    receipt: ReceiptFile = None,
    named: Annotated[bool, typer.Option("--name-in-receipt", help="Put the subject's id into the receipt.")] = False,
    yes: Yes = False,
) -> None:
    """Erase a subject, or one of its templates; no answer names it from then on.

    The erasure is final (`destroyed`) when no snapshot and no former row of the database holds it any more: at once if
    nothing is reading just then, else by the service's maintenance within a minute.

    Example: gaitkeeper subjects erase ann --gallery staff --yes --receipt ann.json
    """
    from gallery.erasure import receipt_of
    from gallery.maintenance import Maintenance
    from gallery.opening import open_library
    from gallery.printing import out
    from model.errors import UnknownTemplate

    _refuse_unwritable(receipt)
    with open_library(data) as library:
        if template is not None and template not in {each.id for each in library.templates_of(name, subject)}:
            raise UnknownTemplate(name, str(template))
        what = f"subject {subject}" if template is None else f"template {template} of subject {subject}"
        if template is None and not yes:
            library.subject(name, subject)
        if not yes:
            confirmed(f"Erase {what} from gallery {name}?")
        erasure = library.erase_subject(name, subject) if template is None else library.erase_template(name, template)
        done = Maintenance(library).finish([erasure.id], FINISH_S)
        state = "destroyed" if done else "withheld"
        out.print(f"erased {what} from gallery {name}: {state}, receipt {erasure.id}", markup=False, soft_wrap=True)
        # Not before: nobody needs a key to be forgotten, but to sign one is needed.
        if receipt is not None:
            _write(receipt, receipt_of(library.store, erasure.id, subject_id=subject if named else None))


def _refuse_unwritable(receipt: Path | None) -> None:
    """Before anything is erased: afterwards it would be too late to say so."""
    from model.errors import InvalidRequest

    if receipt is None:
        return
    if receipt.exists():
        raise InvalidRequest("receipt", f"{receipt} exists already, and is not overwritten")
    if not os.access(receipt.parent, os.W_OK | os.X_OK):
        raise InvalidRequest("receipt", f"{receipt.parent} is no directory that can be written to")


def _write(path: Path, document: dict[str, Any]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(json.dumps(document, indent=2) + "\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def list_erasures(
    data: Data = Path("gaitkeeper-data"),
    after: Annotated[int, typer.Option(min=0, help="Begin behind this change.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List the erasures of all galleries, oldest first, and how far each has come.

    Example: gaitkeeper gallery erasures
    """
    from gallery.opening import open_data
    from gallery.printing import err, out, print_json
    from gallery.store.tracing import erasures_page

    store = open_data(data)
    try:
        found = erasures_page(store, after, limit)
    finally:
        store.close()
    if as_json:
        print_json(found)
        return
    out.print(_table(found))
    if len(found) == limit:
        err.print(f"the next page: --after {found[-1].seq}", markup=False)


def _table(found: "list[Erasure]") -> Any:
    from rich.table import Table

    from gallery.printing import day

    table = Table("when", "gallery", "subject", "what", "state")
    table.add_column("erasure", no_wrap=True)
    for each in found:
        what = "all of it" if each.whole else f"{len(each.templates)} templates"
        table.add_row(day(each.at), str(each.gallery), str(each.subject or "all"), what, each.state, each.id)
    return table


def show_receipt(
    erasure: Annotated[str, typer.Argument(metavar="ERASURE", help="Its id, as `gallery erasures` lists it.")],
    data: Data = Path("gaitkeeper-data"),
    out: Annotated[Path | None, typer.Option("--out", help="Write it to this new file.", dir_okay=False)] = None,
) -> None:
    """Print the signed receipt of an erasure, as far as it has come.

    Example: gaitkeeper gallery receipt 5d9da370-2c8e-4970-807e-3c2c4f5a5013
    """
    from gallery.erasure import receipt_of
    from gallery.opening import open_data

    _refuse_unwritable(out)
    store = open_data(data)
    try:
        document = receipt_of(store, erasure)
    finally:
        store.close()
    if out is None:
        typer.echo(json.dumps(document, indent=2))
    else:
        _write(out, document)


def verify_erasure(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="A receipt.", dir_okay=False)],
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Hold a receipt against all that there is today; status 1 if something of it is not so.

    Looked at: the signature, every table, the keys of the index snapshots that may have held what was erased (without
    its key a snapshot is noise), the entry in the audit log and the whole chain, and what answers may name.

    Example: gaitkeeper gallery verify-erasure ann.json
    """
    from gallery.erasure import read_receipt, verify_receipt
    from gallery.opening import open_data
    from gallery.printing import err, out, print_json
    from gallery.progress import counted

    found = read_receipt(receipt)
    store = open_data(data)
    try:
        with counted("entries of the audit log") as progress:
            wrong = verify_receipt(store, found, progress=progress)
    finally:
        store.close()
    if as_json:
        print_json({"sound": not wrong, "state": found.erasure.state, "wrong": wrong})
    elif wrong:
        for line in wrong:
            err.print(line, markup=False, soft_wrap=True)
    else:
        out.print(f"sound: {found.erasure.state}, nothing of it is left in what answers, and the receipt is ours")
    if wrong:
        raise typer.Exit(1)


def purge(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Erase the subjects whose consent has expired and the skeletons past their time, and make erasures final.

    The service does so by itself; without one, call this daily. Subjects that are held stay.

    Example: gaitkeeper gallery purge
    """
    from gallery.maintenance import Maintenance
    from gallery.opening import open_library
    from gallery.printing import out, print_json

    with open_library(data) as library:
        done = Maintenance(library).run_once()
    if as_json:
        print_json(done)
    else:
        gone = f"purged {done.purged} subjects and {done.skeletons} skeletons"
        out.print(f"{gone}; {len(done.destroyed)} erasures destroyed, {done.pending} not yet")
