"""What a refusal of a body looks like."""

import httpx

from tests.service.client import Client
from tests.service.test_bad_input import problem_in

ABOUT = {"X-Layout": "coco-17", "X-Fps": "25"}


def refused(response: httpx.Response, field: str, *status: int) -> None:
    problem = problem_in(response)
    assert response.status_code in (status or (422,)), response.text
    assert problem.get("field") == field, problem


def embed(client: Client, kind: str, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/embed", content=content, headers={"Content-Type": kind, **ABOUT, **named})
