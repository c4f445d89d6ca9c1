"""The library: every gallery of one store, searched through caches. The service and the command line use this."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from gallery.answering import Answering
from gallery.calibration import Calibration
from gallery.decide import Rule
from gallery.probes import checked_probes
from gallery.store import Added
from gallery.store.moments import moment
from gallery.store.rows import Erasure
from gallery.store.store import Within
from gallery.template import Consent, Gallery, NewTemplate, Subject, Template
from model.errors import GalleryExists, UnknownGallery


class Library(Answering):
    """Galleries over a store: identify and verify (`Answering`), and what they search is kept here.

    Any thread may call any method; other processes may write to the same store.
    """

    # Galleries

    def create(
        self, gallery: str, *, fingerprint: str, dim: int, vault_days: int | None = None, protected: bool = False
    ) -> Gallery:
        """Make a gallery for embeddings of one bundle; `Gallery` says what the rest means. Raises `GalleryExists`."""
        return self.store.create_gallery(gallery, fingerprint, dim, vault_days=vault_days, protected=protected)

    def ensure(self, gallery: str, *, fingerprint: str, dim: int) -> bool:
        """Make the gallery unless it is there; True if it was made. Raises `BundleMismatch`."""
        made = False
        try:
            self.head(gallery, fingerprint)
        except UnknownGallery:
            # Where another process was faster just now, it may have been with another bundle.
            with suppress(GalleryExists):
                self.create(gallery, fingerprint=fingerprint, dim=dim)
                made = True
            self.head(gallery, fingerprint)
        return made

    def galleries(self) -> list[Gallery]:
        return self.store.galleries()

    def gallery(self, gallery: str) -> Gallery:
        """Raises `UnknownGallery`."""
        return self.store.gallery(gallery).gallery

    def delete(self, gallery: str) -> None:
        """Delete a gallery and all in it. Raises `UnknownGallery`."""
        self.store.delete_gallery(gallery)
        self.views.drop(gallery)

    def warm(self, gallery: str) -> int:
        """Open the gallery's view now rather than at the first search; returns its templates."""
        return self.views.at(self.store.head(gallery)).index.count

    def set_calibration(self, gallery: str, calibration: Calibration | None) -> None:
        """Give a gallery its own calibration, which wins over the bundle's, or take it away."""
        if calibration is not None:
            self.check_covers(calibration)
        self.store.set_calibration(gallery, None if calibration is None else calibration.to_json())

    def rule(self, gallery: str, fingerprint: str, fpir: float | None = None) -> Rule:
        """What a search of the whole gallery is held against now, at this rate (default: the calibration's target).

        Raises `UnknownGallery`, `BundleMismatch`; `InvalidRequest` for a rate that the calibration does not support.
        """
        head = self.head(gallery, fingerprint)
        view = self.views.at(head)
        return self._rule(head, view.calibration, *view.owners.tally(moment()), fpir, None)

    # Subjects

    def enroll(
        self,
        gallery: str,
        new: Sequence[NewTemplate],
        *,
        fingerprint: str,
        consent: Consent | None = None,
        within: Within | None = None,
    ) -> list[Added]:
        """Add templates, all or none; on return they are durable and the next search finds them. consent: of every
        subject of this call; None leaves what there is. within: of `Store.enroll`.

        Raises `UnknownGallery`, `BundleMismatch`, `StoreUnavailable`.
        """
        head = self.head(gallery, fingerprint)
        if head.protected and new:
            embeddings = checked_probes([item.embedding for item in new], head.dim)
            hidden = self.views.hidden(head, embeddings)
            new = [replace(item, embedding=row) for item, row in zip(new, hidden, strict=True)]
        epoch = head.epoch if head.protected else None
        return self.store.enroll(gallery, fingerprint, new, consent=consent, epoch=epoch, within=within)

    def subjects(self, gallery: str, *, after: str = "", limit: int = 1000) -> list[Subject]:
        return self.store.subjects(gallery, after=after, limit=limit)

    def subject(self, gallery: str, subject: str) -> Subject:
        return self.store.subject(gallery, subject)

    def templates_of(self, gallery: str, subject: str) -> list[Template]:
        return self.store.templates_of(gallery, subject)

    def erase_subject(self, gallery: str, subject: str) -> Erasure:
        """Erase a subject; on return no search gives it. Raises `UnknownSubject`, `SubjectHeld`."""
        return self.store.erase_subject(gallery, subject)

    def erase_template(self, gallery: str, template: int) -> Erasure:
        """Erase a template; on return no search gives it. Raises `UnknownTemplate`, `SubjectHeld`."""
        return self.store.erase_template(gallery, template)
