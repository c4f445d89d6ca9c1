"""HEAD (RFC 9110, section 9.3.2): what a GET of the same address would answer, without its body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """ASGI middleware. To whoever answers it is a GET, whose caller leaves as soon as the head of the answer is there:
    one that goes on, as events do, ends then."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = False

        async def receiving() -> Message:
            return {"type": "http.disconnect"} if answered else await receive()

        async def sending(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                answered = True

        # A copy, for the server goes by the method when it sends the answer.
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receiving, sending)
        finally:  # for whoever measures outside
            scope.update({**asked, "method": "HEAD"})
