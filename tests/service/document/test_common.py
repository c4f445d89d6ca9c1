"""What the document says of every operation alike: keys, ids, deadlines, conditions, pages, refusals and links."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from service import errors
from service.document import links
from service.problem import problem_type
from tests.service.client import Client

OPEN = {"/healthz", "/readyz", "/metrics"}


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def taken(document: dict[str, Any], operation: dict[str, Any]) -> set[str]:
    """Names of the parameters of an operation."""
    shared = document["components"]["parameters"]
    return {
        shared[each["$ref"].rpartition("/")[2]]["name"] if "$ref" in each else each["name"]
        for each in operation["parameters"]
    }


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == sorted(set(names))


def test_what_needs_a_key_says_so_and_how_it_is_refused(document: dict[str, Any]) -> None:
    assert document["security"] == [{"key": []}]
    for path, _, operation in operations(document):
        if path in OPEN:
            assert operation["security"] == []
        else:
            assert all(each["key"] for each in operation.get("security", []))
            assert {"401", "403", "422", "429", "500", "503", "504"} <= set(operation["responses"]), path


def test_it_is_said_which_scopes_do(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/identify"]["post"]["security"] == [{"key": ["identify"]}]
    assert paths["/galleries/{gallery}/subjects"]["get"]["security"] == [{"key": ["enroll"]}, {"key": ["manage"]}]
    assert paths["/galleries/{gallery}/subjects/{subject}/copy"]["get"]["security"] == [{"key": ["manage", "embed"]}]
    assert paths["/keys"]["post"]["description"].endswith("Needs a key with the scope `admin`.")
    assert "security" not in paths["/galleries"]["get"]


def test_deadlines_and_ids_are_everywhere_and_conditions_where_they_hold(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        names = taken(document, operation)
        assert "X-Request-Id" in names
        assert ("X-Deadline-Ms" in names) == (path not in OPEN)
        assert ("If-None-Match" in names) == ("304" in operation["responses"])
        assert ("If-Match" in names) == ("412" in operation["responses"])
        if method == "post" and path.startswith("/galleries"):
            assert "Idempotency-Key" in names, path
            assert "409" in operation["responses"], path


def test_every_list_comes_in_pages(document: dict[str, Any]) -> None:
    """A list is an answer with a list of things that have a name or a number."""
    small = {"/models", "/operations", "/whoami"}
    for path, method, operation in operations(document):
        content = operation["responses"]["200"].get("content", {}) if method == "get" else {}
        if path in small or "application/json" not in content:
            continue
        answer = content["application/json"]["schema"]
        schema = document["components"]["schemas"][answer["$ref"].rpartition("/")[2]]
        if "next" in schema["properties"] or path.rpartition("/")[2] in ("galleries", "jobs", "keys", "webhooks"):
            assert {"after", "limit"} <= taken(document, operation), path
            assert "next" in schema["properties"], path
            assert "Link" in operation["responses"]["200"]["headers"], path


def test_a_problem_that_is_documented_is_one_that_there_is(document: dict[str, Any]) -> None:
    known = {problem_type(name) for name in errors.meanings()}
    assert set(document["components"]["schemas"]["Problem"]["properties"]["type"]["examples"]) == known
    for path, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400" and "x-problems" in response:
                told = set(re.findall("`(urn:[^`]+)`", response["description"]))
                assert told, path
                assert told <= known
                assert told == {problem_type(name) for name in response["x-problems"]}


def test_every_problem_says_what_it_means() -> None:
    assert all(meaning for meaning in errors.meanings().values())


def test_every_link_leads_to_an_operation_and_gives_it_what_it_takes(document: dict[str, Any]) -> None:
    there = {operation["operationId"]: operation for _, _, operation in operations(document)}
    found = 0
    for _, _, operation in operations(document):
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                found += 1
                assert set(link["parameters"]) <= taken(document, there[link["operationId"]])
    assert found >= 10
    for (source, _), targets in links.LINKS.items():
        assert {source, *targets} <= set(there)


def test_shared_parts_are_there(document: dict[str, Any]) -> None:
    parts = document["components"]
    assert {"key"} == set(parts["securitySchemes"])
    text = str(document["paths"])
    for kind in ("parameters", "headers"):
        assert set(re.findall(rf"#/components/{kind}/([\w-]+)", text)) == set(parts[kind])
