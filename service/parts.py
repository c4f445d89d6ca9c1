"""What routes ask for by type: the parts of the application that answers.

The functions are coroutines because FastAPI runs any other dependency in a thread, once for each request.
"""

from typing import Annotated, TypeAlias

from fastapi import Depends
from starlette.requests import Request

from service.engine.aside import Aside
from service.engine.engine import Engine
from service.settings import Limits


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


async def _limits(request: Request) -> Limits:
    limits: Limits = request.app.state.settings.limits
    return limits


def aside_of(request: Request) -> Aside:
    """Where long work is done."""
    aside: Aside = request.app.state.aside
    return aside


TheEngine: TypeAlias = Annotated[Engine, Depends(_engine)]
TheLimits: TypeAlias = Annotated[Limits, Depends(_limits)]
