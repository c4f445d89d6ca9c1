"""One run of schemathesis over the whole document, and what came of it."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.fuzz import hooks
from tests.fuzz.application import Served

CONFIG = Path(__file__).with_name("schemathesis.toml")


@dataclass(slots=True)
class Outcome:
    """cases: how many, by phase. answers: by status. failures: what was wrong, each once, with how to do it again.
    slowest: the longest answer of each operation, in milliseconds."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    slowest: Counter[str] = field(default_factory=Counter)

    @property
    def operations(self) -> set[str]:
        return set(self.slowest)

    @property
    def count(self) -> int:
        return self.cases.total()


def fuzz(
    served: Served, *, examples: int, seed: int | None = None, only: str | None = None, borders: bool = True
) -> Outcome:
    """Examples, borders, random data that fits and that does not, and walks along the links of the document.

    examples: of each operation in each phase. only: the operations whose path fits this expression. borders: every
    border of every schema, some hundred cases an operation.
    """
    hooks.install(served)
    outcome = Outcome()
    for event in _events(served, examples, seed, only, borders):
        if isinstance(event, events.ScenarioFinished):
            _count(outcome, event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            text = str(getattr(event, "info", None) or getattr(event, "exception", event))
            outcome.failures.setdefault(f"could not be tested: {text}"[:300], text)
    return outcome


def _events(
    served: Served, examples: int, seed: int | None, only: str | None, borders: bool
) -> Iterator[events.EngineEvent]:
    settings = tomllib.loads(CONFIG.read_text())
    settings["headers"] = {"Authorization": f"Bearer {served.key}"}
    settings["generation"]["max-examples"] = examples
    walks = {"generation": {"max-examples": 4 * examples}}
    settings["phases"] = {"coverage": {"enabled": borders}, "stateful": walks}
    if seed is not None:
        settings["seed"] = seed
    settings["base-url"] = served.url
    document = httpx.get(f"{served.url}/openapi.json").json()
    if only is not None:
        document = _part(document, only)
    config = SchemathesisConfig.from_dict(settings)
    yield from from_schema(schemathesis.openapi.from_dict(document, config=config)).execute()


def _part(document: dict[str, Any], only: str) -> dict[str, Any]:
    """The document with these addresses alone, and with no links to others."""
    paths = {path: methods for path, methods in document["paths"].items() if re.search(only, path)}
    for operation in (each for methods in paths.values() for each in methods.values()):
        for response in operation["responses"].values():
            response.pop("links", None)
    return {**document, "paths": paths}


def _count(outcome: Outcome, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    outcome.cases[str(event.phase.value)] += len(recorder.interactions)
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            label = recorder.cases[case_id].value.operation.label
            outcome.slowest[label] = max(outcome.slowest[label], int(1000 * interaction.response.elapsed))
            outcome.answers[interaction.response.status_code] += 1
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                label = recorder.cases[case_id].value.operation.label
                failure = check.failure_info.failure
                text = f"{failure.message}\n{check.failure_info.code_sample}"
                outcome.failures.setdefault(f"{label}: {check.name}: {failure.title}", text)
