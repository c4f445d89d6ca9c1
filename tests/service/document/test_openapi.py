"""The documentation says what the service does, and needs no network."""

import re
from typing import Any

from service.document.page import STATIC
from tests.service.client import Client


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [ref for value in node.values() for ref in references(value)]
    return [ref for value in node for ref in references(value)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere(client: Client) -> None:
    document = client.get("/openapi.json").json()
    known = {f"#/components/{kind}/{name}" for kind, each in document["components"].items() for name in each}
    assert set(references(document)) <= known


def test_every_refusal_is_a_problem_and_every_answer_has_its_type(client: Client) -> None:
    document = client.get("/openapi.json").json()
    other = {"/metrics", "/galleries/{gallery}/subjects/{subject}/copy"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert "requestBody" not in operation or method in ("post", "patch", "put"), path
            for status, response in operation["responses"].items():
                kinds = set(response.get("content", {}))
                if status in ("204", "304"):
                    assert not kinds
                elif status >= "400":
                    told = path in ("/healthz", "/readyz") and status == "503"  # what is wrong, in their own form
                    assert told or kinds == {"application/problem+json"}
                elif path not in other:
                    assert kinds <= {"application/json", "text/event-stream"}, (path, status)
                    assert kinds, (path, status)


def test_unknown_keys_are_refused_in_the_schema_too(client: Client) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["IdentifyRequest"]["additionalProperties"] is False
    assert schemas["Sequence"]["additionalProperties"] is False


def test_examples_are_answered(client: Client) -> None:
    document = client.get("/openapi.json").json()
    for path in ("/embed", "/classify", "/galleries/{gallery}/subjects/{subject}/templates", "/identify"):
        body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        response = client.post(path.format(gallery="default", subject="ada"), json=body)
        assert response.status_code in (200, 201), response.text


def test_the_page_loads_nothing_from_elsewhere(client: Client) -> None:
    assert client.get("/").headers["location"] == "/docs"
    page = client.get("/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert source.startswith(("/static/", "data:"))
        if source.startswith("/"):
            assert client.get(source).status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_what_is_vendored_has_its_licence_beside_it() -> None:
    assert "Apache License" in (STATIC / "swagger-ui.LICENSE").read_text()
    assert not re.search(r"url\(['\"]?https?:", (STATIC / "swagger-ui.css").read_text())


def test_no_two_kinds_of_body_have_one_name(client: Client) -> None:
    """Else they are told apart by the modules they are in, which nobody outside knows."""
    names = client.get("/openapi.json").json()["components"]["schemas"]
    assert [name for name in names if "." in name] == []
