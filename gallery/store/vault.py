"""What the vault holds: sequences as they came, sealed under the data key of their subject, for a change of encoder.

They come with an enrollment (`enrolling.py`), go along with who is merged, moved or embedded again (`placing.py`), and
are deleted when their time has come (`expiring.py`) or with their template.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from gallery.store import heads
from gallery.store.moments import moment, when
from gallery.store.schema import templates, vault
from gallery.store.store import Store


@dataclass(frozen=True, slots=True)
class Vault:
    """Of one gallery. skeletons: how many are kept, of that many templates; first, last: when the first and the last
    of them will be deleted."""

    skeletons: int
    templates: int
    first: datetime | None
    last: datetime | None


def vault_of(store: Store, gallery: str) -> Vault:
    """What is kept of a gallery's sequences now. Raises `UnknownGallery`."""
    with store.read() as connection:
        at = heads.head(connection, gallery)
        wanted = (
            select(func.count(), func.min(vault.c.expires), func.max(vault.c.expires))
            .join(templates, templates.c.id == vault.c.template_id)
            .where(templates.c.gallery_id == at.key, vault.c.expires > moment())
        )
        count, first, last = connection.execute(wanted).one()
    ends = (None if end is None else when(end) for end in (first, last))
    return Vault(count, at.templates, *ends)
