"""The version in an address: `/v1/identify` is `/identify`. Whoever names a version is kept in it.

Addresses without a version are those of the newest; a second version would be a second prefix here, and what differs
would be told by `scope["gaitkeeper.version"]`.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFIX = "/v1"


class Version:
    """ASGI middleware: takes the version off the path, and puts it before the paths of `Location` and `Link`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(PREFIX + "/"):
            await self._app(scope, receive, send)
            return
        raw: bytes = scope.get("raw_path") or scope["path"].encode()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _keep_in_version(MutableHeaders(scope=message))
            await send(message)

        # A copy would hide from who measures outside which route was taken; so it is the same scope, changed.
        scope["path"] = scope["path"].removeprefix(PREFIX)
        scope["raw_path"] = raw.removeprefix(PREFIX.encode())
        scope["gaitkeeper.version"] = PREFIX.strip("/")
        await self._app(scope, receive, sending)


def _keep_in_version(headers: MutableHeaders) -> None:
    if headers.get("location", "").startswith("/"):
        headers["location"] = PREFIX + headers["location"]
    if headers.get("link", "").startswith("</"):
        headers["link"] = f"<{PREFIX}{headers['link'].removeprefix('<')}"
