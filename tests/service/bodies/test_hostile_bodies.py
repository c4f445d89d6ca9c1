"""Bodies that lie about themselves: refused before they cost anything, with a problem that names what is wrong."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeEncoder, walking
from tests.service.bodies.sent import array_of, as_npy, files, npy, raw, said
from tests.service.client import Client, started
from tests.service.conftest import Serve, as_json, make_app, open_library, person
from tests.service.test_bad_input import problem_in

ABOUT = {"X-Layout": "coco-17", "X-Fps": "25"}
RAW = "application/octet-stream"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One service for all that is refused: a refusal leaves nothing behind."""
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


def refused(response: httpx.Response, field: str, *status: int) -> None:
    problem = problem_in(response)
    assert response.status_code in (status or (422,)), response.text
    assert problem.get("field") == field, problem


def embed(client: Client, kind: str, content: bytes, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/embed", content=content, headers={"Content-Type": kind, **ABOUT, **named})


@pytest.mark.parametrize(
    "shape",
    ["", "60", "60,17", "60,17,3,1,1", "60,-17,3", "60,17,three", "6e1,17,3", "60,17,3,", b"\xb2,17,3"],
)
def test_a_shape_that_is_none_is_refused(client: Client, shape: Any) -> None:
    response = embed(client, RAW, b"\0" * 12240, X_Shape=shape)
    refused(response, "X-Shape")


@pytest.mark.parametrize("shape", ["60,17,4", "61,17,3", "999999999,999999999,999999999", "1,60,17,4", "0,17,3"])
def test_a_shape_that_is_not_the_bodys_is_refused(client: Client, shape: str) -> None:
    refused(embed(client, RAW, b"\0" * 12240, X_Shape=shape), "X-Shape")


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"X-Layout": "octopus-8"}, "sequence.layout"),
        ({"X-Layout": "body-25"}, "sequence.layout"),
        ({"X-Fps": "fast"}, "X-Fps"),
        ({"X-Fps": "nan"}, "X-Fps"),
        ({"X-Fps": "inf"}, "X-Fps"),
        ({"X-Fps": "0"}, "X-Fps"),
        ({"X-Fps": "1e9"}, "X-Fps"),
        ({"X-Units": "furlongs"}, "X-Units"),
        ({"X-Aspect": "16:9"}, "X-Aspect"),
        ({"X-Aspect": "nan"}, "sequence.aspect"),
        ({"X-Aspect": "1000"}, "sequence.aspect"),
        ({"X-Channels": "rgb"}, "X-Channels"),
        ({"X-Channels": "xy"}, "X-Channels"),
        ({"X-Channels": "xyzc"}, "X-Channels"),
    ],
)
def test_a_header_field_that_is_wrong_is_named(client: Client, headers: dict[str, str], field: str) -> None:
    for sent in (raw(array_of(walking()), {**ABOUT, **headers}), as_npy(array_of(walking()), {**ABOUT, **headers})):
        refused(client.post("/embed", **sent), field)


@pytest.mark.parametrize("missing", ["X-Layout", "X-Fps", "X-Shape"])
def test_a_header_field_that_is_missing_is_named(client: Client, missing: str) -> None:
    sent = raw(array_of(walking()), ABOUT)
    sent["headers"] = {name: value for name, value in sent["headers"].items() if name != missing}
    refused(client.post("/embed", **sent), missing)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e5, -1e5, 1e38])
@pytest.mark.parametrize("channel", [0, 1])
def test_what_json_cannot_say_is_refused_in_arrays(client: Client, value: float, channel: int) -> None:
    array = array_of(walking())
    array[3, 2, channel] = value
    for sent in (raw(array, ABOUT), as_npy(array, ABOUT), as_npy(array.astype("f8"), ABOUT)):
        refused(client.post("/embed", **sent), "sequence.joints")


@pytest.mark.parametrize("value", [np.nan, -0.1, 1.1, np.inf])
def test_a_confidence_that_is_none_is_refused_in_arrays(client: Client, value: float) -> None:
    array = array_of(walking())
    array[3, 2, 2] = value
    refused(client.post("/embed", **raw(array, ABOUT)), "sequence.confidence")


def test_a_double_beyond_float32_is_refused_in_an_npy(client: Client) -> None:
    array = array_of(walking()).astype("f8")
    array[0, 0, 0] = 1e300
    refused(client.post("/embed", **as_npy(array, ABOUT)), "sequence.joints")


class Evil:
    """Runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("a pickle was run",))


@pytest.mark.parametrize(
    "array",
    [
        np.array([[[Evil()]]], dtype=object),
        np.zeros((60, 17, 3), "U5"),
        np.zeros((60, 17, 3), "S4"),
        np.zeros((60, 17, 3), bool),
        np.zeros((60, 17, 3), complex),
        np.zeros((60, 17, 3), "M8[s]"),
        np.zeros((60, 17), [("x", "f4"), ("y", "f4")]),
        np.zeros((60, 17)),
        np.zeros((0, 17, 3)),
        np.zeros(()),
        np.zeros((60, 17, 1)),
        np.zeros((60, 17, 5)),
    ],
    ids=lambda array: f"{array.dtype}-{array.shape}",
)
def test_an_npy_of_anything_else_is_refused_without_unpickling(client: Client, array: Any) -> None:
    refused(embed(client, "application/x-npy", npy(array)), "body")


def npy_saying(header: bytes, content: bytes = b"", version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff",
        b"\x93NUMPY\x09\x00" + b"\0" * 20,
        b"PK\x03\x04" + b"\0" * 100,
        npy(np.zeros((60, 17, 3)))[:-1],
        npy(np.zeros((60, 17, 3))) + b"\0",
        npy_saying(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 17, 3), }\n"),
        npy_saying(b"{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 17, 3), }\n"),
        npy_saying(b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 17, 3), }\n"),
        npy_saying(b"{'descr': '<f4', 'shape': (1, 17, 3), }\n"),
        npy_saying(b"{'descr': ('|O', 5), 'fortran_order': False, 'shape': (1, 17, 3), }\n"),
        npy_saying(b"__import__('os').abort()\n"),
        npy_saying(b"(" * 3000),
        npy_saying(b"[" * 4000 + b"\n", version=2),
        npy_saying(b"\xff\xfe\n", version=3),
    ],
    ids=range(16),
)
def test_a_header_that_lies_is_refused(client: Client, body: bytes) -> None:
    refused(embed(client, "application/x-npy", body), "body")


def test_a_long_header_is_refused_unread(client: Client) -> None:
    body = npy_saying(b"[" * 1_000_000, version=2)
    refused(embed(client, "application/x-npy", body), "body (bytes of its header)", 413)


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
