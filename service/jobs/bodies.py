"""What jobs are asked for with."""

from typing import Annotated

from msgspec import Meta, Raw, ValidationError, field

from gallery.store.job_items import Input
from gallery.template import check_id, check_labels
from gallery.vault import pack
from model.errors import GaitkeeperError, InvalidRequest, LimitExceeded
from service.bodies.asked import Sequence
from service.errors import refused_body
from service.settings import Limits
from service.wire import ConsentGiven, Name, Sent, decode

ITEMS = 10_000


class EnrollItem(Sent, frozen=True):
    """One sequence of one subject. labels, consent: as when it is enrolled by itself."""

    subject: Name
    sequence: Sequence
    labels: dict[str, str] = field(default_factory=dict)
    consent: ConsentGiven | None = None

    def taken_in(self, limits: Limits) -> Input:
        """As it is put into the job; a sequence that is none is refused there, and spoils no other."""
        consent = None if self.consent is None else self.consent.checked()
        try:
            check_id("subject", self.subject)
            check_labels(self.labels)
            if len(self.sequence.joints) > limits.frames:
                raise LimitExceeded("sequence.joints (frames)", limits.frames, len(self.sequence.joints))
            return Input(self.subject, pack(self.sequence.checked()), self.labels, consent)
        except GaitkeeperError as error:
            return Input(self.subject, b"", self.labels, consent, refused=type(error).__name__)


class EnrollMany(Sent, frozen=True):
    """Many sequences, of any subjects; each is enrolled or refused by itself. force: enroll those too who look like
    somebody that is enrolled under another id."""

    items: Annotated[list[EnrollItem], Meta(min_length=1, max_length=ITEMS)]
    force: bool = False


class _Unread(Sent, frozen=True):
    """`EnrollMany` whose items are read one by one: as lists of numbers all of them would take ten times their room."""

    items: Annotated[list[Raw], Meta(min_length=1, max_length=ITEMS)]
    force: bool = False


def taken_in(body: bytes, limits: Limits) -> tuple[list[Input], bool]:
    """What an `EnrollMany` asks to be enrolled, and its `force`. Raises as `wire.decode`, and `InvalidRequest`."""
    asked = decode(_Unread, body)
    return [_item(place, bytes(raw), limits) for place, raw in enumerate(asked.items)], asked.force


def _item(place: int, body: bytes, limits: Limits) -> Input:
    try:
        return decode(EnrollItem, body).taken_in(limits)
    except ValidationError as error:
        refused = refused_body(error)
        field = "" if refused.field == "body" else f".{refused.field}"
        raise InvalidRequest(f"items[{place}]{field}", refused.reason) from error


class MigrateGallery(Sent, frozen=True):
    """Embed a gallery again from its vault. bundle: name of the new encoder's bundle, shipped or of the setting
    `bundles`; null: the one that the deployment is set to. partial: leave behind whoever has no skeleton. calibrate:
    measure a calibration for it first. switch: let it answer; else it is only filled and measured."""

    bundle: Name | None = None
    partial: bool = False
    calibrate: bool = True
    switch: bool = True
