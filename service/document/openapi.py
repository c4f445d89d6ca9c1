"""The OpenAPI document: schemas from the same types that decode and encode, examples from the sample files."""

import asyncio
import threading
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from model import errors
from model.errors import GaitkeeperError
from service import several, told, wire
from service.answers import galleries as gallery_answers
from service.answers import keys as key_answers
from service.answers import operations as operation_answers
from service.answers import recognition as answers
from service.answers import reports as report_answers
from service.answers import samples as sample_answers
from service.answers import templates as template_answers
from service.answers import tracks as track_answers
from service.answers.recognition import Answer
from service.bodies import asked as asked_bodies
from service.bodies.asked import SequenceRequest
from service.bodies.described import content, parameters
from service.document import examples
from service.document.common import complete, refused
from service.document.demands import write_demands
from service.errors import STATUS
from service.jobs import answers as job_answers
from service.jobs import bodies as job_bodies
from service.problem import Problem
from service.several import SEVERAL
from service.streams import asked as stream_bodies
from service.streams import told as stream_answers
from service.webhooks import bodies as webhook_bodies

_REF = "#/components/schemas/{name}"
_ABOUT = """Skeleton sequences in, decisions out.

Start with **POST /galleries/{gallery}/subjects/{subject}/templates** to enroll somebody, then ask **POST /identify**.
A decision is `match`, `no_match` or `abstain`, and says what it rests on: score, threshold, the false-positive
identification rate that the threshold was calibrated for, and the margin to the runner-up. Every refusal is a problem
document (RFC 9457) with a stable `type`.
"""
# What any body can meet.
_BODY_PROBLEMS = (errors.LimitExceeded, errors.InvalidRequest, errors.Overloaded)
SEQUENCE_PROBLEMS = (errors.UnknownLayout, errors.InvalidSequence, errors.LayoutMismatch)


def documented(
    answer: type[msgspec.Struct],
    *,
    asked: type[wire.Sent] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
    also: Sequence[HTTPStatus] = (),
    problems: Sequence[type[GaitkeeperError]] = (),
) -> dict[str, Any]:
    """Arguments of a route: what it takes and answers, by reference to the schemas of `write`.

    also: other statuses that the answer may have.
    """
    extra: dict[str, Any] = {}
    whole = (answer, *(SEVERAL[answer][:1] if _is_of_sequences(asked) and answer in SEVERAL else ()))
    found: dict[int | str, dict[str, Any]] = {int(each): _answered(each, *whole) for each in (status, *also)}
    if asked is not None and issubclass(asked, SequenceRequest):
        extra = {"requestBody": {"required": True, "content": content(asked)}, "parameters": parameters(asked)}
    elif asked is not None:
        schema = {"$ref": _REF.format(name=asked.__name__)}
        extra = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
    found |= refusals(*problems, *(_BODY_PROBLEMS if asked else ()))
    if asked is not None:
        unread = found.get(int(HTTPStatus.BAD_REQUEST), {}).get("x-problems", [])
        found[int(HTTPStatus.BAD_REQUEST)] = refused([*unread, "MalformedBody"])
        found[int(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)] = refused(["UnsupportedMediaType"])
    return {
        "response_class": Answer,
        "response_model": None,
        "status_code": int(status),
        "responses": found,
        "openapi_extra": extra,
    }


def _is_of_sequences(asked: type[wire.Sent] | None) -> bool:
    return asked is not None and issubclass(asked, SequenceRequest)


def _answered(status: HTTPStatus, *answers: type[msgspec.Struct]) -> dict[str, Any]:
    schemas = [{"$ref": _REF.format(name=answer.__name__)} for answer in answers]
    schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return {"description": status.phrase, "content": {"application/json": {"schema": schema}}}


def refusals(*problems: type[GaitkeeperError]) -> dict[int | str, dict[str, Any]]:
    """The documented refusals of a route, by status. Any parameter may be invalid."""
    wanted = dict.fromkeys((*problems, errors.InvalidRequest))
    codes = sorted({STATUS[problem] for problem in wanted})
    return {int(code): refused([each.__name__ for each in wanted if STATUS[each] == code]) for code in codes}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` write the whole document, and `/openapi.json` answer with it: written once, when it is first
    asked for, and in a thread, because it takes a moment for which nobody else should wait."""
    writing = threading.Lock()

    def document() -> dict[str, Any]:
        with writing:
            if app.openapi_schema is None:
                app.openapi_schema = write(app)
            return app.openapi_schema

    @cache
    def encoded() -> bytes:
        return msgspec.json.encode(document())

    async def show_document() -> Response:
        return Response(await asyncio.to_thread(encoded), media_type="application/json")

    app.openapi = document  # type: ignore[method-assign]
    app.add_api_route("/openapi.json", show_document, include_in_schema=False)


def write(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=_ABOUT, routes=app.routes)
    modules = (
        wire,
        asked_bodies,
        answers,
        several,
        gallery_answers,
        template_answers,
        track_answers,
        sample_answers,
        report_answers,
        operation_answers,
        key_answers,
        job_answers,
        job_bodies,
        told,
        webhook_bodies,
        stream_answers,
        stream_bodies,
    )
    kinds = [kind for module in modules for kind in vars(module).values() if _is_body(kind)]
    _, schemas = msgspec.json.schema_components([*kinds, Problem], ref_template=_REF)
    found.setdefault("components", {})["schemas"] = schemas
    for path, body in examples.bodies().items():
        found["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"] = body
    for path, answer in examples.answers().items():
        found["paths"][path]["post"]["responses"]["200"]["content"]["application/json"]["example"] = answer
    complete(found)
    write_demands(found, app.routes)
    return found


def _is_body(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in (wire.Sent, SequenceRequest)
