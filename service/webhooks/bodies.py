"""What webhooks are asked for with, and what is told of them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gallery.store import webhooks as kept
from service.access.caller import Caller
from service.wire import Name, Sent

Outcome = Literal["match", "no_match", "abstain"]


class CreateWebhook(Sent, frozen=True):
    """url: where decisions are posted to; https, and of a public address unless the deployment allows others. events:
    which outcomes are told. gallery: of which gallery; null: of all, for a key that reaches all."""

    url: Annotated[str, Meta(min_length=1, max_length=2048)]
    events: Annotated[list[Outcome], Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: ["match", "no_match", "abstain"]
    )
    gallery: Name | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """active: false when its receiver has said that it is gone (status 410). waiting: deliveries that are still to be
    made. error: why the first of them was not received when it was last tried."""

    id: str
    url: str
    events: list[str]
    gallery: str | None
    owner: str
    active: bool
    created: str
    waiting: int
    error: str | None


class NewWebhook(Webhook, frozen=True, kw_only=True):
    """secret: what deliveries are signed with; it is shown this once."""

    secret: str


class Webhooks(msgspec.Struct, frozen=True):
    """A page of webhooks, by id. next: ask again with after=next; null on the last page."""

    webhooks: list[Webhook]
    next: str | None


class WebhookTest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a delivery that tells of nothing."""

    id: str
    at: str
    type: Literal["test"] = "test"


class WebhookTried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a try. status: of the answer, if there was one; error: a machine-readable word, null where it was
    received."""

    received: bool
    status: int | None
    error: str | None


def webhook(found: kept.Webhook) -> Webhook:
    return Webhook(**_fields(found))  # type: ignore[arg-type]


def new_webhook(found: kept.Webhook, secret: str) -> NewWebhook:
    return NewWebhook(**_fields(found), secret=secret)  # type: ignore[arg-type]


def _fields(found: kept.Webhook) -> dict[str, object]:
    return {
        "id": found.id,
        "url": found.url,
        "events": list(found.events),
        "gallery": found.gallery,
        "owner": found.owner,
        "active": found.active,
        "created": found.created.isoformat(),
        "waiting": found.waiting,
        "error": found.error,
    }


def may_see(caller: Caller, found: kept.Webhook) -> bool:
    """One of all galleries is seen by whoever reaches them all."""
    return caller.galleries is None if found.gallery is None else caller.reaches(found.gallery)
