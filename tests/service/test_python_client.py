"""`GaitkeeperClient`: typed answers, tried again where that is safe and may help, and done once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest

from gallery.library import Library
from service.answers import galleries as gallery_answers
from service.answers import recognition as served_answers
from service.client import GaitkeeperClient, Refused, Sequence, Unreachable, answers, verify_signature
from service.client.wire import Call, Wire
from service.problem import Problem
from service.process.server import running
from service.settings import Settings
from service.webhooks.signing import signature
from tests.fakes import FakeEncoder, walking
from tests.service.conftest import make_app


def sequence(subject: int = 0, seed: int = 0, frames: int = 60) -> Sequence:
    walk = walking(subject, frames, seed=seed)
    return Sequence(
        walk.joints, walk.layout.name, walk.fps, walk.confidence, aspect=walk.aspect, units=walk.units.value
    )


@pytest.fixture
def client(library: Library, encoder: FakeEncoder) -> Iterator[GaitkeeperClient]:
    """A client of a service at a real socket."""
    settings = Settings.read({}, port=0, access="loopback")
    with running(make_app(library, encoder), settings) as url, GaitkeeperClient(url, page=2) as found:
        yield found


def test_enroll_identify_verify_classify_embed_and_erase(client: GaitkeeperClient) -> None:
    assert client.create_gallery("entrance").name == "entrance"
    first = client.enroll("entrance", "ada b", sequence(1), labels={"view": "090"}, consent={"purpose": "doors"})
    assert (first.subject, first.repeated) == ("ada b", False)
    assert client.enroll("entrance", "ada b", sequence(1)).repeated
    decision = client.identify(sequence(1, seed=1), "entrance", top_k=3, target_fpir=0.05, within=["ada b"])
    assert (decision.outcome, decision.subject) == ("match", "ada b")
    assert client.verify(sequence(1, seed=2), "ada b", "entrance").outcome == "match"
    assert client.classify(sequence(1), top_k=2).actions[0].probability > 0
    assert np.linalg.norm(client.embed(sequence(1)).embedding) == pytest.approx(1, abs=1e-5)
    assert client.subject("entrance", "ada b").templates[0].labels == {"view": "090"}
    assert client.change_subject("entrance", "ada b", hold="court").hold == "court"
    with pytest.raises(Refused) as held:
        client.erase("entrance", "ada b")
    assert held.value.problem.type == "urn:gaitkeeper:problem:subject-held"
    client.change_subject("entrance", "ada b", hold=None)
    assert client.erase("entrance", "ada b").receipt
    client.delete_gallery("entrance")
    assert [each.name for each in client.galleries()] == ["default"]


def test_pages_are_got_as_they_are_needed(client: GaitkeeperClient) -> None:
    for subject in range(5):
        client.enroll("default", f"s{subject}", sequence(subject))
    assert [each.subject for each in client.subjects()] == [f"s{subject}" for subject in range(5)]
    assert {each.action for each in client.audit(action="enroll")} == {"enroll"}


def test_a_refusal_says_why(client: GaitkeeperClient) -> None:
    with pytest.raises(Refused, match="too_short") as raised:
        client.enroll("default", "ada", sequence(frames=5))
    assert raised.value.problem.reasons == ["too_short"]
    assert raised.value.problem.instance


def test_anything_else_can_be_asked_too(client: GaitkeeperClient) -> None:
    assert client.request("GET", "/galleries/default/calibration")["calibration"] is None
    assert client.request("DELETE", "/galleries/default/calibration") is None


# Without a service: what is sent, and how often


class Script(httpx.BaseTransport):
    """Answers one request after the other as it was told to, and keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.asked = list(answers), list[httpx.Request]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def refusal(status: int, **more: Any) -> httpx.Response:
    problem = Problem(type="urn:gaitkeeper:problem:x", title="X", status=status, **more)
    return httpx.Response(status, content=msgspec.json.encode(problem))


def sent(script: Script, call: Call, timeout_s: float = 30.0) -> tuple[Callable[[], httpx.Response], Clock]:
    clock = Clock()
    http = httpx.Client(base_url="http://service", transport=script)
    return lambda: Wire(http, timeout_s, clock=clock, sleep=clock.sleep).send(call), clock


def test_who_is_told_to_come_back_comes_back_and_is_known_by_the_same_key() -> None:
    script = Script(
        refusal(429, retry_after=3), refusal(409, retry_after=1), httpx.ReadError("gone"), httpx.Response(201)
    )
    send, clock = sent(script, Call("POST", "/galleries", b"{}"))
    assert send().status_code == 201
    assert clock.slept[0] >= 3
    assert len({request.headers["idempotency-key"] for request in script.asked}) == 1
    deadlines = [int(request.headers["x-deadline-ms"]) for request in script.asked]
    assert deadlines == sorted(deadlines, reverse=True)
    assert deadlines[0] == 30_000


def test_what_would_be_refused_again_is_not_sent_again() -> None:
    for answer in (refusal(404), refusal(409), refusal(422), refusal(504)):
        script = Script(answer)
        with pytest.raises(Refused):
            sent(script, Call("GET", "/galleries"))[0]()
        assert len(script.asked) == 1


def test_nothing_is_tried_beyond_the_time_that_was_given() -> None:
    script = Script(*[refusal(503, retry_after=2)] * 9)
    send, clock = sent(script, Call("GET", "/galleries"), timeout_s=5.0)
    with pytest.raises(Refused):
        send()
    assert clock.now < 5
    assert len(script.asked) == 3


def test_nobody_there_is_said_so() -> None:
    send, _ = sent(Script(*[httpx.ConnectError("refused")] * 99), Call("GET", "/galleries"), timeout_s=3.0)
    with pytest.raises(Unreachable, match="refused"):
        send()


@pytest.mark.parametrize("url", ["gaitkeeper.example", "ftp://gaitkeeper.example"])
def test_an_address_that_is_none_is_not_tried_again(url: str) -> None:
    with GaitkeeperClient(url, timeout_s=60.0) as client, pytest.raises(Unreachable, match="protocol"):
        client.identify(sequence())


def test_a_proxy_that_answers_in_its_own_words_is_understood() -> None:
    with pytest.raises(Refused, match="Bad Gateway"):
        sent(Script(httpx.Response(502, text="<html>")), Call("GET", "/galleries"))[0]()
    client = GaitkeeperClient(transport=Script(httpx.Response(200, text="<html>")))
    with pytest.raises(Unreachable, match="something else"):
        client.subject("default", "ada")


def test_the_key_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAITKEEPER_API_KEY", "gk_a_b")
    script = Script(httpx.Response(204))
    GaitkeeperClient("http://service/", transport=script).delete_gallery("a/b")
    assert script.asked[0].headers["authorization"] == "Bearer gk_a_b"
    assert str(script.asked[0].url) == "http://service/v1/galleries/a%2Fb"
    monkeypatch.setenv("GAITKEEPER_API_KEY", "gk_a_b\n")
    GaitkeeperClient("http://service/", transport=(read_from_a_file := Script(httpx.Response(204)))).delete_gallery("a")
    assert read_from_a_file.asked[0].headers["authorization"] == "Bearer gk_a_b"
    Settings.read({"GAITKEEPER_API_KEY": "gk_a_b"})  # not a setting of the service, and no misspelt one either


def test_arrays_that_do_not_fit_are_not_sent() -> None:
    with pytest.raises(ValueError, match="joints must be"):
        Sequence(np.zeros((4, 17)), "coco-17", 25).packed()
    with pytest.raises(ValueError, match="confidence must be"):
        Sequence(np.zeros((4, 17, 2)), "coco-17", 25, confidence=np.ones((4, 16))).packed()


def test_raw_bytes_are_little_endian_and_said_to_be_what_they_are() -> None:
    content, headers = Sequence([[[1, 2]] * 17], "coco-17", 25, [[0.5] * 17], "normalised", 1.5).packed()
    assert np.frombuffer(content, "<f4")[:3].tolist() == [1, 2, 0.5]
    told = {"X-Shape": "1,17,3", "X-Channels": "xyc", "X-Fps": "25.0", "X-Units": "normalised", "X-Aspect": "1.5"}
    assert told.items() <= headers.items()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        *[
            (getattr(answers, name), getattr(served_answers, name))
            for name in ("Decision", "Classification", "Embedding")
        ],
        *[(getattr(answers, name), getattr(served_answers, name)) for name in ("Quality", "Candidate", "Action")],
        *[(getattr(answers, name), getattr(gallery_answers, name)) for name in ("Gallery", "Subject", "Template")],
        *[
            (getattr(answers, name), getattr(gallery_answers, name))
            for name in ("SubjectSummary", "Consent", "Enrolled")
        ],
        *[(getattr(answers, name), getattr(gallery_answers, name)) for name in ("Erased", "AuditEntry")],
        (answers.Problem, Problem),
    ],
)
def test_the_client_knows_the_fields_that_the_service_answers(ours: Any, theirs: Any) -> None:
    known = {field.encode_name for field in msgspec.structs.fields(ours)}
    answered = {field.encode_name for field in msgspec.structs.fields(theirs)}
    assert known <= answered
    assert answered - known <= {"timeline"}


def test_neither_models_nor_an_index_are_needed() -> None:
    code = "import sys, service.client; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd=".")
    loaded = set(found.stdout.split())
    assert "httpx" in loaded
    assert not loaded & {"onnxruntime", "faiss", "torch", "fastapi", "starlette", "sqlalchemy", "gallery", "model"}


# Webhooks


def test_a_signature_is_the_services_own_and_of_now() -> None:
    body, now = b'{"id":"1"}', 1_700_000_000
    good = signature(b"whsec", now, body).rpartition("v1=")[2]

    def is_good(header: str, body: bytes = body, at: float = now) -> bool:
        return verify_signature("whsec", header, body, clock=lambda: at)

    assert is_good(f"t={now},v1={good}")
    assert is_good(f"t={now},v1={'0' * 64},v1={good}", at=now + 299)
    assert not is_good(f"t={now},v1={good}", body=body + b" ")
    assert not is_good(f"t={now},v1={good}", at=now + 301)
    assert not is_good(f"t={now + 1},v1={good}")
    for broken in ("", "t=,v1=", f"v1={good}", f"t={now}", "t=\u00b2,v1=\u00e9", f"t={'9' * 5000},v1={good}"):
        assert not is_good(broken)
