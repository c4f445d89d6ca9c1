"""The commands `audit list`, `head` and `verify`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gallery.commands import group_of
from gallery.options import AsJson, Data

if TYPE_CHECKING:
    from gallery.store.audit import Entry

AUDIT = {
    "list": "gallery.cli_audit:list_entries",
    "head": "gallery.cli_audit:show_head",
    "verify": "gallery.cli_audit:verify_log",
}

audit = group_of(
    AUDIT, "Who did what, when: list the audit log, and check its chain.\n\nExample: gaitkeeper audit verify"
)


def list_entries(
    data: Data = Path("gaitkeeper-data"),
    action: Annotated[str | None, typer.Option(help="Only this action, such as enroll, identify or erase.")] = None,
    gallery: Annotated[str | None, typer.Option("--gallery", "-g", help="Only what is of this gallery.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what is of this subject of the gallery.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Begin behind this entry.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")] = 1000,
    as_json: AsJson = False,
) -> None:
    """List entries of the audit log, oldest first. They name galleries and subjects by their keys.

    Example: gaitkeeper audit list --action erase --gallery staff
    """
    from gallery.opening import open_data
    from gallery.printing import err, out, print_json
    from gallery.store.audit import audit_page
    from gallery.store.tracing import key_of_gallery, key_of_subject
    from model.errors import InvalidRequest

    if subject is not None and gallery is None:
        raise InvalidRequest("subject", "is of a gallery: name it with --gallery")
    store = open_data(data)
    try:
        of_gallery = None if gallery is None else key_of_gallery(store, gallery)
        of_subject = None if subject is None or gallery is None else key_of_subject(store, gallery, subject)
        found = audit_page(store, after, limit, action=action, gallery_id=of_gallery, subject_id=of_subject)
    finally:
        store.close()
    if as_json:
        print_json([_plain(entry) for entry in found])
        return
    out.print(_table(found))
    if len(found) == limit:
        err.print(f"the next page: --after {found[-1].seq}", markup=False)


def _plain(entry: "Entry") -> dict[str, Any]:
    import json

    from gallery.store.moments import when

    return {
        "seq": entry.seq,
        "at": when(entry.at).isoformat(timespec="milliseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "gallery": entry.gallery_id,
        "subject": entry.subject_id,
        "detail": json.loads(entry.detail),
        "hash": entry.hash.hex(),
    }


def _table(entries: "list[Entry]") -> Any:
    from rich.markup import escape
    from rich.table import Table

    table = Table("entry", "when", "who", "action", "gallery", "subject", "detail")
    for entry in entries:
        held = _plain(entry)
        detail = ", ".join(f"{name} {value}" for name, value in held["detail"].items() if value is not None)
        keys = ("" if held[name] is None else str(held[name]) for name in ("gallery", "subject"))
        table.add_row(str(entry.seq), held["at"][:19], escape(entry.actor), entry.action, *keys, escape(detail))
    return table


def show_head(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Print the end of the audit log as SEQ:HASH. Note it down elsewhere: only then can it be seen later that
    entries were cut off at the end.

    Example: gaitkeeper audit head
    """
    from gallery.opening import open_data
    from gallery.printing import print_json
    from gallery.store.audit import audit_head

    store = open_data(data)
    try:
        head = audit_head(store)
    finally:
        store.close()
    if as_json:
        print_json({"seq": head.seq, "hash": head.hash})
    else:
        typer.echo(str(head))


def verify_log(
    data: Data = Path("gaitkeeper-data"),
    head: Annotated[str | None, typer.Option(metavar="SEQ:HASH", help="An end of the log noted earlier.")] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the chain of the audit log; status 1 if an entry was changed, removed, put in or moved.

    Example: gaitkeeper audit verify --head 4711:5f…c2
    """
    from gallery.opening import open_data
    from gallery.printing import err, out, print_json
    from gallery.progress import counted
    from gallery.store.audit import ChainHead, verify_chain

    noted = None if head is None else ChainHead.parse(head)
    store = open_data(data)
    try:
        with counted("entries") as progress:
            walk = verify_chain(store, noted, progress=progress)
    finally:
        store.close()
    if as_json:
        found = {"sound": walk.broken is None, "entries": walk.rows, "head": str(walk.head)}
        print_json({**found, "broken": walk.broken, "reason": walk.reason or None})
    elif walk.broken is None:
        out.print(f"sound: {walk.rows} entries, the last is {walk.head}", markup=False, soft_wrap=True)
    else:
        text = f"broken at entry {walk.broken}: {walk.reason}; {walk.rows} entries before it are sound"
        err.print(text, markup=False, soft_wrap=True)
    if walk.broken is not None:
        raise typer.Exit(1)
