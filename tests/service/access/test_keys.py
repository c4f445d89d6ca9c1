"""Keys over HTTP: who may make them, for what, and what is shown of them."""

import json
from typing import Any

import pytest

from gallery.api_keys import GALLERIES, Scope, hash_of, id_of
from gallery.store.api_keys import kept_keys
from gallery.store.audit import audit_page
from tests.service.access.keyed import EVERYTHING, Keyed, key_for


@pytest.fixture
def boss(keyed: Keyed) -> str:
    return key_for(keyed.store, [Scope.ADMIN])


def test_a_key_is_made_shown_once_and_works_at_once(keyed: Keyed, boss: str) -> None:
    asked = {"name": "camera 3", "scopes": ["identify"], "galleries": ["ours"], "rate": 600}
    answer = keyed.ask(boss, "POST", "/keys", json=asked)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/keys/{made['id']}")
    assert answer.headers["cache-control"] == "no-store"
    assert keyed.ask(made["key"]).json()["name"] == "camera 3"
    shown = keyed.ask(boss, "GET", f"/keys/{made['id']}").json()
    assert {name: shown[name] for name in asked} == asked
    assert (shown["state"], "key" in shown) == ("good", False)
    everything = keyed.ask(boss, "GET", "/keys").text
    assert made["id"] in everything
    assert made["key"].split("_", 2)[2] not in everything


def test_a_rotated_key_keeps_what_it_may_and_the_old_one_its_grace(keyed: Keyed, boss: str) -> None:
    key = key_for(keyed.store, [Scope.AUDIT], "ours")
    path = f"/keys/{id_of(key)}/rotation"
    newer = keyed.ask(boss, "POST", path, json={"grace_seconds": 3600}).json()
    assert keyed.ask(newer["key"]).json() == keyed.ask(key).json()
    newest = keyed.ask(boss, "POST", path, json={"grace_seconds": 0}).json()["key"]
    assert [keyed.ask(each).status_code for each in (key, newer["key"], newest)] == [401, 401, 200]


def test_a_revoked_key_stays_in_the_list_and_is_not_rotated(keyed: Keyed, boss: str) -> None:
    key = key_for(keyed.store)
    path = f"/keys/{id_of(key)}"
    assert [keyed.ask(boss, "DELETE", path).status_code for _ in range(2)] == [204, 204]
    assert keyed.ask(boss, "GET", path).json()["state"] == "revoked"
    assert keyed.ask(boss, "POST", f"{path}/rotation", json={}).status_code == 409


def test_an_admin_of_galleries_makes_keys_for_these_and_sees_no_others(keyed: Keyed, boss: str) -> None:
    bound = key_for(keyed.store, EVERYTHING, "ours", "also")
    others = [key_for(keyed.store, [Scope.AUDIT], *names) for names in ((), ("theirs",), ("ours", "theirs"))]

    def made(**more: Any) -> int:
        asked = {"name": "x", "scopes": ["admin"], **more}
        return keyed.ask(bound, "POST", "/keys", json=asked).status_code

    assert made(galleries=["ours"]) == made(galleries=["also", "ours"]) == 201
    assert made() == made(galleries=["theirs"]) == made(galleries=["ours", "theirs"]) == 403
    listed = {each["id"] for each in keyed.ask(bound, "GET", "/keys").json()["keys"]}
    assert len(listed) == 3
    assert id_of(bound) in listed
    for key in (boss, *others):
        assert id_of(key) not in listed
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotation")):
            body = {"json": {}} if method == "POST" else {}
            assert keyed.ask(bound, method, f"/keys/{id_of(key)}{path}", **body).status_code == 404
    assert all(keyed.ask(key).status_code == 200 for key in (boss, *others))


def test_keys_come_in_pages(keyed: Keyed, boss: str) -> None:
    made = sorted(id_of(each) or "" for each in (boss, *(key_for(keyed.store) for _ in range(4))))
    found, after = [], ""
    while after is not None:
        page = keyed.ask(boss, "GET", "/keys", params={"limit": 2, "after": after}).json()
        found += [each["id"] for each in page["keys"]]
        after = page["next"]
    assert found == made


def test_a_key_that_makes_no_sense_is_refused_by_the_field(keyed: Keyed, boss: str) -> None:
    senseless: list[tuple[dict[str, Any], str]] = [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"galleries": []}, "galleries"),
        ({"galleries": ["a/b"]}, "galleries"),
        ({"galleries": [f"g{n}" for n in range(GALLERIES + 1)]}, "galleries"),
        ({"rate": 0}, "rate"),
        ({"rate": 1e400}, "rate"),
        ({"expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"expires": "2099-01-01T00:00:00"}, "expires"),
        ({"name": "\u0000"}, "name"),
        ({"secret": "mine"}, "body"),
    ]
    for wrong, field in senseless:
        body = json.dumps({"name": "x", "scopes": ["identify"], **wrong}).replace("Infinity", "1e400")
        headers = {"Content-Type": "application/json"}
        answer = keyed.ask(boss, "POST", "/keys", content=body, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        assert field in (answer.json().get("field") or "body"), answer.text


def test_a_key_that_is_not_there_is_404_however_it_is_called(keyed: Keyed, boss: str) -> None:
    for name in ("nonsense", "%00", "a" * 5000, "AAAAAAAAAAAA", "aaaaaaaaaaaa", "%C3%A9"):
        assert keyed.ask(boss, "GET", f"/keys/{name}").status_code == 404
        assert keyed.ask(boss, "DELETE", f"/keys/{name}").status_code == 404


def test_a_key_is_not_kept_for_whoever_asks_again(keyed: Keyed, boss: str) -> None:
    """Under an idempotency key the answer, and so the secret, would be in the database."""
    asked = {"name": "x", "scopes": ["identify"]}
    headers = {"Idempotency-Key": "once"}
    made = [keyed.ask(boss, "POST", "/keys", json=asked, headers=headers).json() for _ in range(2)]
    assert made[0]["key"] != made[1]["key"]
    with keyed.store.read() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM idempotency").scalar_one()
    assert kept == 0
    hashes = {each.hash for each in kept_keys(keyed.store)[1]}
    assert {hash_of(each["key"]) for each in made} <= hashes


def test_the_audit_log_says_which_key_changed_which(keyed: Keyed, boss: str) -> None:
    made = keyed.ask(boss, "POST", "/keys", json={"name": "x", "scopes": ["identify"]}).json()["id"]
    keyed.ask(boss, "POST", f"/keys/{made}/rotation", json={})
    keyed.ask(boss, "DELETE", f"/keys/{made}")
    entries = [each for each in audit_page(keyed.store) if made in each.detail]
    assert [each.action for each in entries] == ["api_key_made", "api_key_rotated", "api_key_revoked"]
    assert {each.actor for each in entries} == {f"key:{id_of(boss)}@127.0.0.1"}


def test_who_is_bound_reads_the_log_of_their_galleries_only(keyed: Keyed, boss: str) -> None:
    auditor = key_for(keyed.store, [Scope.AUDIT], "ours")
    whole = keyed.ask(boss, "GET", "/audit", params={"limit": 1000}).json()["entries"]
    own = keyed.ask(auditor, "GET", "/audit", params={"limit": 1000}).json()["entries"]
    number = keyed.library.store.head("ours").key
    assert own == [each for each in whole if each["gallery"] == number]
    assert 0 < len(own) < len(whole)
