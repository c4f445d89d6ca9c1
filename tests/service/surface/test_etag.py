"""Whoever has an answer is not sent it again; whoever changes what has changed since is told."""

from service.surface.etag import tag_of
from tests.service.client import Client
from tests.service.conftest import person

ADA = "/galleries/default/subjects/ada"


def enrolled(client: Client, *subjects: str) -> None:
    for place, subject in enumerate(subjects):
        path = f"/galleries/default/subjects/{subject}/templates"
        assert client.post(path, json={"sequence": person(place)}).status_code == 201


def test_an_answer_that_the_caller_has_is_not_sent_again(client: Client) -> None:
    first = client.get("/galleries")
    again = client.get("/galleries", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-type" not in again.headers


def test_any_of_several_validators_will_do_and_weak_ones_too(client: Client) -> None:
    tag = client.get("/galleries").headers["etag"]
    for sent in (f'"other", W/{tag}', "*", f"{tag},"):
        assert client.get("/galleries", headers={"If-None-Match": sent}).status_code == 304
    for sent in ('"other"', tag.strip('"'), ""):
        assert client.get("/galleries", headers={"If-None-Match": sent}).status_code == 200


def test_another_validator_comes_with_another_answer(client: Client) -> None:
    before = client.get("/galleries").headers["etag"]
    client.post("/galleries", json={"name": "entrance"})
    after = client.get("/galleries", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["etag"] == tag_of(after.content) != before


def test_operation_and_refusals_have_none(client: Client) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/galleries/nowhere"):
        assert "etag" not in client.get(path).headers


def test_a_change_of_what_was_changed_since_is_refused(client: Client) -> None:
    enrolled(client, "ada")
    seen = client.get(ADA).headers["etag"]
    assert client.patch(ADA, json={"hold": "court"}, headers={"If-Match": seen}).status_code == 200
    late = client.patch(ADA, json={"hold": None}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["type"]) == (412, "urn:gaitkeeper:problem:out-of-date")
    assert client.get(ADA).json()["hold"] == "court"
    assert client.delete(ADA, headers={"If-Match": seen}).status_code == 412
    now = client.get(ADA).headers["etag"]
    assert client.patch(ADA, json={"hold": None}, headers={"If-Match": f'"x", {now}'}).status_code == 200
    assert client.delete(ADA, headers={"If-Match": "*"}).status_code == 200


def test_what_is_not_there_is_not_there_whatever_was_expected(client: Client) -> None:
    plain = client.delete(ADA, headers={"X-Request-Id": "a"})
    expecting = client.delete(ADA, headers={"X-Request-Id": "a", "If-Match": "*"})
    assert (plain.status_code, plain.content) == (404, expecting.content)


def test_what_cannot_be_got_matches_nothing(client: Client) -> None:
    enrolled(client, "ada")
    template = client.get(ADA).json()["templates"][0]["template"]
    assert client.delete(f"{ADA}/templates/{template}", headers={"If-Match": "*"}).status_code == 412
    assert len(client.get(ADA).json()["templates"]) == 1


def test_the_next_page_has_an_address(client: Client) -> None:
    enrolled(client, "a b", "c", "d")
    path = "/v1/galleries/default/subjects?limit=1"
    seen = []
    while path:
        page = client.get(path)
        seen += [each["subject"] for each in page.json()["subjects"]]
        path = page.links.get("next", {}).get("url", "")
        assert not path or path.startswith("/v1/galleries/default/subjects?limit=1&after=")
    assert seen == ["a b", "c", "d"]
