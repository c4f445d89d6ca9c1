"""What long work is: a bulk enrollment, a calibration, a migration. Each goes on where it was when it is begun again.

    work(library, encoder, job, hold) -> result

`hold` is the worker's grip on its job: work looks at it between two batches, tells it how far it is, and ends there
when somebody cancels the job, the process stops, or another worker has it now. The result has numbers and
machine-readable words, no name of a subject.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol, TypeAlias

from sqlalchemy import Connection

from gallery.calibrate import SIZES, TARGET_FPIR
from gallery.calibration_data import calibrate_gallery
from gallery.duplicates import Duplicates, Screen
from gallery.enroll import BATCH_FRAMES, BATCH_SEQUENCES, make_ready, refused
from gallery.library import Library
from gallery.migrate import begin, complete
from gallery.store import Added
from gallery.store.job_items import (
    Item,
    ItemResult,
    SubjectGone,
    counted_results,
    record_enrolled,
    record_refused,
    waiting_items,
)
from gallery.store.jobs import Job
from gallery.template import Consent, NewTemplate
from gallery.vault import source_of, unpack
from model.errors import GaitkeeperError, InvalidRequest
from model.inference import embed
from model.runtime import Encoder
from model.sequence import SkeletonSequence

# Why an item was refused whose subject was erased, renamed or merged while it waited.
GONE = "subject_gone"


class Hold(Protocol):
    """A worker's grip on one job."""

    def check(self) -> None:
        """Returns while the work is to go on; raises what ends it."""
        ...

    def told(self, done: int | None = None, total: int | None = None) -> None:
        """The same, knowing what was asked of the job until now, and tells how far the work is; None: it notes that
        itself."""
        ...

    def fence(self, connection: Connection) -> None:
        """Raises unless the job is still this worker's, in a transaction that writes."""
        ...


Work: TypeAlias = Callable[[Library, Encoder, Job, Hold], Mapping[str, Any]]


def enroll_items(library: Library, encoder: Encoder, job: Job, hold: Hold) -> Mapping[str, Any]:
    """Enroll what the job has taken in, a batch a time; each item is enrolled, found to be there, or refused and why.

    params: `force`, whether those are enrolled too who look like somebody who is there. Raises `UnknownGallery`,
    `BundleMismatch`, `StoreUnavailable`.
    """
    assert job.gallery is not None
    mode = Duplicates.OFF if job.params.get("force") else None
    screen = Screen(library, job.gallery, fingerprint=encoder.fingerprint, mode=mode)
    vault = library.gallery(job.gallery).vault_days is not None
    while items := waiting_items(library.store, job.id, BATCH_SEQUENCES):
        hold.told()
        _Batch(library, encoder, job, hold, screen, vault).enroll(items)
    return {status: counted_results(library.store, job.id).get(status, 0) for status in _STATUSES}


_STATUSES = ("enrolled", "repeated", "refused")


class _Batch:
    """Some items of one job: what cannot be enrolled is noted, all the rest is enrolled."""

    def __init__(self, library: Library, encoder: Encoder, job: Job, hold: Hold, screen: Screen, vault: bool) -> None:
        assert job.gallery is not None
        self._library, self._encoder, self._job, self._gallery = library, encoder, job, job.gallery
        self._hold, self._screen, self._vault = hold, screen, vault
        self._refused: list[tuple[Item, ItemResult]] = []

    def enroll(self, items: Sequence[Item]) -> None:
        ready: list[tuple[Item, SkeletonSequence, SkeletonSequence]] = []
        frames = 0
        for item in items:
            try:
                sequence = unpack(item.packed)
                frames += sequence.frames
                if ready and frames > BATCH_FRAMES:
                    break  # the rest waits for the next batch
                ready.append((item, sequence, make_ready(sequence, self._encoder).sequence))
            except GaitkeeperError as error:
                self._refuse(item, refused("", "", error).reasons)
        embeddings = embed(self._encoder, [prepared for _, _, prepared in ready])
        new = [
            NewTemplate(
                item.subject,
                row,
                item.labels,
                sequence.frames,
                source_of(sequence),
                item.packed if self._vault else None,
            )
            for (item, sequence, _), row in zip(ready, embeddings, strict=True)
        ]
        by_consent: dict[Consent | None, list[tuple[Item, NewTemplate]]] = {}
        for (item, _, _), one, like in zip(ready, new, self._screen.likenesses(new), strict=True):
            if like is not None and self._screen.refuses:
                self._refuse(item, (type(like.error).__name__,))
            else:
                by_consent.setdefault(item.consent, []).append((item, one))
        for consent, some in by_consent.items():
            self._keep(some, consent)
        self._note_refused()

    def _refuse(self, item: Item, reasons: Sequence[str]) -> None:
        self._refused.append((item, ItemResult(item.place, "refused", reasons=tuple(reasons))))

    def _keep(self, some: Sequence[tuple[Item, NewTemplate]], consent: Consent | None) -> None:
        """Enroll these together, and note it in the same transaction; whoever cannot be is refused, the others not."""
        if not some:
            return
        items = [item for item, _ in some]

        def within(connection: Connection, added: Sequence[Added]) -> None:
            self._hold.fence(connection)
            record_enrolled(connection, self._job.id, items, added)

        try:
            self._library.enroll(
                self._gallery,
                [one for _, one in some],
                fingerprint=self._encoder.fingerprint,
                consent=consent,
                within=within,
            )
        except SubjectGone as gone:
            for item in items:
                if item.place in gone.places:
                    self._refuse(item, (GONE,))
            self._keep([each for each in some if each[0].place not in gone.places], consent)
        except InvalidRequest as error:
            if len(some) == 1:
                self._refuse(items[0], refused("", "", error).reasons)
            else:  # of one of them, such as that its subject's consent has expired
                for each in some:
                    self._keep([each], consent)

    def _note_refused(self) -> None:
        if self._refused:
            with self._library.store.write() as connection:
                self._hold.fence(connection)
                items, results = zip(*self._refused, strict=True)
                record_refused(connection, self._job.id, items, results)


def calibrate(library: Library, encoder: Encoder, job: Job, hold: Hold) -> Mapping[str, Any]:
    """Measure the gallery's own calibration and let it hold. params: `target_fpir`, `session`, `by`.

    Raises what `calibrate_gallery` raises.
    """
    del encoder
    assert job.gallery is not None
    done, total = 0, len(SIZES) + 2

    def progress(steps: int) -> None:
        nonlocal done
        done += steps
        hold.told(min(done, total), total)

    hold.told(0, total)
    asked = job.params
    made = calibrate_gallery(
        library,
        job.gallery,
        by=tuple(asked.get("by", ())),
        session=asked.get("session"),
        target_fpir=asked.get("target_fpir") or TARGET_FPIR,
        progress=progress,
    )
    hold.told(total, total)
    library.set_calibration(job.gallery, made)
    return {"calibration": made.id, "subjects": made.subjects, "target_fpir": made.target_fpir}


def migrate(library: Library, encoder: Encoder, job: Job, hold: Hold) -> Mapping[str, Any]:
    """Embed the gallery again with this encoder and let the new generation answer. params: `partial`, `switch`,
    `calibrate`. What was embedded before an end in between is there when the gallery is migrated again.

    Raises what `gallery.migrate` raises.
    """
    assert job.gallery is not None
    asked = job.params
    filling = begin(library.store, job.gallery, encoder, partial=bool(asked.get("partial")))
    total, done = filling.count(), 0
    hold.told(0, total)
    for step in filling.steps():
        done += step
        hold.told(done, max(total, done))
    made = complete(
        filling,
        partial=bool(asked.get("partial")),
        calibrated=bool(asked.get("calibrate", True)),
        switched=bool(asked.get("switch", True)),
    )
    return {
        "before": made.before,
        "after": made.after,
        "subjects": made.subjects,
        "templates": made.templates,
        "refused": len(made.refused),
        "left_behind": {"subjects": len(made.behind.subjects), "templates": made.behind.templates},
        "agreement": None if made.agreement is None else asdict(made.agreement),
        "calibration": made.calibration,
        "switched": made.seq is not None,
    }
