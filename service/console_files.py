"""The console's files as they are served: with headers that let nothing from elsewhere in."""

from pathlib import Path
from types import MappingProxyType

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

CONSOLE = Path(__file__).parent / "console"

# No inline script or style and nothing from elsewhere. Images from memory are the charts that somebody saves.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": _CSP,
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        # Asked about each time, answered with 304: after an upgrade nobody runs half of the old console.
        "Cache-Control": "no-cache",
    }
)


class ConsoleFiles(StaticFiles):
    """The files of `CONSOLE`, each with `HEADERS`."""

    def __init__(self) -> None:
        super().__init__(directory=CONSOLE, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response
