"""What an operator can prove: receipts of erasures, and the audit log."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from gallery.erasure import receipt_of
from gallery.store.audit import audit_head, audit_page
from model.errors import InvalidRequest
from service import gallery_answers as answers
from service.access.caller import Scope
from service.access.needs import needs
from service.answers import Answer
from service.openapi import documented
from service.parts import TheEngine

router = APIRouter(tags=["trust"])


@router.get(
    "/erasures/{erasure}",
    summary="The signed receipt of an erasure",
    dependencies=[needs(Scope.MANAGE, Scope.AUDIT)],
    **documented(answers.Receipt),
)
async def show_erasure(erasure: str, engine: TheEngine) -> Answer:
    """`gaitkeeper gallery verify-erasure` holds it against everything that is left."""
    try:
        receipt = await asyncio.to_thread(receipt_of, engine.library.store, erasure)
    except InvalidRequest as error:
        raise HTTPException(HTTPStatus.NOT_FOUND, str(error)) from error
    return Answer(answers.Receipt(receipt))


@router.get(
    "/audit",
    summary="Who did what and when, a page at a time",
    dependencies=[needs(Scope.AUDIT)],
    **documented(answers.AuditPage),
)
async def show_audit(
    engine: TheEngine,
    after: Annotated[int, Query(ge=0, description="number of the last entry of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    action: Annotated[str | None, Query(max_length=32)] = None,
) -> Answer:
    """Each entry's hash covers the entry and the hash before it: whoever notes `head` elsewhere will see whether
    anything was changed, or cut off, behind it (`gaitkeeper audit verify`)."""
    store = engine.library.store
    found = await asyncio.to_thread(audit_page, store, after, limit + 1, action=action)
    head = await asyncio.to_thread(audit_head, store)
    return Answer(answers.audit_page(found[:limit], len(found) > limit, str(head)))
