"""The short way to an endpoint answers as the long one does."""

import asyncio

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.direct import Direct, ShortWay

router = APIRouter(route_class=Direct)
plain = APIRouter()


class Known(Exception):
    pass


class Kind(Known):
    pass


@router.post("/ask")
async def ask(request: Request) -> Response:
    body = await request.body()
    if body == b"refuse":
        raise HTTPException(418, "no")
    if body == b"kind":
        raise Kind
    if body == b"mistake":
        raise ZeroDivisionError
    seen = {"path": request.scope["route"].path, "parameters": request.path_params, "query": dict(request.query_params)}
    return JSONResponse(seen | {"body": body.decode(), "layers": "fastapi_inner_astack" in request.scope})


@plain.get("/ask")
async def seen() -> str:
    return "by the long way"


async def known(request: Request, error: Exception) -> Response:
    return JSONResponse({"known": type(error).__name__, "path": request.url.path}, 409)


async def mistake(request: Request, error: Exception) -> Response:
    return JSONResponse({"mistake": type(error).__name__}, 500)


class Service:
    """The endpoint by one way or the other."""

    def __init__(self, short: bool) -> None:
        self.short = short
        self.app = FastAPI()
        self.app.include_router(router)
        self.app.include_router(plain)
        self.app.add_exception_handler(Known, known)
        self.app.add_exception_handler(Exception, mistake)
        if short:
            self.app.add_middleware(ShortWay, routes=router.routes, handlers=self.app.exception_handlers)

    def answer(self, method: str, address: str, body: str = "") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                return await client.request(method, address, content=body)

        return asyncio.run(ask())


@pytest.fixture(params=["short", "long"])
def service(request: pytest.FixtureRequest) -> Service:
    return Service(request.param == "short")


def test_it_is_asked_and_knows_its_route(service: Service) -> None:
    found = service.answer("POST", "/ask?a=1", "who").json()
    assert found.pop("layers") is not service.short
    assert found == {"path": "/ask", "parameters": {}, "query": {"a": "1"}, "body": "who"}


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ("refuse", 418, {"detail": "no"}),
        ("kind", 409, {"known": "Kind", "path": "/ask"}),
        ("mistake", 500, {"mistake": "ZeroDivisionError"}),
    ],
)
def test_errors_are_answered_by_whoever_is_for_them(
    service: Service, body: str, status: int, answer: dict[str, str]
) -> None:
    found = service.answer("POST", "/ask", body)
    assert (found.status_code, found.json()) == (status, answer)


def test_another_method_or_address_takes_the_long_way(service: Service) -> None:
    assert service.answer("GET", "/ask").json() == "by the long way"
    assert service.answer("PUT", "/ask").status_code == 405
    assert service.answer("POST", "/elsewhere").status_code == 404
