"""Arrays that lie about themselves: refused before they cost anything, with what is wrong named."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.fakes import FakeEncoder, walking
from tests.service.bodies.refusals import ABOUT, embed, refused
from tests.service.bodies.sent import array_of, as_npy, npy, raw
from tests.service.client import Client, started
from tests.service.conftest import make_app, open_library

RAW = "application/octet-stream"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One service for all that is refused: a refusal leaves nothing behind."""
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


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
