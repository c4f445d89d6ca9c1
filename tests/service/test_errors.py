"""One table from error to status, complete."""

from http import HTTPStatus

import msgspec
import pytest

from model import errors
from model.errors import GaitkeeperError
from service.errors import STATUS, http_problem, problem_of, refused_body
from tests.service.client import Client


def test_every_error_has_a_status_and_nothing_else_has() -> None:
    assert set(STATUS) == set(GaitkeeperError.__subclasses__())


def test_the_tree_is_one_level_deep() -> None:
    assert not [deep for kind in STATUS for deep in kind.__subclasses__()]


def test_a_problem_says_which_limit_was_passed() -> None:
    problem = problem_of(errors.LimitExceeded("sequence.joints", 1200, 5000))
    assert problem.type == "urn:gaitkeeper:problem:limit-exceeded"
    assert problem.title == "Limit exceeded"
    assert (problem.status, problem.field, problem.limit) == (413, "sequence.joints", 1200)
    assert "5000" in problem.detail


def test_a_problem_says_why_a_sequence_is_not_usable() -> None:
    assert problem_of(errors.UnusableSequence(["too_short", "frozen"])).reasons == ["too_short", "frozen"]


def test_a_problem_of_a_field_of_the_sequence_names_it_from_the_top() -> None:
    assert problem_of(errors.InvalidSequence("confidence", "no")).field == "sequence.confidence"


@pytest.mark.parametrize("status", [404, 405, 406, 415, 418, 500, 503])
def test_every_http_error_becomes_a_problem_with_a_type(status: int) -> None:
    problem = http_problem(status, "because")
    assert problem.status == status
    assert problem.type.removeprefix("urn:gaitkeeper:problem:").replace("-", "").isalpha()
    assert HTTPStatus(status).phrase[0] == problem.title[0]


@pytest.mark.parametrize(
    ("message", "field", "reason"),
    [
        ("Expected `float`, got `str` - at `$.sequence.fps`", "sequence.fps", "expected `float`, got `str`"),
        (
            "Object contains unknown field `joints`",
            "body",
            'the sequence goes under a key of its own: {"sequence": {"layout": ...}}',
        ),
        ("Object contains unknown field `josé`", "body", "object contains unknown field `josé`"),
        ("Expected `object`, got `array`", "body", "expected `object`, got `array`"),
        ("Object missing required field `sequence`", "body", "object missing required field `sequence`"),
        ("Expected `str`, got `int` - at `$.labels[...]`", "labels[...]", "expected `str`, got `int`"),
    ],
)
def test_a_decoder_s_message_is_taken_apart(message: str, field: str, reason: str) -> None:
    error = refused_body(msgspec.ValidationError(message))
    assert (error.field, error.reason) == (field, reason)


@pytest.mark.parametrize("body", [b"", b'{"sequence": '])
def test_a_body_that_is_cut_off_is_said_to_be(client: Client, body: bytes) -> None:
    refused = client.post("/identify", content=body, headers={"Content-Type": "application/json"})
    assert (refused.status_code, refused.json()["detail"]) == (400, "it is empty, or ends too early")


def test_what_can_be_done_with_an_address_is_said_in_full(client: Client) -> None:
    refused = client.request("PUT", "/galleries/default/subjects/ada")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, PATCH, DELETE")
    assert client.request("OPTIONS", "/galleries").headers["allow"] == "GET, HEAD, POST"
    assert client.post("/healthz").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("got", "told"), [(33554433, "33554433"), (2.5, "2.5"), (10**400, "1e+300"), (float("inf"), "1e+300")]
)
def test_a_limit_is_said_with_all_its_digits(got: float, told: str) -> None:
    assert str(errors.LimitExceeded("files", 33554432, got)) == f"files: at most 33554432, got {told}"
