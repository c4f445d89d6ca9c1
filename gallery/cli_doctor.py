"""The command `gallery doctor`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.options import AsJson, Data

if TYPE_CHECKING:
    from gallery.doctor_findings import Held, Report

SHOWN = 10


def doctor(
    name: Annotated[str, typer.Argument(help="Name of the gallery.")] = "default",
    data: Data = Path("gaitkeeper-data"),
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", dir_okay=False, help="Write a report in HTML.")
    ] = None,
    days: Annotated[int, typer.Option(min=0, max=3650, help="Consent that ends within so many is expiring.")] = 30,
    strict: Annotated[bool, typer.Option("--strict", help="Advice is a finding too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Examine a gallery: people enrolled twice, templates under a wrong name, who is hard to know, what is lacking.

    Nothing is changed, and the audit log says that it was looked at. Status 0: nothing was found; 1: something was.
    Advice, such as a missing view, is no finding unless --strict.

    Example: gaitkeeper gallery doctor staff --out staff.html
    """
    from gallery.printing import print_json

    held = _read(data, name)
    report = _examined(held, days)
    if out is not None:
        from gallery.doctor_page import doctor_page

        _write(out, doctor_page(report))
    if as_json:
        print_json(report.to_json())
    else:
        _say(report, out)
    if report.serious or (strict and report.findings):
        raise typer.Exit(1)


def _read(data: Path, name: str) -> "Held":
    """The gallery, and a line in the audit log: everybody is compared with everybody, which is many searches."""
    from gallery.doctor_findings import Held
    from gallery.opening import open_data
    from gallery.store.audit import Note, append_many
    from gallery.store.examining import examine

    store = open_data(data)
    try:
        found = examine(store, name)
        numbers = {"subjects": len(found.people), "templates": len(found.rows.ids)}
        append_many(store, [Note("examine", found.head.key, None, numbers)])
        return Held.of(found)
    finally:
        store.close()


def _examined(held: "Held", days: int) -> "Report":
    from datetime import timedelta

    from gallery.doctor import examine, work_of
    from gallery.progress import counted
    from gallery.template import now

    with counted("examining") as told:
        done, of = 0, work_of(held)

        def progress(more: int) -> None:
            nonlocal done
            done += more
            told(done, of)

        return examine(held, now=now(), soon=timedelta(days=days), progress=progress)


def _say(report: "Report", written: Path | None) -> None:
    from itertools import groupby

    from rich.markup import escape
    from rich.table import Table

    from gallery.printing import out

    out.print(f"gallery {report.gallery}: {report.subjects:,} subjects, {report.templates:,} templates", markup=False)
    table = Table("check", "among", "found", "bound, or why it was not looked for")
    for check in report.checks:
        found = f"{check.found:,}" if check.done else "-"
        table.add_row(check.name, check.looked_at, f"[bold]{found}[/]" if check.found else found, escape(check.note))
    out.print(table)
    for _, group in groupby(report.findings, key=lambda finding: finding.kind):
        each = list(group)
        for finding in each[:SHOWN]:
            mark = "  advice:" if finding.advice else "finding:"
            out.print(f"{mark} {finding.text}", markup=False, soft_wrap=True)
        if len(each) > SHOWN:
            out.print(f"         and {len(each) - SHOWN:,} more of this kind; --json lists all", style="dim")
    if not report.serious:
        out.print("nothing was found" + ("; see the advice" if report.findings else ""), style="green")
    if written is not None:
        out.print(f"written to {written}", style="dim", markup=False)


def _write(path: Path, text: str) -> None:
    """The page at `path`, whole or not at all, for this user only: it names people."""
    import os
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
