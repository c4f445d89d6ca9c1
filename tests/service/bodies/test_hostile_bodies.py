"""Bodies that lie about themselves: refused before they cost anything, with a problem that names what is wrong."""

import io
import zipfile
import zlib
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeEncoder, walking
from tests.service.bodies.refusals import ABOUT, embed, refused
from tests.service.bodies.sent import array_of, files, npy, raw, said
from tests.service.client import Client, started
from tests.service.conftest import Serve, as_json, make_app, open_library, person
from tests.service.test_bad_input import problem_in


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One service for all that is refused: a refusal leaves nothing behind."""
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


@settings(max_examples=150, deadline=None)
@given(
    place=st.integers(0, 140),
    byte=st.integers(0, 255),
    cut=st.integers(0, 300),
    kind=st.sampled_from(["npy", "msgpack"]),
)
def test_no_damage_makes_the_service_fail(client: Client, place: int, byte: int, cut: int, kind: str) -> None:
    walk = walking(frames=24)
    sent = said(kind, walk)
    body = bytearray(sent["content"])
    body[place] = byte
    response = client.post("/embed", **{**sent, "content": bytes(body[: len(body) - cut])})
    assert response.status_code == 200 or 400 <= response.status_code < 500, response.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        b"\x81",
        b"\x81\xa8sequence",
        b"\x91" * 100_000,
        b"\x81\xa8sequence" + b"\x81\xa6joints" + b"\xdd\xff\xff\xff\xff" * 1000,
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x81\xa8sequence\xc7\x05\x01aaaaa",
        b"\x81\xa3\xff\xfe\xfd\x01",
    ],
    ids=range(10),
)
def test_msgpack_that_lies_is_refused(client: Client, body: bytes) -> None:
    response = embed(client, "application/msgpack", body)
    assert response.status_code in (400, 422)
    problem_in(response)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("field", ["fps", "aspect"])
def test_a_number_that_json_has_not_is_refused_in_msgpack(client: Client, value: float, field: str) -> None:
    body = msgspec.msgpack.encode({"sequence": {**person(), field: value}})
    refused(embed(client, "application/msgpack", body), f"sequence.{field}")


@pytest.mark.parametrize("parameter", ["target_fpir", "db"])
def test_a_rate_that_is_no_number_is_refused(client: Client, parameter: str) -> None:
    for value in ("nan", "inf", "-1", "often", ""):
        response = client.post("/identify", **raw(array_of(walking()), ABOUT), params={parameter: value})
        refused(response, parameter)


def test_parameters_that_nobody_knows_are_refused(client: Client) -> None:
    sent = raw(array_of(walking()), ABOUT)
    refused(client.post("/embed", **sent, params={"gallery": "default"}), "body")
    refused(client.post("/identify", **sent, params=[("top_k", "1"), ("top_k", "2")]), "top_k")
    refused(client.post("/identify", **sent, params={"sequence": "{}"}), "sequence")
    refused(client.post("/identify", **sent, params={f"p{i}": "" for i in range(100)}), "query")
    refused(client.post("/identify?top_k=%ff", **sent), "query")
    refused(client.post("/identify", **sent, params={"within": "ada"}), "within")
    refused(client.post("/identify", **sent, params={"within": "[" * 20_000}), "within")
    refused(client.post("/verify", **sent), "body")
    for media in ("json", "msgpack"):
        refused(client.post("/embed", **said(media, walking()), params={"x": "1"}), "x")
        refused(client.post("/identify", **said(media, walking()), params={"top_k": "no"}), "top_k")


def test_metadata_that_is_nested_without_end_is_refused(client: Client) -> None:
    client.post("/galleries/default/subjects/deep/templates", json={"sequence": person()})
    body = b'{"metadata": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}"
    response = client.patch(
        "/galleries/default/subjects/deep", content=body, headers={"Content-Type": "application/json"}
    )
    refused(response, "body (nesting)", 413)


def test_bodies_within_the_limits_only(serve: Serve) -> None:
    client = serve(frames=100, sequences=3)
    walk, long = walking(frames=100), walking(frames=101)
    for media in ("json", "msgpack", "raw", "npy"):
        assert client.post("/embed", **said(media, walk)).status_code == 200
        response = client.post("/embed", **said(media, long))
        assert (response.status_code, problem_in(response)["limit"]) == (413, 100)
    stacked = np.stack([array_of(walking(frames=40))] * 3)
    assert client.post("/embed", **raw(stacked, ABOUT)).json()["limit"] == 100
    four = np.stack([array_of(walking(frames=10))] * 4)
    assert client.post("/embed", **raw(four, ABOUT)).json()["limit"] == 3
    response = client.post("/embed", json={"sequences": [person(frames=10)] * 4})
    assert (response.status_code, response.json()["limit"]) == (413, 3)
    response = client.post("/embed", json={"sequences": [person(frames=60)] * 2})
    assert (response.status_code, response.json()["limit"]) == (413, 100)


def test_all_bodies_together_have_a_limit_and_are_let_go_with_their_answers(serve: Serve) -> None:
    client = serve(held_bytes=20_000)
    sent, too_large = raw(array_of(walking(frames=60)), ABOUT), raw(array_of(walking(frames=120)), ABOUT)
    for _ in range(3):
        refusal = client.post("/embed", **too_large)
        assert (refusal.status_code, refusal.headers["retry-after"]) == (429, "1")
        assert client.post("/embed", **sent).status_code == 200


def bomb(ratio: int = 1000) -> bytes:
    """An npz of 40 kB that would become 40 MB."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("joints.npy", npy(np.zeros((40 * ratio, 250, 1), "f4")))
    return file.getvalue()


def test_a_decompression_bomb_is_refused_before_it_is_inflated(client: Client) -> None:
    found = client.post("/embed", **files(("bomb.npz", bomb())))
    refused(found, "files (bytes, inflated)", 413)
    many = client.post("/embed", **files(*[(f"{i}.npz", bomb(100)) for i in range(12)]))
    refused(many, "files (bytes, inflated)", 413)


def test_a_bomb_in_the_transfer_is_refused_unread(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert client.post("/embed", content=zlib.compress(b" " * 10_000_000), headers=headers).status_code == 415


def test_a_sequence_is_said_one_way(client: Client) -> None:
    both = {"sequence": as_json(walking()), "sequences": [as_json(walking())]}
    for body in ({}, both, {"others": []} | both):
        response = client.post("/classify", json=body)
        refused(response, "sequence")
