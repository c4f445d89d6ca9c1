"""Hostile until parsed: each gets a 4xx problem document that names the field, quickly, and never a 500."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import Serve, make_app, open_library, person

JSON = {"Content-Type": "application/json"}
MEDIA_TYPE = "application/problem+json"
PATHS = ["/identify", "/classify", "/verify", "/embed", "/galleries/default/subjects/a/templates"]
WRONG_BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"1",
    b'"a"',
    b"{}",
    b'{"sequence":1}',
    b"\xff\xfe",
    b'{"sequence":{"joints":[',
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One service for all that is refused: a refusal leaves nothing behind."""
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


def problem_in(response: httpx.Response) -> dict[str, Any]:
    """The problem document of a refusal, which has all that RFC 9457 and we promise."""
    assert response.headers["content-type"] == MEDIA_TYPE, response.text
    problem: dict[str, Any] = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"].startswith("urn:gaitkeeper:problem:")
    assert problem["title"]
    assert problem["detail"]
    return problem


def refused(client: Client, sequence: dict[str, Any], status: int, path: str = "/embed") -> dict[str, Any]:
    response = client.post(path, content=json.dumps({"sequence": sequence}), headers=JSON)
    assert response.status_code == status, response.text
    return problem_in(response)


def body_with_coordinate(text: str) -> bytes:
    sequence = person()
    sequence["joints"][3][2][1] = "HERE"
    return json.dumps({"sequence": sequence}).replace('"HERE"', text).encode()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "nan", "01", "0x1", "1.", ".5", "--1", "'1'"])
def test_what_is_not_json_is_a_malformed_body(client: Client, text: str) -> None:
    response = client.post("/embed", content=body_with_coordinate(text), headers=JSON)
    assert response.status_code == 400
    problem = problem_in(response)
    assert problem["type"] == "urn:gaitkeeper:problem:malformed-body"
    assert ("it holds" in problem["detail"]) == (text in ("NaN", "Infinity", "-Infinity"))


@pytest.mark.parametrize("text", ['"1.5"', "null", "true", "1e999", "9" * 5000, "{}", "[1]"])
def test_what_is_not_a_number_is_named_with_its_place(client: Client, text: str) -> None:
    response = client.post("/embed", content=body_with_coordinate(text), headers=JSON)
    assert response.status_code == 422
    problem = problem_in(response)
    assert problem["type"] == "urn:gaitkeeper:problem:invalid-request"
    assert problem["field"].startswith("sequence.joints[3][2][1]")


@pytest.mark.parametrize("text", ["1e5", "-1e5", "1e38", "1e39", "-1e300"])
def test_an_absurd_coordinate_is_refused(client: Client, text: str) -> None:
    response = client.post("/embed", content=body_with_coordinate(text), headers=JSON)
    assert response.status_code == 422
    assert problem_in(response)["field"] == "sequence.joints"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"joints": []}, "sequence.joints"),
        ({"joints": [[]]}, "sequence.joints"),
        ({"joints": [[[]]]}, "sequence.joints"),
        ({"joints": [[[1, 2]] * 17, [[1, 2]] * 16]}, "sequence.joints"),
        ({"joints": [[[1, 2]] * 16 + [[1]]]}, "sequence.joints"),
        ({"joints": [[[1, 2, 3, 4]] * 17]}, "sequence.joints"),
        ({"joints": [[[1, 2]] * 18]}, "sequence.layout"),
        ({"confidence": [[1.0] * 17]}, "sequence.confidence"),
        ({"confidence": [[2.0] * 17] * 60}, "sequence.confidence"),
        ({"confidence": [[-0.1] * 17] * 60}, "sequence.confidence"),
        ({"confidence": [[1.0] * 17] * 59 + [[1.0]]}, "sequence.confidence"),
        ({"layout": "coco-99"}, "sequence.layout"),
        ({"layout": ""}, "sequence.layout"),
        ({"fps": 0}, "sequence.fps"),
        ({"fps": -25}, "sequence.fps"),
        ({"fps": 1e9}, "sequence.fps"),
        ({"fps": 1e-308}, "sequence.fps"),
        ({"units": "furlongs"}, "sequence.units"),
        ({"units": "metres"}, "sequence.units"),
        ({"aspect": 0}, "sequence.aspect"),
        ({"aspect": 1e6}, "sequence.aspect"),
        ({"unknown": 1}, "sequence"),
    ],
)
def test_what_is_wrong_in_a_sequence_is_named(client: Client, change: dict[str, Any], field: str) -> None:
    problem = refused(client, {**person(), **change}, 422)
    assert problem["field"] == field


@pytest.mark.parametrize(
    "path", ["/identify", "/classify", "/verify", "/embed", "/galleries/default/subjects/a/templates"]
)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"1", b'"a"', b"{}", b'{"sequence":1}', b"\xff\xfe", b'{"sequence":{"joints":['],
)
def test_a_body_of_another_form_is_refused_everywhere(client: Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers=JSON)
    assert response.status_code in (400, 422)
    problem_in(response)


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"sequence":', b'{"sequence":{"joints":['])
def test_deep_nesting_is_refused(client: Client, opening: bytes) -> None:
    started = time.monotonic()
    response = client.post("/embed", content=opening * 100_000, headers=JSON)
    assert response.status_code in (400, 422)
    problem_in(response)
    assert time.monotonic() - started < 2


def test_several_people_are_not_mixed_into_one(client: Client) -> None:
    tracks = {"tracks": [{"name": "a", "sequence": person(0)}, {"name": "b", "sequence": person(1)}]}
    problem = refused(client, tracks, 422, "/identify")
    assert problem["field"] == "sequence.tracks"
    assert "one" in problem["detail"]


def test_more_frames_than_allowed_are_refused(serve: Serve) -> None:
    client = serve(frames=100)
    assert client.post("/embed", json={"sequence": person(frames=100)}).status_code == 200
    problem = refused(client, person(frames=101), 413)
    assert problem["limit"] == 100


def test_a_low_frame_rate_does_not_multiply_frames(client: Client) -> None:
    started = time.monotonic()
    problem = refused(client, {**person(frames=1200), "fps": 0.001}, 413)
    assert "fps" in problem["field"]
    assert time.monotonic() - started < 2


def test_more_candidates_than_allowed_are_refused(client: Client) -> None:
    response = client.post("/identify", json={"sequence": person(), "top_k": 1000})
    assert response.status_code == 413
    assert (problem_in(response)["field"], response.json()["limit"]) == ("top_k", 50)


@pytest.mark.parametrize(
    ("field", "value"), [("target_fpir", 0), ("target_fpir", 1), ("target_fpir", -1), ("top_k", 0), ("gallery", "")]
)
def test_a_parameter_out_of_its_range_is_named(client: Client, field: str, value: object) -> None:
    response = client.post("/identify", json={"sequence": person(), field: value})
    assert response.status_code == 422
    assert problem_in(response)["field"] == field


def test_too_large_a_body_is_refused(serve: Serve) -> None:
    response = serve(body_bytes=1_000_000).post("/embed", content=b" " * 1_000_001, headers=JSON)
    assert response.status_code == 413
    assert (problem_in(response)["field"], response.json()["limit"]) == ("body bytes", 1_000_000)


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/npy"])
def test_a_body_of_another_media_type_is_refused(client: Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}
    response = client.post("/identify", content=json.dumps({"sequence": person()}).encode(), headers=headers)
    assert response.status_code == 415
    assert problem_in(response)["type"] == "urn:gaitkeeper:problem:unsupported-media-type"


def test_a_compressed_body_is_refused(client: Client) -> None:
    response = client.post("/identify", content=b"x", headers={**JSON, "Content-Encoding": "gzip"})
    assert response.status_code == 415
    problem_in(response)


def test_a_path_that_is_not_there_and_a_method_that_is_not_possible_are_problems(client: Client) -> None:
    missing, method = client.get("/nowhere"), client.get("/identify")
    assert (missing.status_code, method.status_code) == (404, 405)
    assert problem_in(missing)["type"] == "urn:gaitkeeper:problem:not-found"
    assert problem_in(method)["type"] == "urn:gaitkeeper:problem:method-not-allowed"
    assert method.headers["allow"] == "POST"


def test_a_query_parameter_that_is_wrong_is_named(client: Client) -> None:
    response = client.get("/galleries/default/subjects", params={"limit": "many"})
    assert response.status_code == 422
    assert problem_in(response)["field"] == "query.limit"


class BrokenEncoder:
    """An encoder whose every call fails."""

    def __init__(self, like: Any) -> None:
        self.layout, self.clip, self.dim, self.fingerprint = like.layout, like.clip, like.dim, like.fingerprint

    def embed_clips(self, clips: Any) -> Any:
        raise RuntimeError("secret detail of our insides")


def test_our_own_mistake_is_a_500_that_tells_nothing(serve: Serve, encoder: Any) -> None:
    response = serve(BrokenEncoder(encoder)).post("/embed", json={"sequence": person()})
    assert response.status_code == 500
    assert problem_in(response)["type"] == "urn:gaitkeeper:problem:internal-error"
    assert "secret" not in response.text


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["layout", "fps", "joints", "confidence", "units", "aspect", "tracks", "x"])


@settings(max_examples=150, deadline=None)
@given(
    changes=st.dictionaries(fields, anything, max_size=4),
    more=st.dictionaries(st.text(max_size=6), anything, max_size=2),
)
def test_nothing_that_is_sent_makes_the_service_fail(
    client: Client, changes: dict[str, Any], more: dict[str, Any]
) -> None:
    body = {"sequence": {**person(frames=30), **changes}, **more}
    for path in ("/embed", "/classify"):
        response = client.post(path, content=json.dumps(body).encode("utf-8", "surrogatepass"), headers=JSON)
        assert response.status_code == 200 or 400 <= response.status_code < 500
        if response.status_code != 200:
            problem_in(response)


def test_a_word_that_is_none_of_those_that_fit_is_answered_with_those_that_do(client: Client) -> None:
    wrong = person() | {"units": "furlongs"}
    units = "invalid enum value 'furlongs': must be one of metres, normalised, pixels"
    assert units in refused(client, wrong, 422)["detail"]
    several = client.post("/embed", content=json.dumps({"sequences": [person(), wrong]}), headers=JSON).json()
    assert units in several["answers"][1]["problem"]["detail"]
    key = client.post("/keys", content=b'{"name": "x", "scopes": ["identify", "fly"]}', headers=JSON)
    assert (
        "'fly': must be one of admin, audit, embed, enroll, identify, investigate, manage" in problem_in(key)["detail"]
    )


@pytest.mark.parametrize(
    "body",
    [
        {"sequence": person() | {"units": "x" * 100_000}},
        {"sequence": person() | {"y" * 100_000: 1}},
        {"sequence": person(), "z" * 100_000: 1},
        {"sequence": person() | {"layout": "x" * 100_000}},
    ],
)
def test_a_refusal_does_not_send_back_all_that_was_sent(client: Client, body: dict[str, Any]) -> None:
    answer = client.post("/embed", content=json.dumps(body), headers=JSON)
    assert problem_in(answer)["status"] == 422
    assert len(answer.content) < 2000
