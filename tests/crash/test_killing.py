"""A process killed at random moments leaves all that was acknowledged, and nothing by half (the short run)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.killing import Tally, kill_again_and_again
from tests.crash.reference import Reference
from tests.postgres import PrivateServer

POINTS = 20


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer | None]:
    with ExitStack() as stack:
        durable = {"fsync": "on", "full_page_writes": "on"}
        yield stack.enter_context(PrivateServer(**durable)) if request.param == "postgresql" else None


def test_what_was_acknowledged_is_there_after_each_kill(tmp_path: Path, server: PrivateServer | None) -> None:
    tally = Tally()
    for tally in kill_again_and_again(tmp_path / "data", server, POINTS, seed=7):  # noqa: B007 - the last one counts
        pass
    assert tally.wrong == []
    assert tally.kills == POINTS
    assert tally.acknowledged["enroll"] > POINTS / 2


def test_a_change_that_was_done_by_half_would_be_seen() -> None:
    reference = Reference({"s1": (1, 41)})
    possible = list(reference.possible({"do": "enroll", "tokens": [41, 81, 2]}))
    assert {"s1": (1, 41)} in possible
    assert {"s1": (1, 41, 81), "s2": (2,)} in possible
    assert {"s1": (1, 41, 81)} not in possible
