"""The commands `gallery create`, `list`, `show` and `delete`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.options import AsJson, BundlePath, Data, Yes, confirmed

if TYPE_CHECKING:
    from gallery.store.generations import Generation
    from gallery.store.rows import Details
    from gallery.store.vault import Vault


def create(
    name: Annotated[str, typer.Argument(help="Name of the new gallery.")],
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    vault_days: Annotated[
        int | None,
        typer.Option(
            "--vault-days",
            min=1,
            max=3650,
            help="Keep the skeletons too, encrypted, for so many days: a later encoder can embed them again.",
            show_default="none are kept",
        ),
    ] = None,
    protected: Annotated[
        bool,
        typer.Option("--protected", help="Keep and search embeddings under a secret transform of this gallery."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Create an empty gallery for the embeddings of one bundle.

    Example: gaitkeeper gallery create staff

    Example: gaitkeeper gallery create staff --vault-days 365 --protected
    """
    from gallery.opening import open_bundle_or_default, open_library
    from gallery.printing import out, print_json

    opened = open_bundle_or_default(bundle)
    with open_library(data, opened, make=True) as library:
        made = library.create(
            name,
            fingerprint=opened.fingerprint,
            dim=opened.manifest.dim or 0,
            vault_days=vault_days,
            protected=protected,
        )
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
    """Show one gallery: its size, bundle and calibration, what is kept and how, its former generations.

    Example: gaitkeeper gallery show staff
    """
    from gallery.opening import open_library
    from gallery.printing import out, print_json
    from gallery.store.generations import generations
    from gallery.store.vault import vault_of

    with open_library(data) as library:
        found = library.store.gallery(name)
        seq = library.store.head(name).seq
        vault, held = vault_of(library.store, name), generations(library.store, name)
    if as_json:
        told = {"gallery": found.gallery, "calibration": found.calibration, "seq": seq}
        print_json({**told, "vault": vault, "generations": held})
        return
    for line in [*_lines(found, seq, vault), *_other_generations(held)]:
        out.print(line, markup=False, soft_wrap=True)


def _lines(found: "Details", seq: int, vault: "Vault") -> list[str]:
    from gallery.printing import day

    held, own = found.gallery, found.calibration
    lines = [f"{held.name}: {held.subjects} subjects, {held.templates} templates; {held.state}, change {seq}"]
    lines.append(f"bundle {held.fingerprint}, {held.dim} numbers a template, created {day(held.created)}")
    lines.append(f"calibration: {'none of its own; the bundle’s holds, if it has one' if own is None else own['id']}")
    kept = "none are kept" if held.vault_days is None else f"kept {held.vault_days} days"
    if vault.first is not None and vault.last is not None:
        kept += f"; of {vault.skeletons} templates now, until {day(vault.first)} to {day(vault.last)}"
    lines.append(f"skeletons: {kept}")
    lines.append(f"embeddings: {'under a secret transform of this gallery' if held.protected else 'as they are'}")
    return lines


def _other_generations(held: "list[Generation]") -> list[str]:
    """What else there is of the gallery, and what can be done with it."""
    from gallery.printing import day

    lines = []
    for each in held:
        what = f"of bundle {each.fingerprint[:12]}: {each.subjects} subjects, {each.templates} templates"
        if each.state == "building":
            lines.append(f"a migration has begun {what} so far; the same command goes on (or `--abandon`)")
        elif each.state == "retired":
            lines.append(
                f"a former generation {what}, created {day(each.created)}; "
                "`gallery rollback` goes back to it, `gallery migrate --drop-old` deletes it"
            )
    return lines


def delete_gallery(
    name: Annotated[str, typer.Argument(help="Name of the gallery.")],
    data: Data = Path("gaitkeeper-data"),
    yes: Yes = False,
) -> None:
    """Delete a gallery with all its subjects, templates and generations; there is no way back.

    Example: gaitkeeper gallery delete staff --yes
    """
    from gallery.maintenance import Maintenance
    from gallery.opening import open_library
    from gallery.printing import out

    with open_library(data) as library:
        held = library.gallery(name)
        if not yes:
            confirmed(f"Delete gallery {name} with {held.subjects} subjects?")
        library.delete(name)
        Maintenance(library).run_once()
    out.print(f"deleted gallery {name}: {held.subjects} subjects, {held.templates} templates", markup=False)
