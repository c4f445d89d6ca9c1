"""Configuration refuses what it does not know."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from model.errors import InvalidRequest
from service.settings import Settings


def test_the_defaults_listen_on_this_machine_only() -> None:
    settings = Settings.read({})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.limits.body_bytes == 4 * 1024 * 1024


def test_the_environment_is_read_and_the_command_line_wins() -> None:
    environment = {"GAITKEEPER_PORT": "9000", "GAITKEEPER_DATA": "/data", "GAITKEEPER_LIMITS__FRAMES": "7"}
    settings = Settings.read(environment, port=9001, host=None)
    assert (settings.port, settings.data, settings.limits.frames) == (9001, Path("/data"), 7)


@pytest.mark.parametrize("name", ["GAITKEEPER_PROT", "gaitkeeper_hots", "GAITKEEPER_LIMIT__FRAMES"])
def test_a_misspelt_variable_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        Settings.read({name: "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("GAITKEEPER_PORT", "tcp://10.0.0.1:8000"), ("GAITKEEPER_PORT", "70000"), ("GAITKEEPER_LIMITS__FRAMES", "0")],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=name):
        Settings.read({name: value})


def test_an_unknown_limit_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="LIMITS__FRAME"):
        Settings.read({"GAITKEEPER_LIMITS__FRAME": "1"})


def test_variables_of_others_are_passed_by() -> None:
    others = {"GAITKEEPER_SERVICE_HOST": "10.0.0.1", "GAITKEEPER_PORT_8000_TCP": "tcp://10.0.0.1:8000", "HOME": "/"}
    assert Settings.read({**others, "GAITKEEPER_RECORDINGS": "/x"}).port == 8000


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings.read({}).port = 1  # type: ignore[misc]


def test_settings_that_do_not_go_together_are_said_without_jargon() -> None:
    with pytest.raises(InvalidRequest, match=r"^settings: access=loopback asks nobody for a key"):
        Settings.read({"GAITKEEPER_ACCESS": "loopback", "GAITKEEPER_HOST": "0.0.0.0"})
