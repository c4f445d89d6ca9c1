"""What is wrong is a 4xx problem document, and the service goes on with all that it acknowledged."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from gallery.store import open_store
from tests.e2e.command import Service, walk
from tests.e2e.test_bad_input_by_command import changed, cut, with_nan

JSON = {"Content-Type": "application/json"}


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The problem document of a refusal: 4xx, of the right type, with words."""
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"].startswith("urn:gaitkeeper:problem:")
    assert found["detail"]
    assert "Traceback" not in found["detail"]
    return found


@pytest.fixture
def ada(service: Service, gallery: str) -> Iterator[str]:
    """A gallery in which ada is enrolled; afterwards she still is, and is still found."""
    assert service.enroll("ada", walk(1), gallery).status_code == 201
    yield gallery
    assert service.identify(walk(1, 1), gallery).json()["subject"] == "ada"
    listed = service.http.get(f"/galleries/{gallery}/subjects").json()["subjects"]
    assert [(each["subject"], each["templates"]) for each in listed] == [("ada", 1)]


def sent(sequence: object) -> bytes:
    return json.dumps({"sequence": sequence}).encode()


BAD_BODIES: dict[str, tuple[bytes, int, str]] = {
    "wrong layout": (sent(changed(layout="body-25")), 422, "body-25"),
    "unknown layout": (sent(changed(layout="octopus-8")), 422, "octopus-8"),
    "too few frames": (sent(cut(5)), 422, "too few frames"),
    "two people": (b'{"tracks": [{"name": "a", "sequence": ' + json.dumps(walk(1)).encode() + b"}]}", 422, "tracks"),
    "NaN": (sent(with_nan()), 400, "it holds NaN"),
    "a number beyond floats": (sent(changed(joints=[[[1e300, 0]] * 17] * 75)), 422, "finite"),
    "an absurd frame rate": (sent(changed(fps=1e9)), 422, "1000"),
    "a frame rate that makes hours": (sent(changed(fps=0.001)), 413, "fps"),
    "a bare sequence": (json.dumps(walk(1)).encode(), 422, '{"sequence": '),
    "empty": (b"", 400, ""),
    "truncated": (sent(walk(1))[:2000], 400, ""),
    "noise": (bytes(range(256)) * 100, 400, ""),
}


@pytest.mark.parametrize("kind", BAD_BODIES)
def test_a_bad_body_is_a_problem_that_says_what_is_wrong(service: Service, ada: str, kind: str) -> None:
    content, status, said = BAD_BODIES[kind]
    answer = service.http.post(f"/galleries/{ada}/subjects/eve/templates", content=content, headers=JSON)
    assert answer.status_code == status, answer.text
    found = problem(answer)
    assert said in f"{found.get('field')} {found['detail']}"


def test_100_mb_are_refused_quickly(service: Service, ada: str) -> None:
    began = time.monotonic()
    path = f"/galleries/{ada}/subjects/eve/templates"
    found = problem(service.http.post(path, content=b" " * 100_000_000, headers=JSON))
    assert (found["status"], found["limit"]) == (413, 4 * 1024 * 1024)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a%2Fb", 404),
        ("line%0Abreak", 422),
        ("a%FFb", 422),
        ("%00", 422),
        ("e" * 5000, 422),
    ],
)
def test_names_that_could_not_be_asked_for_again_are_refused(
    service: Service, ada: str, name: str, status: int
) -> None:
    answer = service.http.post(f"/galleries/{ada}/subjects/{name}/templates", content=sent(walk(2)), headers=JSON)
    assert answer.status_code == status
    problem(answer)


def test_names_in_any_script_are_kept_as_they_are(service: Service, gallery: str) -> None:
    names = sorted(["Łukasz Żak", "名前", "50% & more?", "a.b"])
    for name in names:
        assert service.enroll(name, walk(1), gallery).json()["subject"] == name
    listed = service.http.get(f"/galleries/{gallery}/subjects").json()["subjects"]
    assert [each["subject"] for each in listed] == names
    for name in names:
        assert service.http.delete(f"/galleries/{gallery}/subjects/{quote(name, safe='')}").status_code == 200


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"gallery": "nobody-s"}, 404),
        ({"top_k": 10**30}, 413),
        ({"top_k": 0}, 422),
        ({"target_fpir": 1e-9}, 422),
        ({"target_fpir": 2}, 422),
        ({"threshold": 0.1}, 422),
    ],
)
def test_what_cannot_be_asked_is_a_problem(service: Service, ada: str, more: dict[str, Any], status: int) -> None:
    answer = service.http.post("/identify", json={"sequence": walk(1, 1), "gallery": ada, **more})
    assert answer.status_code == status, answer.text
    problem(answer)


def test_an_empty_gallery_is_a_problem(service: Service, gallery: str) -> None:
    answer = service.identify(walk(1), gallery)
    assert answer.status_code == 409
    assert "enroll somebody first" in problem(answer)["detail"]


def test_a_gallery_of_another_bundle_is_a_problem_and_never_searched(service: Service) -> None:
    store = open_store(service.data)
    store.create_gallery("foreign", "f" * 64, 256)
    store.close()
    for answer in (service.identify(walk(1), "foreign"), service.enroll("eve", walk(1), "foreign")):
        assert answer.status_code == 409
        assert "was made with bundle ffffffffffff" in problem(answer)["detail"]


def test_the_same_twice_in_a_row_is_the_same(service: Service, ada: str) -> None:
    again = service.enroll("ada", walk(1), ada)
    assert (again.status_code, again.json()["repeated"], again.json()["template"]) == (200, True, None)
    assert service.enroll("eve", walk(2), ada).status_code == 201
    first, second = (service.http.delete(f"/galleries/{ada}/subjects/eve") for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 404)
    problem(second)
    made = service.http.post("/galleries", json={"name": ada})
    assert made.status_code == 409
    problem(made)
