"""From a call to its answer: the key, deadlines, and asking again where that is safe and may help."""

import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec

from service.client.answers import Problem

# The service's words for "later" and "perhaps"; a conflict is one of these only where it says when to come back.
_LATER = frozenset({429, 503})
_CONFLICT = 409
_FIRST_WAIT_S = 0.1
_LONGEST_WAIT_S = 10.0


class Refused(Exception):
    """The service said no; `problem` says why, and by its `type` a program can tell."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title} ({problem.status}): {problem.detail}")
        self.problem = problem


class Unreachable(Exception):
    """No answer: the service is not there, or took longer than was given."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. changes: it is sent with an idempotency key, so that to send it again is safe."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        return self.method == "POST"


class Wire:
    """Sends calls. timeout_s: for one call with all its repetitions. Clock and sleep are there for the tests."""

    def __init__(
        self,
        http: httpx.Client,
        timeout_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http, self._timeout_s, self._clock, self._sleep = http, timeout_s, clock, sleep

    def send(self, call: Call) -> httpx.Response:
        """The answer, with a status of 2xx. Raises `Refused`, `Unreachable`."""
        end = self._clock() + self._timeout_s
        headers = dict(call.headers)
        if call.changes:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        wait = _FIRST_WAIT_S
        while True:
            left = end - self._clock()
            answer, failure, after = self._try(call, headers, max(left, 0.001))
            if answer is not None:
                return answer
            pause = max(after, wait * random.uniform(0.5, 1.0))
            if not _may_help(failure) or self._clock() + pause >= end:
                raise failure
            self._sleep(pause)
            wait = min(2 * wait, _LONGEST_WAIT_S)

    def _try(
        self, call: Call, headers: dict[str, str], left: float
    ) -> tuple[httpx.Response | None, Refused | Unreachable, float]:
        """The answer; else what came in its place, and after how long the service wants to be asked again."""
        headers["X-Deadline-Ms"] = str(max(1, int(1000 * left)))
        try:
            answer = self._http.request(
                call.method, call.path, content=call.content, headers=headers, params=dict(call.params), timeout=left
            )
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:  # no time will mend it
            raise Unreachable(f"{self._http.base_url}: {error}") from error
        except httpx.TransportError as error:
            return None, Unreachable(f"{self._http.base_url}: {error or type(error).__name__}"), 0.0
        if answer.is_success:
            return answer, Unreachable(), 0.0
        refused = Refused(_problem(answer))
        return None, refused, float(refused.problem.retry_after or 0)


def _may_help(failure: Refused | Unreachable) -> bool:
    if isinstance(failure, Unreachable):
        return True
    problem = failure.problem
    return problem.status in _LATER or (problem.status == _CONFLICT and problem.retry_after is not None)


def _problem(answer: httpx.Response) -> Problem:
    """What a proxy says in its own words is a problem too."""
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.MsgspecError:
        return Problem(type="about:blank", title=answer.reason_phrase, status=answer.status_code)


def decoded(answer: httpx.Response, kind: Any) -> Any:
    """The answer's body as `kind`. Raises `Unreachable` for what is no answer of this service."""
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except msgspec.MsgspecError as error:
        raise Unreachable(f"{answer.url} is answered by something else: {error}") from error
