"""The models that answer, and to open them again."""

import asyncio

from fastapi import APIRouter

from model.errors import Conflict
from service.access.caller import Scope
from service.access.needs import needs
from service.answers import operations as answers
from service.answers.recognition import Answer
from service.document.openapi import documented
from service.engine.engine import Engine
from service.parts import TheEngine

router = APIRouter(prefix="/models", tags=["operation"])


@router.get("", summary="The models that answer now", dependencies=[needs()], **documented(answers.Models))
async def show_models(engine: TheEngine) -> Answer:
    return _answer(engine)


@router.post(
    "/reload",
    summary="Open the bundles of this deployment again, while requests run",
    dependencies=[needs(Scope.ADMIN)],
    **documented(answers.Models, problems=(Conflict,)),
)
async def reload_models(engine: TheEngine) -> Answer:
    """They are checked and run once before they take the others' place, between two batches; requests in flight finish
    on the model that they began with. An encoder whose embeddings are not those that galleries hold is refused: migrate
    the galleries first. `SIGHUP` does the same."""
    changed = await asyncio.to_thread(engine.reloading.reload)
    return _answer(engine, changed)


def _answer(engine: Engine, changed: list[str] | None = None) -> Answer:
    return Answer(answers.models(engine.encoding.model, engine.models.classifier, changed))
