"""Problem documents (RFC 9457): the only form in which the service says no."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from service.surface.request_id import instance

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:gaitkeeper:problem:"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was refused. `type` is stable, for programs; `title` and `detail` are for people.

    field: what is wrong in the request, as a path. limit: the bound that was passed. reasons: words of the quality
    checks. retry_after: seconds after which trying again makes sense. candidate: of a duplicate, who is enrolled
    already. instance: which request this was, as it is in the service's log.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    field: str | None = None
    limit: float | None = None
    reasons: list[str] | None = None
    retry_after: int | None = None
    candidate: str | None = None
    instance: str | None = None


class ProblemResponse(Response):
    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        extra: dict[str, str] = dict(headers or {})
        if problem.retry_after is not None:
            extra["Retry-After"] = str(problem.retry_after)
        problem = msgspec.structs.replace(problem, instance=problem.instance or instance())
        super().__init__(_encode(problem), problem.status, extra)


def _encode(problem: Any) -> bytes:
    return msgspec.json.encode(problem)


def problem_type(name: str) -> str:
    """`type` of a problem by its name.

    >>> problem_type("UnknownGallery")
    'urn:gaitkeeper:problem:unknown-gallery'
    """
    kebab = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")
    return TYPE_PREFIX + kebab
