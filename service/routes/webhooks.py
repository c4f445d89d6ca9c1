"""Webhooks: who is told of decisions by HTTP."""

import asyncio
from http import HTTPStatus
from secrets import token_hex
from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gallery.store import Store
from gallery.store import webhooks as kept
from gallery.template import now
from model.errors import InvalidRequest, LimitExceeded, UnknownGallery, UnknownResource
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers.recognition import Answer
from service.document.openapi import documented, refusals
from service.engine.background import background_of
from service.parts import TheEngine
from service.receive import received
from service.surface.paging import A_PAGE, AfterName, Limit, cut
from service.webhooks import bodies
from service.webhooks.address import target_of
from service.webhooks.bodies import CreateWebhook, WebhookTest
from service.webhooks.sender import Message
from service.webhooks.signing import new_secret

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Manager = Annotated[Caller, needs(Scope.MANAGE)]


@router.get(
    "",
    summary="Webhooks of galleries that the key reaches, by id, a page at a time",
    **documented(bodies.Webhooks, problems=(UnknownResource,)),
)
async def list_webhooks(engine: TheEngine, caller: Manager, after: AfterName = "", limit: Limit = A_PAGE) -> Answer:
    found = await asyncio.to_thread(_reachable, engine.library.store, caller, after, limit + 1)
    page, last = cut(found, limit)
    return Answer(bodies.Webhooks([bodies.webhook(each) for each in page], None if last is None else last.id))


@router.post(
    "",
    summary="Tell an address of decisions",
    **documented(
        bodies.NewWebhook,
        asked=CreateWebhook,
        status=HTTPStatus.CREATED,
        problems=(UnknownGallery, LimitExceeded),
    ),
)
async def create_webhook(request: Request, engine: TheEngine, caller: Manager) -> Answer:
    """Each decision is posted as JSON with `X-Gaitkeeper-Signature: t=…,v1=…`: v1 is the HMAC-SHA256, in hex, of t, a
    dot and the body, under the secret that is shown here once. A receiver answers with 2xx within ten seconds; what it
    does not receive is tried again, later each time, for a day, and what is behind it waits. `X-Gaitkeeper-Delivery`
    tells one delivery from another: one may come twice. Status 410 ends the webhook. Redirects are not followed."""
    asked = await received(request, CreateWebhook)
    target_of(asked.url, private=request.app.state.settings.webhooks_private)
    if asked.gallery is not None:
        caller.check_gallery(asked.gallery)
    elif caller.galleries is not None:
        raise InvalidRequest("gallery", "must be given: this key does not reach all galleries")
    secret = new_secret()
    made = await asyncio.to_thread(
        kept.add_webhook,
        engine.library.store,
        asked.url,
        sorted(set(asked.events)),
        asked.gallery,
        caller.id,
        secret.encode(),
    )
    background_of(request).outbox.look()
    answer = Answer(bodies.new_webhook(made, secret), HTTPStatus.CREATED)
    answer.headers["Location"] = f"/webhooks/{made.id}"
    return answer


@router.get("/{webhook}", summary="One webhook", **documented(bodies.Webhook, problems=(UnknownResource,)))
async def show_webhook(webhook: str, engine: TheEngine, caller: Manager) -> Answer:
    return Answer(bodies.webhook(await asyncio.to_thread(_seen, engine.library.store, webhook, caller)))


@router.delete(
    "/{webhook}",
    summary="Tell an address no more; what it was still to be told is forgotten",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownResource),
)
async def delete_webhook(webhook: str, request: Request, engine: TheEngine, caller: Manager) -> Response:
    await asyncio.to_thread(_seen, engine.library.store, webhook, caller)
    await asyncio.to_thread(kept.delete_webhook, engine.library.store, webhook)
    background_of(request).outbox.look()
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{webhook}/test",
    summary="Send a delivery that tells of nothing, now, and say what came of it",
    **documented(bodies.WebhookTried, problems=(UnknownResource,)),
)
async def test_webhook(webhook: str, request: Request, engine: TheEngine, caller: Manager) -> Answer:
    """It is tried once. Its `type` is `test`."""
    found = await asyncio.to_thread(_seen, engine.library.store, webhook, caller)
    secret = await asyncio.to_thread(kept.secret_of, engine.library.store, webhook)
    told = WebhookTest(id=token_hex(8), at=now().isoformat())
    message = Message(f"test-{told.id}", told.type, msgspec.json.encode(told))
    background = background_of(request)
    with background.testing():
        return Answer(await asyncio.to_thread(background.sender.tried, found.url, secret, message))


def _seen(store: Store, webhook: str, caller: Caller) -> kept.Webhook:
    """Raises `UnknownResource`, too, for one that the caller may not see."""
    found = kept.webhook(store, webhook)
    if not bodies.may_see(caller, found):
        raise UnknownResource("webhook", webhook)
    return found


def _reachable(store: Store, caller: Caller, after: str, limit: int) -> list[kept.Webhook]:
    # There are few in all (`AT_MOST`), so they are looked through here.
    found = kept.webhooks_page(store, after=after, limit=kept.AT_MOST)
    return [each for each in found if bodies.may_see(caller, each)][:limit]
