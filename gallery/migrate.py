"""A change of encoder: embed a gallery again from its vault, beside the one that answers, and switch when it is done.

Killed at any point, the generation that answers is as it was, and the same call goes on where it stopped: what is
done is in the store. Whatever is enrolled, erased, renamed or merged meanwhile counts, up to the moment of the switch.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gallery.agreement import Agreement, agreement_of
from gallery.calibrate import TARGET_FPIR, calibrate
from gallery.calibration import Calibration
from gallery.enroll import BATCH_SEQUENCES, make_ready
from gallery.store import Store
from gallery.store import generations as kept
from gallery.store import reembedding as again
from gallery.store.generations import Generation
from gallery.store.reembedding import Behind, Waiting
from gallery.template import State
from gallery.vault import unpack
from model.errors import BundleMismatch, GaitkeeperError, InvalidDataSet, InvalidRequest
from model.inference import embed
from model.runtime import Encoder
from model.sequence import Floats, SkeletonSequence


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of a migration. before, after: fingerprints. templates: of the new generation. refused: number of a
    template → why the new encoder cannot use its sequence. behind: what has no skeleton. calibration: id of the new
    generation's own; uncalibrated: why it has none. seq: of the switch, None if there was none yet."""

    gallery: str
    before: str
    after: str
    subjects: int
    templates: int
    refused: dict[int, str]
    behind: Behind
    agreement: Agreement | None = None
    calibration: str | None = None
    uncalibrated: str | None = None
    seq: int | None = None


@dataclass(slots=True)
class Filling:
    """One generation is filled from another. encoder: None where nothing may be embedded. after: every template up to
    this number is done, refused or has no skeleton."""

    store: Store
    gallery: str
    source: Generation
    target: Generation
    encoder: Encoder | None
    after: int = 0
    refused: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.encoder is not None and self.encoder.fingerprint != self.target.fingerprint:
            raise BundleMismatch(self.gallery, self.target.fingerprint, self.encoder.fingerprint)

    def count(self) -> int:
        """How many templates wait."""
        return again.count_waiting(self.store, self.source.key, self.target.key)

    def steps(self) -> Iterator[int]:
        """Fill, batch by batch, each of which is durable when it is given; gives how many were looked at."""
        while True:
            with self.store.read() as connection:
                batch = self._waiting(connection)
            if not batch:
                return
            done = self._embedded(batch)
            with self.store.write() as connection:
                self._add(connection, done)
            self.after = batch[-1].template
            yield len(batch)

    def rest(self, connection: Connection) -> None:
        """What came since, in the caller's transaction, in which nothing more can come."""
        while batch := self._waiting(connection):
            self._add(connection, self._embedded(batch))
            self.after = batch[-1].template

    def behind(self) -> Behind:
        """What cannot come along."""
        return self.lost()[0]

    def lost(self) -> tuple[Behind, int]:
        """What cannot come along, of all templates up to the number that is given too."""
        with self.store.read() as connection:
            newest = again.newest_template(connection)
            return again.behind(connection, self.source.key, self.target.key, list(self.refused)), newest

    def lost_since(self, connection: Connection, after: int) -> Behind:
        """The same of templates behind that number, in the caller's transaction."""
        return again.behind(connection, self.source.key, self.target.key, list(self.refused), after)

    def _waiting(self, connection: Connection) -> list[Waiting]:
        if self.encoder is None:
            return []
        keys = (self.source.key, self.target.key)
        return again.waiting(connection, self.store, *keys, self.after, BATCH_SEQUENCES)

    def _add(self, connection: Connection, done: Sequence[tuple[Waiting, Floats]]) -> None:
        head = kept.generation_head(connection, self.target.key)
        again.add(connection, self.store, head, done)

    def _embedded(self, batch: Sequence[Waiting]) -> list[tuple[Waiting, Floats]]:
        assert self.encoder is not None
        usable: list[Waiting] = []
        sequences: list[SkeletonSequence] = []
        for each in batch:
            try:
                sequences.append(make_ready(unpack(each.packed), self.encoder).sequence)
                usable.append(each)
            except GaitkeeperError as error:
                self.refused[each.template] = str(error)
        return list(zip(usable, embed(self.encoder, sequences), strict=True))


def begin(store: Store, gallery: str, encoder: Encoder, *, partial: bool = False) -> Filling:
    """Begin a migration to the encoder's bundle, or go on with it. partial: although of some subjects there is no
    skeleton, who will not be in the new generation.

    Raises `UnknownGallery`, and `InvalidRequest` where there is nothing to embed from, or another migration goes on.
    """
    source = _active(store, gallery)
    with store.read() as connection:
        lost = again.behind(connection, source.key, 0)
    if lost.subjects:
        _check_worth_it(store, gallery, source, lost, partial)
    return Filling(store, gallery, source, kept.begin(store, gallery, encoder.fingerprint, encoder.dim), encoder)


def check(store: Store, gallery: str, fingerprint: str, *, partial: bool = False) -> None:
    """Raises what `begin` would say no with for a bundle of this fingerprint, and begins nothing."""
    source = _active(store, gallery)
    with store.read() as connection:
        lost = again.behind(connection, source.key, 0)
    if lost.subjects:
        _check_worth_it(store, gallery, source, lost, partial)
    kept.check_free(store, gallery, fingerprint)


def _check_worth_it(store: Store, gallery: str, source: Generation, lost: Behind, partial: bool) -> None:
    anew = "create another gallery with the new bundle and enroll from the recordings"
    if store.gallery(gallery).gallery.vault_days is None:
        raise InvalidRequest("gallery", f"{gallery!r} keeps no skeletons (--vault-days) to embed again: {anew}")
    if len(lost.subjects) >= source.subjects:
        raise InvalidRequest("gallery", f"the vault of {gallery!r} has no skeleton left: {anew}")
    if not partial:
        raise InvalidRequest("gallery", _left_behind(lost))


def begin_rollback(store: Store, gallery: str, encoder: Encoder | None) -> Filling:
    """Begin to go back to the generation that answered last. encoder: of its bundle, for what was enrolled since.

    Raises `UnknownGallery`, `BundleMismatch`, and `InvalidRequest` where there is no such generation.
    """
    target = kept.newest(store, gallery, State.RETIRED)
    if target is None:
        raise InvalidRequest("gallery", f"{gallery!r} has no former generation to go back to")
    return Filling(store, gallery, _active(store, gallery), target, encoder)


def _active(store: Store, gallery: str) -> Generation:
    return next(each for each in kept.generations(store, gallery) if each.state is State.ACTIVE)


def measure(filling: Filling, *, target_fpir: float | None = None) -> tuple[Agreement | None, Calibration | str]:
    """How far old and new agree on what both have, and a calibration for the new, or why there can be none.

    target_fpir: default that of the old generation's own calibration.
    """
    store, gallery = filling.store, filling.gallery
    found = again.pairs(store, filling.source.key, filling.target.key)
    agreement = agreement_of(found.old, found.new, found.subjects)
    own = store.calibration(gallery)
    before = None if own is None else Calibration.from_json(dict(own))
    try:
        calibration = calibrate(
            found.new,
            found.subjects,
            made_on=f"the templates of gallery {gallery}, embedded again, each left out in turn",
            templates_per_subject=None,
            best=1 if before is None else before.best,
            target_fpir=target_fpir or (TARGET_FPIR if before is None else before.target_fpir),
        )
    except (InvalidDataSet, InvalidRequest) as error:
        return agreement, str(error)
    return agreement, calibration


def switch(filling: Filling, *, calibration: Calibration | None = None, partial: bool = False) -> tuple[int, Behind]:
    """Embed what came since and let the new generation answer, in one transaction; the old one is kept.

    calibration: of the new generation; None leaves what it has. Returns the change that says so and what stays
    behind. Raises `InvalidRequest` where subjects would stay behind, unless `partial`.
    """
    store = filling.store
    before, newest = filling.lost()  # looked for while others write; in the transaction is only what came since
    with store.write() as connection:
        at = kept.answering(connection, filling.gallery, filling.source.key)
        target = kept.generation_head(connection, filling.target.key)
        filling.rest(connection)
        lost = _together(before, filling.lost_since(connection, newest))
        if lost.subjects and not partial:
            raise InvalidRequest("gallery", _left_behind(lost))
        if calibration is not None:
            kept.set_calibration(connection, store, target, calibration.to_json())
        seq = kept.switch(connection, store, at, filling.target.key)
    return seq, lost


def complete(filling: Filling, *, partial: bool = False, calibrated: bool = True, switched: bool = True) -> Migrated:
    """What is left to do when a generation is filled: measure, calibrate it and let it answer, as far as is wanted."""
    agreement, calibration = measure(filling) if calibrated else (None, None)
    own = calibration if isinstance(calibration, Calibration) else None
    seq, lost = switch(filling, calibration=own, partial=partial) if switched else (None, filling.behind())
    found = next(each for each in kept.generations(filling.store, filling.gallery) if each.key == filling.target.key)
    return Migrated(
        filling.gallery,
        filling.source.fingerprint,
        filling.target.fingerprint,
        found.subjects,
        found.templates,
        dict(filling.refused),
        lost,
        agreement,
        None if own is None else own.id,
        calibration if isinstance(calibration, str) else None,
        seq,
    )


def _together(one: Behind, other: Behind) -> Behind:
    names = sorted({*one.subjects, *other.subjects})
    return Behind(tuple(names), one.templates + other.templates)


def _left_behind(lost: Behind) -> str:
    names = ", ".join(lost.subjects[:5]) + (", ..." if len(lost.subjects) > 5 else "")
    return (
        f"the vault has no usable skeleton of {names} ({len(lost.subjects)} in all), who would be missing; "
        "enroll them again first, or leave them behind with --partial"
    )
