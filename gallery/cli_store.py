"""The commands `store show`, `check`, `backup` and `restore`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gallery.commands import group_of
from gallery.options import AsJson, Data, Yes, confirmed

if TYPE_CHECKING:
    from gallery.store import Store

STORE = {
    "show": "gallery.cli_store:show_store",
    "check": "gallery.cli_store:check_store",
    "backup": "gallery.cli_store:backup_store",
    "restore": "gallery.cli_store:restore_store",
}

store = group_of(
    STORE,
    "Show, check, back up and restore the store of a data directory.\n\nExample: gaitkeeper store backup monday.db",
)


@contextmanager
def _opened(data: Path) -> "Iterator[Store]":
    from gallery.opening import open_data

    found = open_data(data)
    try:
        yield found
    finally:
        found.close()


def show_store(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Show where the data is, how much there is, and where its logs end.

    Example: gaitkeeper store show
    """
    from gallery.printing import out, print_json
    from gallery.store.inspecting import contents

    with _opened(data) as held:
        found = contents(held)
    if as_json:
        print_json(found)
        return
    out.print(f"{found.kind} in {found.directory}, store {found.store}", markup=False, soft_wrap=True)
    out.print(f"{len(found.galleries)} galleries, {found.subjects} subjects, {found.templates} templates")
    out.print(f"audit log: {found.head}", soft_wrap=True)
    out.print(f"erasures: {found.destroyed} destroyed, {found.withheld} withheld")


def check_store(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Check the database, all that is sealed in it, the audit log and the journal of erasures; status 1 if something is
    wrong.

    Example: gaitkeeper store check
    """
    from gallery.printing import err, out, print_json
    from gallery.progress import counted
    from gallery.store.inspecting import contents, faults

    with _opened(data) as held, counted("checking") as progress:
        found, wrong = contents(held), faults(held, progress=progress)
    if as_json:
        print_json({"sound": not wrong, "wrong": wrong, "contents": found})
    else:
        for line in wrong:
            err.print(line, markup=False, soft_wrap=True)
        for each in found.galleries:
            mark = f"{each.content & (2**64 - 1):016x}"
            out.print(
                f"gallery {each.name}: {each.templates} templates, content {mark}, change {each.seq}", markup=False
            )
        out.print(f"audit log: {found.head}; erasures that are not final yet: {found.withheld}", soft_wrap=True)
        out.print("not sound" if wrong else "sound")
    if wrong:
        raise typer.Exit(1)


def backup_store(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The backup, a new file.", dir_okay=False)],
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Copy the database to a new file, as it is at one moment; the service may run meanwhile.

    The backup is sealed as the database is, and the master key is not in it: keep a copy of the key elsewhere, or the
    backup is worth nothing. The journal of erasures (erasures.jsonl) stays in the data directory, which must survive
    the database: copy it after each backup. PostgreSQL is backed up with `pg_dump --format=custom` and restored with
    `pg_restore`; the next command or service that opens the store then does the erasures again.

    Example: gaitkeeper store backup monday.db
    """
    from gallery.printing import out as printed
    from gallery.printing import print_json
    from gallery.progress import counted
    from gallery.store.backup import backup

    with _opened(data) as held, counted("pages") as progress:
        backup(held, out, progress=progress)
    found: dict[str, Any] = {"backup": str(out), "bytes": out.stat().st_size}
    if as_json:
        print_json(found)
    else:
        printed.print(f"{out}: {found['bytes']} bytes, without the master key", markup=False, soft_wrap=True)


def restore_store(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `store backup` wrote.", dir_okay=False)],
    data: Data = Path("gaitkeeper-data"),
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the database. What was enrolled since is lost, what was erased is erased again.

    Nothing else may have the store open. The backup is checked first; the present journal of erasures is kept, and
    entries of the audit log that the backup does not have are kept too. Index snapshots are made anew.

    Example: gaitkeeper store restore monday.db
    """
    import os

    from gallery.keys.masters import open_masters
    from gallery.maintenance import Maintenance
    from gallery.opening import open_library
    from gallery.printing import err, out, print_json
    from gallery.progress import counted
    from gallery.store.engine import DATABASE
    from gallery.store.restoring import restore
    from model.errors import InvalidRequest

    if os.environ.get("GAITKEEPER_DATABASE"):
        raise InvalidRequest("store", "is in PostgreSQL: use pg_restore; the next opening does its erasures again")
    if not yes and (data / DATABASE).exists():
        confirmed(f"Replace the database in {data}? What was enrolled after the backup is lost.")
    keys = os.environ.get("GAITKEEPER_KEYS") or None
    with counted("pages") as progress:
        found = restore(data, source, masters=None if keys is None else open_masters(keys, data), progress=progress)
    with open_library(data) as library:
        Maintenance(library).run_once()
    if as_json:
        print_json(found)
    else:
        kept = f"later entries of the audit log kept: {found.kept}"
        out.print(f"restored; erasures done again: {found.again}, {kept}", markup=False)
    if not found.keys:
        advice = "revoke again what was revoked since (`gaitkeeper api-keys list`)"
        err.print(f"the keys of callers are those of the backup: {advice}", soft_wrap=True)
