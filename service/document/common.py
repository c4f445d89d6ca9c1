"""What is the same of every operation, written into the OpenAPI document once: keys, ids, deadlines, conditions,
idempotency, pages, and the refusals that come of them. The routes say what is theirs only."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from model import errors
from service.access.authenticate import is_open
from service.document import links
from service.errors import STATUS, meanings
from service.problem import MEDIA_TYPE, problem_type
from service.surface import deadline, effects, idempotency
from service.surface.version import PREFIX

Operation: TypeAlias = dict[str, Any]

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A key, as `gaitkeeper api-keys create` or `POST /keys` shows it once: `gk_<id>_<secret>`.",
}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "description": "The caller's own id of this request, to find it in the service's log; else one is made.",
        "schema": {"type": "string"},
    },
    "DeadlineMs": {
        "name": deadline.HEADER,
        "description": "How long the caller waits; after that nothing is done, and the answer is 504.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 10**9 - 1},
        "example": 10_000,
    },
    "IdempotencyKey": {
        "name": idempotency.HEADER,
        "description": "New for each request, such as a UUID: the same request sent again under it is not done again, "
        "but answered as the first time.",
        "schema": {"type": "string", "pattern": r'^"?[\x21\x23-\x7e]{1,255}"?$'},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "description": "ETags of what the caller has: 304 if one of them is what would be answered.",
        "schema": {"type": "string"},
    },
    "IfMatch": {
        "name": "If-Match",
        "description": "ETags of what the caller has seen: 412 if it is another by now.",
        "schema": {"type": "string"},
    },
}
_HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": {"description": "The request's id.", "schema": {"type": "string"}},
    "ETag": {"description": "Names these bytes.", "schema": {"type": "string"}},
    "Link": {"description": 'Of the next page, with rel="next", if there is one.', "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until it makes sense to try again.", "schema": {"type": "integer"}},
    "Idempotency-Replayed": {"description": "`true` if it was answered before.", "schema": {"type": "string"}},
}
_WAITING = frozenset({"429", "503"})
_JSON = "application/json"
_EVENTS = "text/event-stream"
# What anybody can meet: the server itself says so, before an address is looked at.
_OF_HTTP = {
    "BadRequest": "400",
    "RequestTimeout": "408",
    "RequestHeaderFieldsTooLarge": "431",
    "InternalError": "500",
}
# What whoever needs a key can meet at any address.
_ANYWHERE = (
    *("UnknownCaller", "NotAllowed", "RateExceeded", "InvalidRequest", "LimitExceeded", "DeadlineExceeded"),
    *("StoreUnavailable", "KeyUnavailable", "Overloaded"),
)


def complete(document: dict[str, Any]) -> None:
    """Write into the document what every operation shares."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"key": _BEARER}
    components["parameters"] = {name: {"in": "header", **each} for name, each in _PARAMETERS.items()}
    components["headers"] = _HEADERS
    document["servers"] = [{"url": "/"}, {"url": PREFIX, "description": "the same, of this version"}]
    document["security"] = [{"key": []}]
    types = {"examples": [problem_type(name) for name in meanings()]}
    components["schemas"]["Problem"]["properties"]["type"] |= types
    for path, method, operation in operations(document):
        _complete_one(path, method, operation, document["paths"][path])
    _plain_tuples(components["schemas"])
    links.write(document)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """(path, method in capitals, operation) of all."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def refused(names: Sequence[str]) -> dict[str, Any]:
    """A response that is one of these problems."""
    meaning = meanings()
    description = "; ".join(f"`{problem_type(name)}`: {meaning[name]}" for name in names)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}, "x-problems": list(names)}


def _plain_tuples(node: Any) -> None:
    """Write a tuple of one kind as a list of that length: what generates clients takes no `items: false`."""
    if isinstance(node, list):
        for each in node:
            _plain_tuples(each)
    if isinstance(node, dict):
        first = node.get("prefixItems")
        if node.get("items") is False and first and all(each == first[0] for each in first):
            node["items"] = node.pop("prefixItems")[0]
        for each in node.values():
            _plain_tuples(each)


def _complete_one(path: str, method: str, operation: Operation, beside: dict[str, Any]) -> None:
    wanted = ["RequestId"]
    problems = list(_OF_HTTP)
    if is_open(path):
        operation["security"] = []
    else:
        wanted.append("DeadlineMs")
        problems += _ANYWHERE
    if "{gallery}" in path:
        problems.append("UnknownGallery")
    if effects.kept(method, path):
        wanted.append("IdempotencyKey")
        problems.append("Conflict")
    if method in ("PATCH", "DELETE") and "get" in beside:
        wanted.append("IfMatch")
        problems.append("OutOfDate")
    if method == "GET" and _answers_json(operation) and not is_open(path):
        wanted.append("IfNoneMatch")
        operation["responses"]["304"] = {"description": "what the caller has is what there is"}
    references = [{"$ref": f"#/components/parameters/{name}"} for name in wanted]
    operation["parameters"] = [*operation.get("parameters", []), *references]
    for name in problems:
        _add_refusal(operation, name)
    operation["responses"] = dict(sorted(operation["responses"].items()))
    _describe_streams(operation)
    _write_headers(method, path, operation)


def _add_refusal(operation: Operation, name: str) -> None:
    ours = getattr(errors, name, None)
    status = str(int(STATUS[ours])) if ours else _OF_HTTP[name]
    there = operation["responses"].get(status, {})
    if there.get("content") and "x-problems" not in there:  # /readyz says why in its own words
        return
    names = dict.fromkeys([*there.get("x-problems", []), name])
    operation["responses"][status] = {**there, **refused(list(names))}


def _describe_streams(operation: Operation) -> None:
    """A stream of events is no JSON, and OpenAPI 3.1 has no words for what comes bit by bit."""
    for response in operation["responses"].values():
        if _EVENTS in response.get("content", {}):
            response["content"][_EVENTS] = {}


def _write_headers(method: str, path: str, operation: Operation) -> None:
    of_page = any(each.get("name") == "after" for each in operation["parameters"])
    for status, response in operation["responses"].items():
        names = ["X-Request-Id"]
        if status in _WAITING and "x-problems" in response:
            names.append("Retry-After")
        if status in ("200", "304") and "304" in operation["responses"]:
            names += ["ETag", "Link"] if of_page else ["ETag"]
        if status.startswith("2") and effects.kept(method, path):
            names.append("Idempotency-Replayed")
        found = response.setdefault("headers", {})
        found |= {name: {"$ref": f"#/components/headers/{name}"} for name in names if name not in found}


def _answers_json(operation: Operation) -> bool:
    return _JSON in operation["responses"].get("200", {}).get("content", {})
