"""The files of pose estimators, sent as a form."""

import json
import pickle
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.readers import read
from model.readers.recording import Track
from model.writing import to_json, to_npz
from tests.fakes import FakeEncoder, walking
from tests.model.readers import files as written
from tests.service.bodies.sent import files
from tests.service.client import Client, started
from tests.service.conftest import make_app, open_library
from tests.service.test_bad_input import problem_in


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        yield client


def openpose(frames: int = 60, *walkers: Any) -> list[tuple[str, bytes]]:
    """One file a frame."""
    everybody = [written.as_body_25(written.poses(frames, walker)) for walker in walkers or (written.ALICE,)]
    return [
        (f"street_{number:012d}_keypoints.json", written.openpose_frame([poses[number] for poses in everybody]))
        for number in range(frames)
    ]


def tracks(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["tracks"]
    return found


WALK = to_json([Track("1", walking())])
GAITGRAPH_NPZ = to_npz(walking(1))


def test_a_file_is_read_into_a_sequence_that_can_be_sent_on(client: Client) -> None:
    (track,) = tracks(client.post("/sequences", **files(("walk.json", WALK))))
    assert (track["name"], track["frames"], track["problem"]) == ("walk.json", 60, None)
    assert track["notes"][0] == "read as gaitkeeper"
    assert track["quality"]["usable"] is True
    sent_on = client.post("/embed", json={"sequence": track["sequence"]})
    assert sent_on.status_code == 200
    assert (
        sent_on.json()["embedding"]
        == client.post("/embed", **files(("walk.json", WALK))).json()["answers"][0]["answer"]["embedding"]
    )


def test_what_is_wrong_with_a_sequence_is_said_in_words(client: Client) -> None:
    short = to_json([Track("1", walking(frames=5))])
    (track,) = tracks(client.post("/sequences", **files(("short.json", short))))
    assert track["quality"]["reasons"] == ["too_short"]
    assert track["words"][0].startswith("too few frames")
    assert len(track["sequence"]["joints"]) == 5


def test_files_of_one_frame_each_are_one_recording(client: Client) -> None:
    (track,) = tracks(client.post("/sequences", **files(*openpose())))
    assert (track["name"], track["frames"], track["sequence"]["layout"]) == ("street", 60, "body-25")
    assert any(note.startswith("fps_unknown") for note in track["notes"])
    assert "fps_unknown" in track["quality"]["advice"]


def test_two_people_in_files_are_two_tracks(client: Client) -> None:
    found = tracks(client.post("/sequences", **files(*openpose(60, written.ALICE, written.BOB))))
    assert [track["name"] for track in found] == ["street/1", "street/2"]


def test_what_the_files_do_not_say_is_said_beside_them(client: Client) -> None:
    for sent in (
        files(*openpose(), fps="50"),
        {**files(*openpose()), "headers": {"X-Fps": "50"}},
        {**files(*openpose()), "params": {"fps": "50"}},
    ):
        (track,) = tracks(client.post("/sequences", **sent))
        assert track["sequence"]["fps"] == 50


@pytest.mark.parametrize("field", ["fps", "aspect", "width", "layout"])
def test_what_is_said_beside_them_must_be_possible(client: Client, field: str) -> None:
    for value in ("nan", "-1", "octopus"):
        response = client.post("/sequences", **files(("walk.json", WALK), **{field: value, "height": "100"}))
        (track,) = response.json().get("tracks", [None])
        assert response.status_code == 422 or track["problem"], response.text


def test_several_files_of_several_formats_are_told_apart_by_name(client: Client) -> None:
    sent = [("a.json", WALK), ("b.npz", to_npz(walking(1))), ("a.json", to_json([Track("1", walking(2))])), *openpose()]
    found = tracks(client.post("/sequences", **files(*sent)))
    assert [track["name"] for track in found] == ["street", "a.json", "b.npz", "a.json (2)"]


def test_a_file_that_cannot_be_read_does_not_spoil_the_others(client: Client) -> None:
    sent = [("a.txt", b"hello"), ("walk.json", WALK), ("b.json", b'{"layout": "coco-17", "joints": 7}'), ("c", b"")]
    first, second, third, last = tracks(client.post("/sequences", **files(*sent)))
    assert second["problem"] is None
    for track in (first, third, last):
        assert track["problem"]["type"] == "urn:gaitkeeper:problem:unreadable-file"
        assert track["sequence"] is None


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_is_never_opened(client: Client, protocol: int) -> None:
    content = pickle.dumps(np.zeros((60, 17, 3)), protocol=protocol)
    (track,) = tracks(client.post("/sequences", **files(("090.pkl", content))))
    assert track["problem"]["status"] == 400
    assert protocol < 2 or "pickle" in track["problem"]["detail"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b"--\r\n"),
        (f"multipart/form-data; boundary={'x' * 300}", b""),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"hello"),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=a; filename=a\r\n\r\n{}"),
        ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"A: b\r\n" * 1000 + b"\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n" + b"y" * 20_000 + b"\r\n--x--\r\n"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        ),
    ],
    ids=range(13),
)
def test_a_form_that_is_none_is_refused(client: Client, kind: str, body: bytes) -> None:
    response = client.post("/sequences", content=body, headers={"Content-Type": kind})
    assert 400 <= response.status_code < 500, response.text
    problem_in(response)


def test_what_is_typed_into_a_form_is_bounded_and_known(client: Client) -> None:
    too_many = client.post("/sequences", **files(("walk.json", WALK), **{f"f{i}": "" for i in range(100)}))
    assert (too_many.status_code, too_many.json()["field"]) == (413, "fields of the form")
    unknown = client.post("/sequences", **files(("walk.json", WALK), speed="3"))
    assert unknown.status_code == 422
    no_file = client.post("/sequences", **files(("", b""), fps="25"))
    assert no_file.status_code in (200, 400, 422)


def test_a_name_says_nothing_that_a_terminal_would_do(client: Client) -> None:
    (track,) = tracks(client.post("/sequences", **files(("C:\\walks\\a\x1b[31m\u202e.json", WALK))))
    assert track["name"].isprintable()
    assert "walks" not in track["name"]


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(["json", "npz", "openpose", "text"]),
    places=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 400),
)
def test_no_damage_to_a_file_makes_the_service_fail(
    client: Client, kind: str, places: list[tuple[int, int]], cut: int
) -> None:
    whole = {"json": WALK, "npz": GAITGRAPH_NPZ, "openpose": openpose(1)[0][1], "text": b"HIERARCHY\nROOT Hips\n{\n"}
    content = bytearray(whole[kind])
    for place, byte in places:
        content[place % len(content)] = byte
    (*_, track) = tracks(client.post("/sequences", **files(("some.dat", bytes(content[: len(content) - cut] or b"x")))))
    assert track["problem"] is None or 400 <= track["problem"]["status"] < 500


def test_what_the_command_reads_the_service_reads_alike(client: Client) -> None:
    for name, content in (("walk.json", WALK), ("walk.npz", GAITGRAPH_NPZ)):
        expected = read(content, name=name).tracks[0].sequence
        (track,) = tracks(client.post("/sequences", **files((name, content))))
        assert np.array_equal(np.array(track["sequence"]["joints"], np.float32), expected.joints)
        assert json.dumps(track["sequence"]["confidence"]) == json.dumps(
            np.round(expected.confidence.astype(float), 6).tolist()
        )
