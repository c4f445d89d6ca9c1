"""Nobody gets further than the open addresses without a key that is good, and nobody is told why theirs is not."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gallery.api_keys import Scope, id_of, new_id, spelled
from gallery.store import Store
from gallery.store.api_keys import make_first_key, revoke_key, rotate_key, show_key
from gallery.store.audit import audit_page
from gallery.template import now
from service.access.authenticate import OPEN
from tests.service.access.keyed import EVERYTHING, Keyed, bearer, key_for

OURS = (Scope.IDENTIFY, Scope.ENROLL)


def told(response: httpx.Response) -> tuple[int, dict[str, Any], str | None]:
    """What a caller can tell one refusal from another by; each request has an id of its own."""
    body = {name: value for name, value in response.json().items() if name != "instance"}
    return response.status_code, body, response.headers.get("www-authenticate")


def test_who_sends_a_key_is_known_and_may_what_it_may(keyed: Keyed) -> None:
    key = key_for(keyed.store, OURS, "ours")
    assert keyed.ask(key).json() == {
        "id": f"key:{id_of(key)}",
        "name": "test",
        "scopes": ["enroll", "identify"],
        "galleries": ["ours"],
        "access": "keys",
    }
    assert keyed.ask(None, headers={"Authorization": f"bearer  {key}"}).status_code == 200, "schemes have no case"
    assert keyed.ask(key, path="/audit").status_code == 403
    assert keyed.ask(key, path="/v1/galleries").status_code == 200


def wrong_credentials(store: Store) -> list[dict[str, str] | list[tuple[str, str]]]:
    """Whatever can be wrong with what was sent."""
    good, revoked, before = (key_for(store) for _ in range(3))
    expired = key_for(store, expires=now() + timedelta(milliseconds=300))
    revoke_key(store, id_of(revoked) or "")
    rotate_key(store, id_of(before) or "", 0)
    while (show_key(store, id_of(expired) or "").expires or now()) > now():
        time.sleep(0.05)
    return [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {good}"},
        {"Authorization": good},
        {"Authorization": f"Bearer {good}x"},
        {"Authorization": f"Bearer {good[:-1]}"},
        {"Authorization": f"Bearer {good[:-2]}AA"},
        {"Authorization": f"Bearer {good.upper()}"},
        {"Authorization": "Bearer " + "x" * 20_000},
        [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")],
        bearer(spelled(new_id())),
        bearer(spelled(id_of(good) or "")),
        bearer(revoked),
        bearer(before),
        bearer(expired),
    ]


def test_every_refusal_is_the_same_whatever_was_wrong(keyed: Keyed) -> None:
    given = wrong_credentials(keyed.store)
    refusals = [told(keyed.http.get("/galleries", headers=headers)) for headers in given]
    assert refusals[0][0] == 401
    assert refusals[0][1]["type"] == "urn:gaitkeeper:problem:unknown-caller"
    assert refusals[0][2] == 'Bearer realm="gaitkeeper"'
    assert all(each == refusals[0] for each in refusals)


def test_bytes_that_are_no_text_are_refused_like_any_other(keyed: Keyed) -> None:
    given = [(b"authorization", b"Bearer \xff\xfe\xe9")]
    assert told(keyed.http.get("/galleries", headers=given)) == told(keyed.http.get("/galleries"))


def test_what_says_whether_and_how_it_works_needs_no_key(keyed: Keyed) -> None:
    for path in OPEN:
        for key, asked in ((None, path), ("nonsense", path), (None, f"/v1{path}")):
            assert keyed.ask(key, path=asked).status_code in (200, 307), asked


def test_whoever_is_not_known_is_not_told_what_there_is(keyed: Keyed) -> None:
    for path in ("/nothing", "/docs/", "/healthz/x", "/console/../keys", "/static/%2e%2e/keys", "/keys"):
        assert told(keyed.ask(None, path=path)) == told(keyed.ask(None, path="/galleries")), path


def test_a_body_is_not_even_read_of_who_is_not_known(keyed: Keyed) -> None:
    def endless() -> Any:
        yield b"{"
        raise AssertionError("the body was read")

    # The client must send what it has: that nothing was decoded shows in the answer.
    assert keyed.ask(None, "POST", "/identify", content=b"\xff" * 1000).status_code == 401


def test_the_audit_log_has_the_key_that_acted_and_from_where(keyed: Keyed) -> None:
    key = key_for(keyed.store, [Scope.MANAGE])
    assert keyed.ask(key, "POST", "/galleries", json={"name": "made"}).status_code == 201
    made = [each for each in audit_page(keyed.store) if each.action == "create"][-1]
    assert made.actor == f"key:{id_of(key)}@127.0.0.1"


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_another_process_does_to_a_key_is_seen_here(keyed: Keyed, another: Store) -> None:
    key = key_for(another, OURS)
    assert keyed.ask(key).status_code == 200, "one that is not known is looked up"
    _, newer = rotate_key(another, id_of(key) or "", 3600)
    assert keyed.ask(newer).status_code == 200
    assert keyed.ask(key).status_code == 200, "within its time of grace"
    revoke_key(another, id_of(key) or "")
    until(lambda: keyed.ask(newer).status_code == 401)
    assert keyed.ask(key).status_code == 401


def test_the_first_key_opens_everything(keyed: Keyed) -> None:
    made = make_first_key(keyed.store)
    assert made is not None
    assert keyed.ask(made[1], path="/keys").status_code == 200


def test_who_asks_too_often_is_told_when_to_come_back(keyed: Keyed) -> None:
    key, other = key_for(keyed.store, OURS, rate=3), key_for(keyed.store, OURS, rate=3)
    assert [keyed.ask(key).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = keyed.ask(key)
    assert refused.json()["type"] == "urn:gaitkeeper:problem:rate-exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert keyed.ask(other).status_code == 200, "each has its own"
    assert keyed.ask(key, path="/healthz").status_code == 200, "what is open is not counted"


def test_nothing_of_a_key_is_in_an_answer_or_in_a_log(keyed: Keyed, caplog: pytest.LogCaptureFixture) -> None:
    key = key_for(keyed.store, EVERYTHING)
    secret = key.split("_", 2)[2]
    answers = [keyed.ask(key, path=path) for path in ("/whoami", "/keys", "/audit", "/nothing", "/metrics")]
    answers += [keyed.ask(key[:-1]), keyed.ask(key, "POST", "/identify", content=b"{")]
    assert all(secret[:20] not in each.text and secret[:20] not in str(each.headers) for each in answers)
    assert secret[:20] not in caplog.text
