"""The commands `keys show`, `keys rotate` and `keys destroy-old`. The service may run meanwhile."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.commands import group_of
from gallery.options import AsJson, Data, Yes, confirmed

if TYPE_CHECKING:
    from gallery.store import Store

KEYS = {
    "show": "gallery.cli_keys:show_keys",
    "rotate": "gallery.cli_keys:rotate",
    "destroy-old": "gallery.cli_keys:destroy_old",
}

keys = group_of(KEYS, "Show and exchange the keys that galleries are encrypted under.\n\nExample: gaitkeeper keys show")


def show_keys(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Which keys there are and what they wrap; and the public key that this store's receipts and archives are checked
    with. No key that must be kept secret is shown.

    Example: gaitkeeper keys show
    """
    from base64 import b64encode

    from gallery.archive.importing import public_key
    from gallery.opening import open_data
    from gallery.printing import day, out, print_json
    from gallery.store.key_list import gallery_keys, master_keys

    store = open_data(data)
    try:
        public = b64encode(public_key(store)).decode()
        masters, galleries = master_keys(store), gallery_keys(store)
    finally:
        store.close()
    if as_json:
        print_json({"masters": masters, "galleries": galleries, "public_key": public})
        return
    for each in masters:
        role = "current" if each.current else "old"
        out.print(f"master key {each.id}: {role}, wraps {each.wraps} keys", markup=False, soft_wrap=True)
    for one in galleries:
        line = f"gallery {one.gallery}: key {one.key} since {day(one.since)}, wraps those of {one.subjects} subjects"
        if one.transform is not None and one.transform_since is not None:
            line += f"; transform {one.transform} since {day(one.transform_since)}"
        out.print(line, markup=False, soft_wrap=True)
        for number, left in one.old.items():
            line = f"  key {number} still wraps those of {left} subjects: `gaitkeeper keys rotate --gallery` goes on"
            out.print(line, markup=False, soft_wrap=True)
    out.print(f"public key: {public}", markup=False, soft_wrap=True)


def rotate(
    gallery: Annotated[str | None, typer.Option("--gallery", "-g", help="A new key for this gallery.")] = None,
    master: Annotated[bool, typer.Option("--master", help="A new master key.")] = False,
    transform: Annotated[bool, typer.Option("--transform", help="With --gallery: a new secret transform.")] = False,
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Exchange a key; the same command finishes what was interrupted.

    --gallery: the gallery's new key wraps the keys of its subjects, a batch at a time, and the old one is destroyed.
    Others go on reading and writing. Embeddings are not encrypted anew.

    --master: where the masters are in a file, a new one is made, and wraps all that the old one did; where they are
    kept elsewhere, or each host has a file of its own, make the new one the last everywhere first. The old one stays
    until `gaitkeeper keys destroy-old`.

    --gallery NAME --transform: all templates of a protected gallery are put under a new transform, so that what
    somebody may have of them is of no use. It is done at once or not at all; nobody else can write meanwhile.

    Example: gaitkeeper keys rotate --gallery staff
    """
    from gallery.opening import open_data

    if (gallery is None) == (not master) or (transform and gallery is None):
        raise typer.BadParameter("give --gallery NAME, --gallery NAME --transform, or --master")
    store = open_data(data)
    try:
        if gallery is None:
            _rotate_master(store, as_json)
        elif transform:
            _rotate_transform(store, gallery, as_json)
        else:
            _rotate_gallery(store, gallery, as_json)
    finally:
        store.close()


def destroy_old(data: Data = Path("gaitkeeper-data"), yes: Yes = False, as_json: AsJson = False) -> None:
    """Destroy the old master keys that wrap nothing any more, in the file that they are in. Backups that were made
    before they were exchanged cannot be read without them.

    Example: gaitkeeper keys destroy-old --yes
    """
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.store.rotation import destroy_old_masters

    store = open_data(data)
    try:
        if not yes:
            confirmed(
                "Destroy the old master keys? Backups made before they were exchanged cannot be read without them."
            )
        gone = destroy_old_masters(store)
    finally:
        store.close()
    if as_json:
        print_json({"destroyed": gone})
        return
    out.print(f"destroyed master keys: {', '.join(gone)}" if gone else "there is none to be destroyed", markup=False)


def _rotate_gallery(store: "Store", name: str, as_json: bool) -> None:
    from gallery.printing import out, print_json
    from gallery.progress import interruptible
    from gallery.store.rotation import rotate_gallery

    with interruptible("wrapping keys") as told:
        done = rotate_gallery(store, name, told)
    if as_json:
        print_json({"gallery": name, "rotations": done})
        return
    for each in done:
        how = "went on: key" if each.resumed else "new key"
        line = f"gallery {name}: {how} {each.current}, {each.wrapped} keys wrapped again"
        out.print(f"{line}, key {', '.join(each.destroyed)} destroyed" if each.destroyed else line, markup=False)


def _rotate_transform(store: "Store", name: str, as_json: bool) -> None:
    from gallery.printing import out, print_json
    from gallery.progress import interruptible
    from gallery.store.transforming import rotate_transform

    with interruptible("turning templates") as told:
        done = rotate_transform(store, name, told)
    if as_json:
        print_json({"gallery": name, "templates": done})
    else:
        out.print(f"gallery {name}: new transform, {done} templates turned, the old one destroyed", markup=False)


def _rotate_master(store: "Store", as_json: bool) -> None:
    from gallery.printing import out, print_json
    from gallery.progress import interruptible
    from gallery.store.rotation import rotate_master

    with interruptible("wrapping keys") as told:
        done = rotate_master(store, told)
    if as_json:
        print_json(done)
        return
    how = "went on: master key" if done.resumed else "master key"
    if done.wrapped == 0:
        out.print(f"nothing to do: master key {done.current} wraps all there is", markup=False, soft_wrap=True)
        return
    out.print(f"{how} {done.current} wraps {done.wrapped} keys that another one did", markup=False, soft_wrap=True)
    out.print("the old one is still there: `gaitkeeper keys destroy-old` when no backup needs it", soft_wrap=True)
