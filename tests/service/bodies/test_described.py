"""What the documentation says of bodies is what is read."""

from typing import Any

import pytest

from service.bodies.media import READERS
from tests.service.client import Client

ASKED = [
    "/identify",
    "/verify",
    "/classify",
    "/embed",
    "/sequences",
    "/galleries/{gallery}/subjects/{subject}/templates",
]


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def parameters(document: dict[str, Any], path: str) -> dict[str, Any]:
    each = [one for one in document["paths"][path]["post"]["parameters"] if "name" in one]
    return {one["name"]: one for one in each}


@pytest.mark.parametrize("path", ASKED)
def test_every_media_type_that_is_read_is_described(document: dict[str, Any], path: str) -> None:
    assert set(document["paths"][path]["post"]["requestBody"]["content"]) == set(READERS)


def test_whatever_is_asked_beside_a_sequence_is_a_parameter_without_a_default_that_a_body_could_contradict(
    document: dict[str, Any],
) -> None:
    found = parameters(document, "/identify")
    assert {"gallery", "target_fpir", "db", "top_k", "within", "at_least", "timeline"} <= set(found)
    assert not {"sequence", "sequences", "people"} & set(found)
    assert all("default" not in one.get("schema", {}) for one in found.values())
    assert "application/json" in found["within"]["content"]
    assert {"X-Layout", "X-Fps", "X-Units", "X-Aspect", "X-Channels", "X-Shape"} <= set(found)


def test_one_answer_or_several_are_described(document: dict[str, Any]) -> None:
    for path, several in (("/identify", "Decisions"), ("/classify", "Classifications"), ("/embed", "Embeddings")):
        schema = document["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert {"$ref": f"#/components/schemas/{several}"} in schema["anyOf"]
    assert document["components"]["schemas"]["NamedSequence"]["properties"]["name"]
