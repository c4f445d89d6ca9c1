"""What the service answers about the templates of a whole gallery, and the skeletons of its vault."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from gallery.store.listing import Listed


class ListedTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """A template of a gallery. vault: the skeleton that it was made of is kept, and `.../skeleton` shows it."""

    template: int
    subject: str
    labels: dict[str, str]
    frames: int
    created: str
    vault: bool


class Templates(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a gallery's templates, by number. next: ask again with after=next; null on the last page."""

    gallery: str
    templates: list[ListedTemplate]
    next: int | None


class Skeleton(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence, as it was enrolled: it can be sent as the `sequence` of a request.

    joints: [frame][joint][2 or 3 coordinates]; confidence: [frame][joint] in 0..1, where 0 means missing.
    """

    layout: str
    fps: float
    joints: list[list[list[float]]]
    confidence: list[list[float]]
    units: Literal["pixels", "normalised", "metres"]
    aspect: float | None = None


def templates(gallery: str, found: Sequence[Listed], last: Listed | None) -> Templates:
    """A page. last: the last of it, if there is more behind it."""
    page = [
        ListedTemplate(
            template=each.id,
            subject=each.subject,
            labels=dict(each.labels),
            frames=each.frames,
            created=each.created.isoformat(),
            vault=each.vault,
        )
        for each in found
    ]
    return Templates(gallery=gallery, templates=page, next=None if last is None else last.id)
