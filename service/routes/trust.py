"""What an operator can prove: receipts of erasures, and the audit log."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from gallery.erasure import receipt_of
from gallery.store import Store
from gallery.store.audit import audit_head, audit_page
from gallery.store.reaching import gallery_of_erasure, numbers_of
from model.errors import InvalidRequest, UnknownResource
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import galleries as answers
from service.answers.recognition import Answer
from service.document.openapi import documented
from service.parts import TheEngine

router = APIRouter(tags=["trust"])


@router.get(
    "/erasures/{erasure}",
    summary="The signed receipt of an erasure",
    **documented(answers.Receipt, problems=(UnknownResource,)),
)
async def show_erasure(
    erasure: str, engine: TheEngine, caller: Annotated[Caller, needs(Scope.MANAGE, Scope.AUDIT)]
) -> Answer:
    """`gaitkeeper gallery verify-erasure` holds it against everything that is left."""
    return Answer(answers.Receipt(await asyncio.to_thread(_receipt, engine.library.store, caller, erasure)))


def _receipt(store: Store, caller: Caller, erasure: str) -> dict[str, Any]:
    """Raises `UnknownResource`, also for what was erased from a gallery that the caller does not reach."""
    unknown = UnknownResource("erasure", erasure)
    if not _is_erasure(erasure):
        raise unknown
    own = None if caller.galleries is None else numbers_of(store, caller.galleries)
    if own is not None and gallery_of_erasure(store, erasure) not in own:
        raise unknown
    try:
        return receipt_of(store, erasure)
    except InvalidRequest:
        raise unknown from None


def _is_erasure(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


@router.get("/audit", summary="Who did what and when, a page at a time", **documented(answers.AuditPage))
async def show_audit(
    engine: TheEngine,
    caller: Annotated[Caller, needs(Scope.AUDIT)],
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="number of the last entry of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    action: Annotated[str | None, Query(max_length=32, pattern="^[a-z_]*$")] = None,
) -> Answer:
    """Each entry's hash covers the entry and the hash before it: whoever notes `head` elsewhere will see whether
    anything was changed, or cut off, behind it (`gaitkeeper audit verify`). A key that is bound to galleries sees the
    entries of these, so that it cannot walk along the chain."""
    store = engine.library.store

    def read() -> tuple[Any, str]:
        own = None if caller.galleries is None else numbers_of(store, caller.galleries)
        return audit_page(store, after, limit + 1, action=action, galleries=own), str(audit_head(store))

    found, head = await asyncio.to_thread(read)
    return Answer(answers.audit_page(found[:limit], len(found) > limit, head))
