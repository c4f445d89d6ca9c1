"""Enroll sequences: make each ready, refuse those that cannot be used and say why, embed and keep the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gallery.duplicates import Likeness, Screen
from gallery.library import Library
from gallery.store import Added, Sources
from gallery.template import Consent, NewTemplate, check_id, check_labels
from gallery.vault import pack
from gallery.vault import source_of as source_of
from model.errors import GaitkeeperError, UnusableSequence
from model.inference import embed
from model.prepare import prepare
from model.quality import IN_WORDS, assess
from model.runtime import Encoder
from model.sequence import Floats, SkeletonSequence

# A batch is one transaction and one run of the encoder: what an interruption can lose.
BATCH_SEQUENCES = 32
BATCH_FRAMES = 20_000


class Status(StrEnum):
    ENROLLED = "enrolled"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Submission:
    """A sequence to enroll for `subject`. name: what the report calls it, such as its file. notes: of its reader.
    consent: what the subject has from then on; None leaves what there is."""

    name: str
    subject: str
    sequence: SkeletonSequence
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a submission. template: its id if it was enrolled. reasons: machine-readable, of a refusal;
    detail: the same in words. notes: what was assumed and changed to make the sequence fit the encoder."""

    name: str
    subject: str
    status: Status
    template: int | None = None
    reasons: tuple[str, ...] = ()
    detail: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A sequence in the encoder's layout that may be used. notes: what was changed, and what would make it better."""

    sequence: SkeletonSequence
    notes: tuple[str, ...]


def make_ready(sequence: SkeletonSequence, encoder: Encoder) -> Ready:
    """Convert a sequence for the encoder and check it. Raises `LayoutMismatch`, `UnusableSequence`."""
    prepared = prepare(sequence, encoder.layout, encoder.clip)
    quality = assess(prepared.sequence, encoder.clip)
    if not quality.usable:
        raise UnusableSequence(quality.reasons, "; ".join(IN_WORDS[reason] for reason in quality.reasons))
    advice = (f"{reason}: {IN_WORDS[reason]}" for reason in quality.advice)
    return Ready(prepared.sequence, (*prepared.notes, *advice))


def refused(name: str, subject: str, error: GaitkeeperError) -> Result:
    """The result of a submission that failed with `error`."""
    reasons = error.reasons if isinstance(error, UnusableSequence) else (type(error).__name__,)
    return Result(name, subject, Status.REFUSED, reasons=tuple(reasons), detail=str(error))


def enroll(
    library: Library,
    encoder: Encoder,
    gallery: str,
    submissions: Iterable[Submission | Result],
    *,
    screen: Screen | None = None,
) -> Iterator[Result]:
    """Enroll submissions in batches; each batch is durable before its results are given.

    A submission whose recording this subject has already is `repeated` and not encoded again. A `Result` among the
    submissions (of a file that could not be read) is passed on in its place. screen: looks for subjects that are there
    under another id. A gallery that keeps skeletons gets them. An interruption loses the batch in work and nothing
    that was given. Raises `UnknownGallery`, `BundleMismatch`, `StoreUnavailable`.
    """
    batch = _Batch(library, encoder, gallery, screen, library.gallery(gallery).vault_days is not None)
    known = library.store.sources(gallery)
    for submission in submissions:
        if isinstance(submission, Result):
            batch.add_result(submission)
        else:
            _examine(batch, submission, known)
        if batch.full:
            yield from batch.finish(known)
    yield from batch.finish(known)


def _examine(batch: "_Batch", submission: Submission, known: Sources) -> None:
    source = source_of(submission.sequence)
    try:
        check_id("subject", submission.subject)
        check_labels(submission.labels)
        if (submission.subject, source) in known:
            batch.add_result(Result(submission.name, submission.subject, Status.REPEATED))
        else:
            batch.add(_Work(batch.place, submission, source, make_ready(submission.sequence, batch.encoder)))
    except GaitkeeperError as error:
        batch.add_result(refused(submission.name, submission.subject, error))


@dataclass(frozen=True, slots=True)
class _Work:
    """A submission that waits; place: of its result."""

    place: int
    submission: Submission
    source: str
    ready: Ready


@dataclass(slots=True)
class _Batch:
    library: Library
    encoder: Encoder
    gallery: str
    screen: Screen | None
    vault: bool
    results: list[Result | None] = field(default_factory=list)
    work: list[_Work] = field(default_factory=list)
    frames: int = 0

    @property
    def full(self) -> bool:
        waiting_results = len(self.results) >= 10 * BATCH_SEQUENCES
        return len(self.work) >= BATCH_SEQUENCES or self.frames >= BATCH_FRAMES or waiting_results

    @property
    def place(self) -> int:
        return len(self.results)

    def add_result(self, result: Result) -> None:
        self.results.append(result)

    def add(self, work: _Work) -> None:
        self.work.append(work)
        self.results.append(None)
        self.frames += work.ready.sequence.frames

    def finish(self, known: Sources) -> Sequence[Result]:
        """Embed and keep what is waiting; the results of all, in their order."""
        if self.work:
            embeddings = embed(self.encoder, [work.ready.sequence for work in self.work])
            new = [self._template(work, embedding) for work, embedding in zip(self.work, embeddings, strict=True)]
            like = [None] * len(new) if self.screen is None else self.screen.likenesses(new)
            self._keep(new, like, known)
        done = [result for result in self.results if result is not None]
        self.results, self.work, self.frames = [], [], 0
        return done

    def _template(self, work: _Work, embedding: Floats) -> NewTemplate:
        submission, sequence = work.submission, work.submission.sequence
        skeleton = pack(sequence) if self.vault else None
        return NewTemplate(submission.subject, embedding, submission.labels, sequence.frames, work.source, skeleton)

    def _keep(self, new: Sequence[NewTemplate], like: Sequence[Likeness | None], known: Sources) -> None:
        by_consent: dict[Consent | None, list[int]] = {}
        for i, (work, likeness) in enumerate(zip(self.work, like, strict=True)):
            submission = work.submission
            if likeness is not None and self.screen is not None and self.screen.refuses:
                self.results[work.place] = refused(submission.name, submission.subject, likeness.error)
            else:
                by_consent.setdefault(submission.consent, []).append(i)
        for consent, places in by_consent.items():
            added = self.library.enroll(
                self.gallery, [new[i] for i in places], fingerprint=self.encoder.fingerprint, consent=consent
            )
            for i, one in zip(places, added, strict=True):
                self.results[self.work[i].place] = _kept(self.work[i], one, like[i])
                known.add((self.work[i].submission.subject, self.work[i].source))


def _kept(work: _Work, added: Added, likeness: Likeness | None) -> Result:
    submission = work.submission
    status = Status.REPEATED if added.repeated else Status.ENROLLED
    seen = () if likeness is None else (f"possible duplicate: {likeness}",)
    notes = (*submission.notes, *work.ready.notes, *seen)
    return Result(submission.name, submission.subject, status, added.template, notes=notes)
