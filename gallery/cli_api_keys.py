"""The commands `api-keys create`, `list`, `show`, `rotate` and `revoke`. The service may run meanwhile."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from gallery.api_keys import GRACE_S, ID_LENGTH, LONGEST_GRACE_S, RATE, Scope
from gallery.commands import group_of
from gallery.options import AsJson, Data, Yes, confirmed

if TYPE_CHECKING:
    from rich.table import Table

    from gallery.api_keys import ApiKey

API_KEYS = {
    "create": "gallery.cli_api_keys:create_key",
    "list": "gallery.cli_api_keys:list_keys",
    "show": "gallery.cli_api_keys:show_one_key",
    "rotate": "gallery.cli_api_keys:rotate_one_key",
    "revoke": "gallery.cli_api_keys:revoke_one_key",
}
KeyId: TypeAlias = Annotated[str, typer.Argument(metavar="ID", help="Id of the key: what is between its underscores.")]

api_keys = group_of(
    API_KEYS,
    "Make, list, rotate and revoke the keys that callers of the service send.\n\nExample: gaitkeeper api-keys list",
)


def create_key(
    scope: Annotated[list[Scope], typer.Option("--scope", "--scopes", "-s", help="What it may; several times.")],
    name: Annotated[str | None, typer.Option(help="Whose it is, for lists.", show_default="its scopes")] = None,
    gallery: Annotated[list[str] | None, typer.Option("--gallery", "-g", help="Reaches only these.")] = None,
    rate: Annotated[int | None, typer.Option(min=1, max=RATE, help="Requests a minute.")] = None,
    expires: Annotated[str, typer.Option(metavar="DAY|90d|never", help="From when on it is refused.")] = "never",
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, this once. identify: ask who it is. enroll: add templates. manage: change and erase.
    audit: read the log. embed: get embeddings. investigate: see names and scores below the threshold. admin: all.

    Example: gaitkeeper api-keys create --name "camera 3" --scope identify --gallery entrance --rate 600
    """
    from gallery.api_keys import NewKey
    from gallery.consent import expiry_of
    from gallery.opening import open_data
    from gallery.printing import err, print_json
    from gallery.store.api_keys import make_key

    named = ", ".join(sorted(set(scope))) if name is None else name
    new = NewKey(named, frozenset(scope), frozenset(gallery) if gallery else None, rate, expiry_of(expires))
    store = open_data(data)
    try:
        made, shown = make_key(store, new)
    finally:
        store.close()
    if as_json:
        print_json({**_told(made), "key": shown})
        return
    typer.echo(shown)
    err.print(
        f"key {made.id}; it is shown this once: whoever has it may {', '.join(sorted(made.scopes))}", markup=False
    )


def list_keys(data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """List all keys, revoked and expired ones too.

    Example: gaitkeeper api-keys list
    """
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.store.api_keys import key_page

    store = open_data(data)
    try:
        found: list[ApiKey] = []
        while page := key_page(store, found[-1].id if found else ""):
            found += page
    finally:
        store.close()
    if as_json:
        print_json([_told(each) for each in found])
    else:
        out.print(_table(found))


def show_one_key(key_id: KeyId, data: Data = Path("gaitkeeper-data"), as_json: AsJson = False) -> None:
    """Show what a key may, and when it was used last. The key itself is not known any more.

    Example: gaitkeeper api-keys show 3kf9x2qmw7ab
    """
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.store.api_keys import show_key

    store = open_data(data)
    try:
        found = show_key(store, key_id)
    finally:
        store.close()
    if as_json:
        print_json(_told(found))
    else:
        out.print(_table([found]))


def rotate_one_key(
    key_id: KeyId,
    grace: Annotated[
        int, typer.Option(min=0, max=LONGEST_GRACE_S, help="Seconds for which the key as it was is still good.")
    ] = GRACE_S,
    data: Data = Path("gaitkeeper-data"),
    as_json: AsJson = False,
) -> None:
    """Give a key another secret and print it, this once. What it may stays.

    Example: gaitkeeper api-keys rotate 3kf9x2qmw7ab --grace 3600
    """
    from gallery.opening import open_data
    from gallery.printing import err, print_json
    from gallery.store.api_keys import rotate_key

    store = open_data(data)
    try:
        found, shown = rotate_key(store, key_id, grace)
    finally:
        store.close()
    if as_json:
        print_json({**_told(found), "key": shown})
        return
    typer.echo(shown)
    err.print(f"key {key_id} as it was is good for {grace} seconds more", markup=False)


def revoke_one_key(
    key_id: KeyId, data: Data = Path("gaitkeeper-data"), yes: Yes = False, as_json: AsJson = False
) -> None:
    """End a key for good: services that run refuse it within a second, and end the streams of its caller.

    Example: gaitkeeper api-keys revoke 3kf9x2qmw7ab --yes
    """
    from gallery.opening import open_data
    from gallery.printing import out, print_json
    from gallery.store.api_keys import revoke_key, show_key

    store = open_data(data)
    try:
        found = show_key(store, key_id)
        if not yes:
            confirmed(f"Revoke key {found.id} ({found.name})?")
        found = revoke_key(store, key_id)
    finally:
        store.close()
    if as_json:
        print_json(_told(found))
    else:
        out.print(f"revoked key {found.id} ({found.name})", markup=False, soft_wrap=True)


def _galleries(key: "ApiKey") -> list[str] | None:
    return None if key.galleries is None else sorted(key.galleries)


def _told(key: "ApiKey") -> dict[str, object]:
    from gallery.printing import plain

    return {**plain(key), "scopes": sorted(key.scopes), "galleries": _galleries(key)}


def _table(keys: "list[ApiKey]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    from gallery.printing import day
    from gallery.template import now

    table = Table("key", "name", "may", "where", "rate", "state", "expires", "used")
    table.columns[0].min_width, table.columns[0].no_wrap = ID_LENGTH, True  # to be copied
    table.columns[2].no_wrap = True
    for column in (table.columns[1], *table.columns[3:]):
        column.overflow = "fold"  # a word is never cut
    for key in keys:
        state = "good" if key.good(now()) else "expired" if key.revoked is None else f"revoked {day(key.revoked)}"
        galleries = "all" if key.galleries is None else "\n".join(sorted(key.galleries))
        table.add_row(
            key.id,
            escape(key.name),
            "\n".join(sorted(key.scopes)),
            escape(galleries),
            "" if key.rate is None else str(key.rate),
            state,
            "never" if key.expires is None else day(key.expires),
            "" if key.used is None else day(key.used),
        )
    return table
