"""Every address is either one of a short list, or refuses: without a key, with one that may too little, and with one
of another tenant exactly as if nothing were there. An address that is new must be placed here."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gallery.api_keys import Scope
from gallery.library import Library
from gallery.store import open_store
from service.access.authenticate import is_open
from service.app import create_app
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.access.keyed import EVERYTHING, key_for
from tests.service.access.surface import Address, addresses
from tests.service.access.world import NOTHING, OPEN_STREAM, World, two_tenants
from tests.service.conftest import person

ALL = addresses(create_app(Settings.read({})))

# Whether it works, how it works, and the page that asks for a key.
OPEN = {"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/console", "/console/model.json"}
OPEN_BELOW = {"/static/", "/console/"}

# What belongs to no gallery: whoever may ask at all is told the same.
OF_NO_GALLERY = {
    *(("GET", path) for path in ("/whoami", "/models", "/samples", "/samples/{name}", "/reports", "/reports/{name}")),
    *(("POST", path) for path in ("/models/reload", "/sequences", "/classify", "/embed")),
}
# Lists, which have only what the caller reaches.
LISTS = {("GET", f"/{name}") for name in ("galleries", "keys", "jobs", "streams", "webhooks", "audit", "operations")}
# Where a gallery is named in the body or behind the question mark: two ways to ask, of a gallery of this name.
NAMED: dict[tuple[str, str], Any] = {
    ("POST", "/identify"): lambda name: {"json": {"gallery": name, "sequence": person()}},
    ("POST", "/verify"): lambda name: {"json": {"gallery": name, "subject": "thea", "sequence": person()}},
    ("POST", "/galleries"): lambda name: {"json": {"name": name}},
    ("POST", "/streams"): lambda name: {"json": {**OPEN_STREAM, "gallery": name}},
    ("POST", "/webhooks"): lambda name: {"json": {"url": "https://93.184.216.34/", "gallery": name}},
    ("POST", "/keys"): lambda name: {"json": {"name": "x", "scopes": ["identify"], "galleries": [name]}},
    ("GET", "/events"): lambda name: {"params": {"gallery": name}},
}


def is_listed_as_open(each: Address) -> bool:
    return each.path in OPEN or each.path in OPEN_BELOW


CLOSED = [each for each in ALL if not is_listed_as_open(each)]
ASKED = [each for each in CLOSED if each.method != "WS"]


@pytest.fixture(scope="module")
def world(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("tenants") / "data"
    shutil.copytree(made, directory)
    with two_tenants(Library(open_store(directory)), FakeEncoder()) as found:
        yield found


def named(each: Address) -> str:
    return f"{each.method} {each.path}"


def test_what_is_open_is_what_is_listed_and_nothing_else() -> None:
    for each in ALL:
        path = each.path if each.method == "*" else each.filled()
        assert is_open(f"{path}x" if each.method == "*" else path) == is_listed_as_open(each), named(each)
    assert {each.path for each in ALL if is_listed_as_open(each)} == OPEN | OPEN_BELOW
    assert all(each.method in ("GET", "*") for each in ALL if is_listed_as_open(each)), "nothing open changes anything"


def test_every_other_address_says_what_it_needs() -> None:
    silent = [named(each) for each in ASKED if each.needs is None]
    assert silent == []


def test_every_address_is_placed() -> None:
    """The one that fails when a route is new: say whether it is of a gallery, and if so, how it could be told."""
    placed = {*OF_NO_GALLERY, *LISTS, *NAMED}
    lost = [
        named(each)
        for each in ASKED
        if (each.method, each.path) not in placed
        and not any(f"{{{name}}}" in each.path for name in ("gallery", *NOTHING))
    ]
    assert lost == []


def test_nothing_answers_without_a_key(world: World) -> None:
    first = world.told(world.ask(None, "GET", "/galleries"))
    for each in ASKED:
        answer = world.ask(None, each.method, each.filled(**world.theirs))
        assert world.told(answer) == first, named(each)
    assert first[0] == 401


def too_little(demanded: frozenset[Scope]) -> frozenset[Scope]:
    return frozenset(EVERYTHING) - demanded - {Scope.ADMIN}


def test_nothing_answers_a_key_that_may_too_little(world: World) -> None:
    demands = {(each, demanded) for each in ASKED for demanded in each.needs or ()}
    keys = {demanded: key_for(world.service.store, too_little(demanded)) for _, demanded in demands}
    world.service.http.app.state.ring.refresh()
    for each, demanded in demands:
        answer = world.ask(keys[demanded], each.method, each.filled(**world.theirs))
        assert answer.status_code == 403, (named(each), answer.text)
        assert answer.json()["type"] == "urn:gaitkeeper:problem:not-allowed"


def test_a_gallery_of_others_is_as_one_that_is_not_there(world: World) -> None:
    for each in ASKED:
        if "{gallery}" not in each.path:
            continue
        foreign = world.ask(world.intruder, each.method, each.filled(**world.theirs))
        missing = world.ask(world.intruder, each.method, each.filled(**world.theirs | {"gallery": "nowhere"}))
        assert foreign.status_code == 404, (named(each), foreign.text)
        assert world.told(foreign, "theirs") == world.told(missing, "nowhere"), named(each)


def test_an_id_of_others_is_as_one_that_is_not_there(world: World) -> None:
    for each in ASKED:
        names = [name for name in NOTHING if f"{{{name}}}" in each.path]
        if "{gallery}" in each.path or not names:
            continue
        body = {"json": {}} if each.method == "POST" else {}
        foreign = world.ask(world.intruder, each.method, each.filled(**world.theirs), **body)
        missing = world.ask(world.intruder, each.method, each.filled(**NOTHING), **body)
        assert missing.status_code in (404, 422), (named(each), missing.text)
        told = [world.told(foreign, *(world.theirs[name] for name in names)), world.told(missing, *NOTHING.values())]
        assert told[0] == told[1], named(each)


@pytest.mark.parametrize(("method", "path"), sorted(NAMED))
def test_a_gallery_that_is_named_in_a_question_is_as_one_that_is_not_there(
    world: World, method: str, path: str
) -> None:
    foreign, missing = (
        world.ask(world.intruder, method, path, **NAMED[method, path](name)) for name in ("theirs", "nowhere")
    )
    assert foreign.status_code in (403, 404), foreign.text
    assert world.told(foreign, "theirs") == world.told(missing, "nowhere")


def test_a_subject_does_not_go_where_the_key_does_not_reach(world: World) -> None:
    move = "/galleries/ours/subjects/olga/move"
    foreign, missing = (world.ask(world.intruder, "POST", move, json={"gallery": to}) for to in ("theirs", "nowhere"))
    assert foreign.status_code == 404
    assert world.told(foreign, "theirs") == world.told(missing, "nowhere")
    assert world.ask(world.intruder, "GET", "/galleries/ours/subjects/olga").status_code == 200


@pytest.mark.parametrize(("method", "path"), sorted(LISTS))
def test_lists_hold_nothing_of_others(world: World, method: str, path: str) -> None:
    answer = world.ask(world.intruder, method, path, params={"limit": 1000} if path != "/operations" else {})
    assert answer.status_code == 200, answer.text
    secrets = [world.theirs[name] for name in ("gallery", "subject", "erasure", "job", "stream", "webhook", "key")]
    assert [each for each in secrets if f'"{each}"' in answer.text] == []
    whole = world.ask(world.owner, method, path, params={"limit": 1000} if path != "/operations" else {})
    assert len(whole.text) > len(answer.text) or path == "/operations", "there is something to be hidden"


def test_nothing_of_theirs_was_changed_by_all_this(world: World) -> None:
    """Of the requests above, many would have: they were refused."""
    theirs = world.theirs
    for path in ("/galleries/theirs", "/galleries/theirs/subjects/thea", f"/streams/{theirs['stream']}"):
        assert world.ask(world.owner, "GET", path).status_code == 200, path
    for path in (f"/jobs/{theirs['job']}", f"/webhooks/{theirs['webhook']}", f"/erasures/{theirs['erasure']}"):
        assert world.ask(world.owner, "GET", path).status_code == 200, path
    assert world.ask(world.owner, "GET", f"/keys/{theirs['key']}").json()["state"] == "good"
    assert world.ask(world.owner, "GET", "/galleries/nowhere").status_code == 404


def test_sockets_refuse_like_everything_else(world: World) -> None:
    sockets = [each for each in CLOSED if each.method == "WS"]
    assert {each.path for each in sockets} == {"/streams/{stream}"}, "place a new one here"
    theirs, nothing = (each.filled(**world.theirs) for each in sockets), (each.filled(**NOTHING) for each in sockets)
    for foreign, missing in zip(theirs, nothing, strict=True):
        assert world.knock(None, foreign)[0] == 401
        little = key_for(world.service.store, set(EVERYTHING) - {Scope.IDENTIFY, Scope.ADMIN})
        assert world.knock(little, foreign)[0] == 403
        told = [world.knock(world.intruder, path) for path in (foreign, missing)]
        assert told[0][0] == 404
        names = (world.theirs["stream"], NOTHING["stream"])
        assert told[0][1].replace(names[0], "…") == told[1][1].replace(names[1], "…")
