"""ASGI middleware: nobody gets further than the open addresses without being known."""

from collections.abc import Sequence
from contextlib import nullcontext
from ipaddress import ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.actor import acting_as
from model.errors import GaitkeeperError, UnknownCaller
from service.access.caller import LOOPBACK, Caller
from service.access.ending import Ending
from service.access.loopback import check_local
from service.access.needs import CALLER
from service.access.rates import Rates
from service.access.ring import REFUSAL, KeyRing
from service.errors import problem_of
from service.problem import ProblemResponse

# What needs no key: whether it works and how, and the console, which is a page that asks for one.
OPEN = frozenset({"/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/console"})
OPEN_BELOW = ("/static/", "/console/")
# What tells no other site anything, and is asked by address alone by whoever watches over processes.
PROBES = frozenset({"/healthz", "/readyz"})

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="gaitkeeper"'}
SUBPROTOCOL = "gaitkeeper"
_BEARER = "bearer."
# Of keys that are no more, before they are looked for.
_BUCKETS = 100


class Authenticate:
    """Puts the `Caller` into the scope, and its id into whatever is logged of what it does.

    access: `keys`: whoever sends a good key (`Authorization: Bearer`, or as a WebSocket's subprotocol) is that key's
    caller; a stream to a caller ends when the key does. `loopback`: everybody is `LOOPBACK`, if it is a program of this
    machine and not a web page of another that speaks through its browser.
    """

    def __init__(self, app: ASGIApp, access: str) -> None:
        self._app, self._by_key = app, access == "keys"
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        offered = _take_offered(scope)
        try:
            caller = await self._caller(scope, offered)
        except GaitkeeperError as error:
            challenge = CHALLENGE if isinstance(error, UnknownCaller) else None
            await ProblemResponse(problem_of(error), challenge)(scope, receive, send)
            return
        if SUBPROTOCOL in offered:
            send = _selecting(send)
        scope[CALLER] = caller
        if caller is not None and self._by_key:
            ending = Ending(scope["app"].state.ring, caller, scope["type"], receive, send)
            receive, send = ending.receive, ending.send
        with nullcontext() if caller is None else acting_as(_actor(caller, scope)):
            await self._app(scope, receive, send)

    async def _caller(self, scope: Scope, offered: Sequence[str]) -> Caller | None:
        if not self._by_key:
            if scope["path"] not in PROBES:
                check_local(scope["headers"])
            return LOOPBACK
        if is_open(scope["path"]):
            return None
        key = _key_in(scope, offered)
        if key is None:
            raise UnknownCaller(REFUSAL)
        ring: KeyRing = scope["app"].state.ring
        found = await ring.find(key)
        if (rate := found.kept.key.rate) is not None:
            if len(self._rates) > 2 * len(ring.ids) + _BUCKETS:
                self._rates.forget_others(ring.ids)
            self._rates.take(found.kept.key.id, rate)
        return found.caller


def is_open(path: str) -> bool:
    """Whether an address (without its version) needs no key.

    >>> is_open("/docs"), is_open("/console/js/api.js"), is_open("/galleries"), is_open("/console/../keys")
    (True, True, False, False)
    """
    return path in OPEN or (path.startswith(OPEN_BELOW) and "/../" not in f"{path}/")


def _take_offered(scope: Scope) -> list[str]:
    """The subprotocols that a WebSocket offers; a key among them goes no further."""
    offered: list[str] = list(scope.get("subprotocols", ()))
    if offered:
        scope["subprotocols"] = [each for each in offered if not each.startswith(_BEARER)]
    return offered


def _key_in(scope: Scope, offered: Sequence[str]) -> str | None:
    """The key that was sent, if exactly one was."""
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
    keys = [each.removeprefix(_BEARER) for each in offered if each.startswith(_BEARER)]
    for value in sent:
        scheme, _, key = value.partition(" ")
        keys.append(key.strip() if scheme.lower() == "bearer" else "")
    return keys[0] if len(keys) == 1 else None


def _selecting(send: Send) -> Send:
    """`send` that accepts a WebSocket in our subprotocol: a browser that offered some wants one selected."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept" and message.get("subprotocol") is None:
            message = {**message, "subprotocol": SUBPROTOCOL}
        await send(message)

    return sending


def _actor(caller: Caller, scope: Scope) -> str:
    """Who acts, and from which address: where a trusted proxy says so, that of whoever is behind it."""
    return caller.id if caller is LOOPBACK else f"{caller.id}@{_address(scope)}"


def _address(scope: Scope) -> str:
    try:
        return str(ip_address((scope.get("client") or ("",))[0]))
    except ValueError:  # what was forwarded may be anything
        return "unknown"
