"""The one table from error to status, and every other way a request can fail, as problem documents."""

import re
from http import HTTPStatus

import msgspec
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from model import errors
from model.errors import GaitkeeperError
from service.problem import Problem, ProblemResponse, problem_type

STATUS: dict[type[GaitkeeperError], HTTPStatus] = {
    errors.UnknownLayout: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidSequence: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.LayoutMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnreadableFile: HTTPStatus.BAD_REQUEST,
    errors.UnusableSequence: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SeveralTracks: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.LimitExceeded: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.BundleMismatch: HTTPStatus.CONFLICT,
    errors.ModelMissing: HTTPStatus.NOT_IMPLEMENTED,
    errors.UnknownGallery: HTTPStatus.NOT_FOUND,
    errors.GalleryExists: HTTPStatus.CONFLICT,
    errors.EmptyGallery: HTTPStatus.CONFLICT,
    errors.UnknownSubject: HTTPStatus.NOT_FOUND,
    errors.UnknownTemplate: HTTPStatus.NOT_FOUND,
    errors.SubjectExists: HTTPStatus.CONFLICT,
    errors.SubjectHeld: HTTPStatus.CONFLICT,
    errors.DuplicateSubject: HTTPStatus.CONFLICT,
    errors.NotCurrent: HTTPStatus.CONFLICT,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.KeyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.InvalidArchive: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InvalidDataSet: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Overloaded: HTTPStatus.TOO_MANY_REQUESTS,
    errors.RateExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DeadlineExceeded: HTTPStatus.GATEWAY_TIMEOUT,
    errors.UnknownCaller: HTTPStatus.UNAUTHORIZED,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.UnknownResource: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.OutOfDate: HTTPStatus.PRECONDITION_FAILED,
    # No request can cause these: bundles are checked before the service starts, and training is elsewhere.
    errors.InvalidBundle: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidRecipe: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ExportRejected: HTTPStatus.INTERNAL_SERVER_ERROR,
}

# A line of the tree at the head of `model/errors.py`: the name of an error, and what it means.
_IN_TREE = re.compile(r"^    [├└]── (?P<name>\w+)\s+(?P<meaning>.+)$", re.MULTILINE)

# Problems that are HTTP's own, by status; anything else of that kind is named by its status phrase.
_HTTP_NAMES = {404: "NotFound", 405: "MethodNotAllowed", 415: "UnsupportedMediaType", 500: "InternalError"}

# What was sent may be in a refusal, however long it was; so much of either end of it is said.
_SAID = 400

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

_AT_PATH = re.compile(r"^(?P<reason>.*?)(?: - at (?:key in )?`\$\.?(?P<path>.*)`)?$", re.DOTALL)

# What msgspec says of a body without content, too.
_TRUNCATED = "Input data was truncated"

# What msgspec says of a body that is a sequence itself: the likeliest first mistake of a caller.
_UNWRAPPED = re.compile("unknown field `(layout|fps|joints|confidence|units|aspect)`")


def problem_of(error: GaitkeeperError) -> Problem:
    """The problem document of one of our errors."""
    name = type(error).__name__
    return Problem(
        type=problem_type(name),
        title=_title(name),
        status=STATUS[type(error)],
        detail=_shortened(_detail(error)),
        field=_field(error),
        limit=getattr(error, "limit", None),
        reasons=list(error.reasons) if isinstance(error, errors.UnusableSequence) else None,
        retry_after=_retry_after(error),
        candidate=error.candidate if isinstance(error, errors.DuplicateSubject) else None,
    )


def http_problem(status: int, detail: str = "") -> Problem:
    """A problem that HTTP has a status for and we have no error for."""
    phrase = HTTPStatus(status).phrase
    name = _HTTP_NAMES.get(status, "".join(word.capitalize() for word in re.findall(r"[A-Za-z]+", phrase)))
    return Problem(type=problem_type(name), title=_title(name), status=status, detail=_shortened(detail))


def meanings() -> dict[str, str]:
    """What each problem means, by the name of its type: ours, as the tree of errors has it, and HTTP's own."""
    found = {each["name"]: each["meaning"] for each in _IN_TREE.finditer(errors.__doc__ or "")}
    ours = {type.__name__: found.get(type.__name__, "") for type, status in STATUS.items() if status != 500}
    return ours | {
        "MalformedBody": "the body is not of the form that its media type says",
        "BadRequest": "what came is not HTTP",
        "RequestTimeout": "the request did not come in time",
        "NotFound": "nothing is at this address",
        "MethodNotAllowed": "this cannot be done with what is at this address",
        "UnsupportedMediaType": "a media type that is not read here",
        "RequestHeaderFieldsTooLarge": "the address and the header fields are too long",
        "InternalError": "an error of the service, not of the request",
    }


def malformed(reason: str) -> Problem:
    """The body is not JSON."""
    reason = reason.replace(_TRUNCATED, "it is empty, or ends too early")
    return Problem(
        type=problem_type("MalformedBody"), title="Malformed body", status=HTTPStatus.BAD_REQUEST, detail=reason
    )


def refused_body(error: msgspec.ValidationError) -> errors.InvalidRequest:
    """JSON, but not what was asked for: msgspec's message, taken apart into field and reason."""
    found = _AT_PATH.match(str(error))
    assert found, "the pattern takes any text"
    field, reason = found["path"] or "body", found["reason"]
    if "unknown field `tracks`" in reason:
        return errors.InvalidRequest("sequence.tracks", "one person is expected: send each track's in `sequences`")
    if field == "body" and _UNWRAPPED.search(reason):
        return errors.InvalidRequest("body", 'the sequence goes under a key of its own: {"sequence": {"layout": ...}}')
    return errors.InvalidRequest(field, reason[:1].lower() + reason[1:])


async def answer_our_error(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, GaitkeeperError)
    return ProblemResponse(problem_of(error))


async def answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    detail = {404: f"nothing is at {request.url.path}", 405: f"{request.method} is not possible here"}
    problem = http_problem(error.status_code, detail.get(error.status_code, str(error.detail)))
    return ProblemResponse(problem, headers)


def nothing_there(otherwise: ASGIApp) -> ASGIApp:
    """The router's last resort: a WebSocket to an address that nothing is at is told so too, and not a bare 403."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            problem = http_problem(HTTPStatus.NOT_FOUND, f"no WebSocket is at {scope['path']}")
            await ProblemResponse(problem)(scope, receive, send)
        else:
            await otherwise(scope, receive, send)

    return answer


def _methods(request: Request) -> list[str]:
    """What can be done with what is at this address: Starlette names the methods of the first route there only."""
    routes: list[BaseRoute] = request.app.router.routes

    def is_there(method: str) -> bool:
        asked = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(asked)[0] is Match.FULL for route in routes)

    return [method for method in _METHODS if is_there(method)]


async def answer_invalid_parameter(request: Request, error: Exception) -> Response:
    """A path or query parameter that is not what it must be."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return await answer_our_error(request, errors.InvalidRequest(field, first["msg"]))


async def answer_our_mistake(request: Request, error: Exception) -> Response:
    """What `Observe` did not meet: nothing of ours is further out."""
    del request, error
    return ProblemResponse(our_mistake())


def our_mistake() -> Problem:
    """Anything unforeseen: said without a word about our insides; the log has them."""
    return http_problem(500, "an error of the service, not of the request; its log says more")


def _shortened(text: str) -> str:
    return text if len(text) <= 2 * _SAID else f"{text[:_SAID]} ... {text[-_SAID:]}"


def _detail(error: GaitkeeperError) -> str:
    """What it says; where that is advice for a command line, what can be asked here instead."""
    if isinstance(error, errors.UnknownGallery):
        return f"no gallery {error.name!r}; GET /galleries lists those that you reach"
    return str(error)


def _field(error: GaitkeeperError) -> str | None:
    if isinstance(error, errors.InvalidSequence):
        return f"sequence.{error.field}"
    if isinstance(error, errors.UnknownLayout | errors.LayoutMismatch):
        return "sequence.layout"
    found: str | None = getattr(error, "field", None)
    return None if found is None else _shortened(found)


def _retry_after(error: GaitkeeperError) -> int | None:
    found = getattr(error, "retry_after_s", None)
    return None if found is None else int(found)


def _title(name: str) -> str:
    """
    >>> _title("UnknownGallery")
    'Unknown gallery'
    """
    words = re.findall(r"[A-Z][a-z]*", name)
    return " ".join([words[0], *(word.lower() for word in words[1:])])
