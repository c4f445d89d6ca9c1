"""What changes the database, besides enrollment. Each function runs in the caller's transaction, and adds its rows to
the change log and its entry to the audit log."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select, update

from gallery.keys.sealing import Sealer, bound_to, new_key
from gallery.store import audit, reading
from gallery.store.enrolling import consent_values, log
from gallery.store.moments import stamp
from gallery.store.rows import Change, Head
from gallery.store.schema import galleries, subjects
from gallery.template import LABEL_LENGTH as HOLD_LENGTH
from gallery.template import Consent, Gallery, check_name
from model.errors import GalleryExists, InvalidRequest, LimitExceeded

if TYPE_CHECKING:
    from gallery.store.store import Store

METADATA_LIMIT = 16 * 1024


class Keep:
    """The value of an argument that leaves things as they are."""


KEEP: Final = Keep()


def create_gallery(connection: Connection, store: "Store", gallery: Gallery, family: int | None = None) -> int:
    """Make a gallery with keys of its own; returns its key. family: of the gallery that it is a generation of."""
    if connection.scalar(select(galleries.c.id).where(galleries.c.name == gallery.name)) is not None:
        raise GalleryExists(gallery.name)
    key = store.next_keys(connection, "galleries", 1)
    row = {
        "id": key,
        "name": gallery.name,
        "family": key if family is None else family,
        "state": gallery.state.value,
        "fingerprint": gallery.fingerprint,
        "dim": gallery.dim,
        "vault_days": gallery.vault_days,
        "protected": gallery.protected,
        "templates": 0,
        "content": 0,
        "created": stamp(gallery.created),
    }
    connection.execute(insert(galleries).values(row))
    store.secrets.add(connection, key, "gallery", new_key())
    # Before there is anything to back up: a receipt is to be checked whichever backup is restored.
    store.secrets.signing_key(connection)
    if family is None:
        store.secrets.add(connection, key, "source", new_key())
    if gallery.protected:
        from gallery.keys.transform import new_transform, to_bytes

        store.secrets.add(connection, key, "transform", to_bytes(new_transform(gallery.dim)))
    log(connection, store, key, [(Change.GALLERY_CREATED, None, None)])
    audit.append(
        connection, store, "create", key, dim=gallery.dim, protected=gallery.protected, vault=gallery.vault_days
    )
    return key


def set_calibration(connection: Connection, store: "Store", at: Head, calibration: Mapping[str, Any] | None) -> None:
    content = None if calibration is None else dict(calibration)
    connection.execute(update(galleries).where(galleries.c.id == at.key).values(calibration=content))
    log(connection, store, at.key, [(Change.CALIBRATED, None, None)])
    audit.append(connection, store, "calibrate", at.key, calibrated=calibration is not None)


def update_subject(
    connection: Connection,
    store: "Store",
    at: Head,
    name: str,
    consent: Consent | Keep | None,
    hold: str | Keep | None,
    metadata: Mapping[str, Any] | Keep | None,
) -> None:
    """Change what is known of a subject, in all generations of its gallery."""
    reading.subject_row(connection, at, name)
    values: dict[str, Any] = {}
    if not isinstance(consent, Keep):
        values |= consent_values(consent or Consent())
    if not isinstance(hold, Keep):
        values["hold"] = None if hold is None else check_name("hold", hold, HOLD_LENGTH)
    content = None if isinstance(metadata, Keep) or not metadata else _checked_metadata(metadata)
    for row in reading.everywhere(connection, at, name):
        if not isinstance(metadata, Keep):
            sealer = Sealer(store.secrets.data_key(connection, row)) if content else None
            bound = bound_to("metadata", row.gallery_id, row.id)
            values["metadata"] = sealer.seal(content, bound) if sealer and content else None
        if values:
            connection.execute(update(subjects).where(subjects.c.id == row.id).values(values))
            log(connection, store, row.gallery_id, [(Change.SUBJECT_CHANGED, row.id, None)])
            what = sorted({"consent" if each in ("purpose", "expires") else each for each in values})
            audit.append(connection, store, "update", row.gallery_id, row.id, changed=what)


def _checked_metadata(metadata: Mapping[str, Any]) -> bytes:
    try:
        content = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest("metadata", "must be an object of JSON") from error
    if len(content) > METADATA_LIMIT:
        raise LimitExceeded("metadata", METADATA_LIMIT, len(content))
    return content
