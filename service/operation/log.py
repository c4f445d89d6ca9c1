"""Logs: one JSON object a line on stderr, ours and the server's alike. No bodies, no names, no scores.

An error that nobody foresaw is logged with its kind and where it came from. What it says may be anybody's name, as in
`KeyError: 'ann'`, so it is left out, except at the level `debug`, which is for a machine without real people.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import Processor

from service.surface import request_id

FRAMES = 20


def configure(level: str = "info") -> None:
    """Send structlog and the standard library's logging to stderr as JSON."""
    shared: Sequence[Processor] = (
        structlog.contextvars.merge_contextvars,
        with_request_id,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if level == "debug" else without_words,
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # uvicorn's tells the paths of WebSockets, which may hold names.
    for chatty in ("httpx", "alembic", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # Warns of every form that is none; its sender is told, and nobody else can do anything about it.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def with_request_id(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """With the id of the request that it is about, if it is about one."""
    del logger, method
    if (found := request_id.current()) is not None:
        event.setdefault("request_id", found)
    return event


def without_words(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In place of a traceback: `error`, the kinds of the exceptions from outside in, and `at`, the innermost frames.

    asyncio writes what an error says into further lines of its own message.
    """
    del logger, method
    if event.get("logger") == "asyncio":
        event["event"] = str(event["event"]).partition("\n")[0]
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["error"] = _kinds(error)
        event["at"] = _frames(error.__traceback__)
    return event


def _kinds(error: BaseException) -> list[str]:
    kinds: list[str] = []
    following: BaseException | None = error
    while following is not None and len(kinds) < FRAMES:
        kinds.append(type(following).__name__)
        following = following.__cause__ or following.__context__
    return kinds


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{'/'.join(Path(each.filename).parts[-2:])}:{each.lineno} {each.name}" for each in frames]
