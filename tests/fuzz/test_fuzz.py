"""A short look along the whole document; `make fuzz` takes a long one."""

import warnings

import pytest

from tests.fuzz.application import served
from tests.fuzz.run import fuzz


@pytest.mark.timeout(240)
def test_nothing_that_is_sent_breaks_the_service_or_its_document() -> None:
    with served() as service, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # hypothesis', about how examples are drawn
        outcome = fuzz(service, examples=6, seed=20_260, borders=False)
    assert not outcome.failures, "\n\n".join(f"{title}\n{text}" for title, text in outcome.failures.items())
    assert outcome.count >= 400
    assert len(outcome.operations) >= 35
    # What is sent gets through to those that it is meant for.
    assert outcome.answers[200] >= 30
    assert outcome.answers[201] >= 1
    assert {status for status in outcome.answers if status >= 500} <= {504}
