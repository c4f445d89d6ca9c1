"""Bounds that hold before a body is decoded, and the one that holds before a sequence is resampled."""

import math

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.clips import ClipSpec
from model.errors import GaitkeeperError, LimitExceeded, Overloaded
from model.sequence import SkeletonSequence
from service.errors import problem_of
from service.problem import ProblemResponse
from service.settings import Limits

ALWAYS_ANSWERED = frozenset({"/healthz", "/readyz", "/metrics"})


class Admission:
    """ASGI middleware: refuses a body over the limit, announced or streamed, and too many requests at once.

    An announced body is refused before a byte of it is read; a streamed one at the byte that is too many. The rest
    of it is dropped by the server as it comes in, so that the client can read the answer.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._inside = self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            return await self._app(scope, receive, send)
        if refusal := self._refusal(scope):
            return await ProblemResponse(problem_of(refusal))(scope, receive, send)
        body = _Body(self, receive, _body_bytes(scope, self._limits))
        self._inside += 1
        try:
            return await self._app(scope, body.receive, send)
        finally:
            self._inside -= 1
            self._held -= body.seen

    def hold(self, count: int) -> None:
        """Count bytes that are inside now. Raises `Overloaded` where all bodies together become too large."""
        self._held += count
        if self._held > self._limits.held_bytes:
            raise Overloaded(1.0)

    def _refusal(self, scope: Scope) -> GaitkeeperError | None:
        if self._inside >= self._limits.requests:
            return Overloaded(1.0)
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        if announced.isdigit() and int(announced) > (most := _body_bytes(scope, self._limits)):
            return LimitExceeded("body bytes", most, int(announced))
        return None


def _body_bytes(scope: Scope, limits: Limits) -> int:
    bulk = scope["path"].startswith("/galleries/") and scope["path"].endswith("/enrollments")
    return limits.bulk_bytes if bulk else limits.body_bytes


class _Body:
    """One body as it comes in. Raises `LimitExceeded` once more than `limit` bytes of it did."""

    __slots__ = ("_admission", "_limit", "_receive", "seen")

    def __init__(self, admission: Admission, receive: Receive, limit: int) -> None:
        self._admission, self._receive, self._limit = admission, receive, limit
        self.seen = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if count := len(message.get("body", b"")):
            self.seen += count
            self._admission.hold(count)
            if self.seen > self._limit:
                raise LimitExceeded("body bytes", self._limit, self.seen)
        return message


def check_duration(sequence: SkeletonSequence, clip: ClipSpec, limits: Limits) -> None:
    """Raises `LimitExceeded` if the sequence, at the encoder's frame rate, would have too many frames.

    A low fps multiplies frames: 1,200 frames at 0.01 fps are three million at 25, so this is asked before resampling.
    """
    if clip.sampling == "uniform":  # as many frames as the model takes, whatever the rate
        return
    resampled = math.ceil(sequence.seconds * clip.fps)
    if resampled > (most := max(limits.frames, limits.batch_frames)):
        raise LimitExceeded(f"sequence.fps (frames at the encoder's {clip.fps:g} fps)", most, resampled)
