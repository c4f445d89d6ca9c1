"""Enroll sequences: make each ready, refuse those that cannot be used and say why, embed and keep the rest."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gallery.library import Library
from gallery.template import NewTemplate, check_id, check_labels
from model.errors import GaitkeeperError, UnusableSequence
from model.inference import embed
from model.prepare import prepare
from model.quality import IN_WORDS, assess
from model.runtime import Encoder
from model.sequence import SkeletonSequence

# A batch is one transaction and one run of the encoder: what an interruption can lose.
BATCH_SEQUENCES = 32
BATCH_FRAMES = 20_000


class Status(StrEnum):
    ENROLLED = "enrolled"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Submission:
    """A sequence to enroll for `subject`. name: what the report calls it, such as its file. notes: of its reader."""

    name: str
    subject: str
    sequence: SkeletonSequence
    labels: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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


def source_of(sequence: SkeletonSequence) -> str:
    """A name for the content of a sequence: the same recording, read again from any file, has the same."""
    identity = hashlib.sha256(
        f"{sequence.layout.name} {sequence.joints.shape} {sequence.fps:.6g} {sequence.units} {sequence.aspect}".encode()
    )
    identity.update(sequence.joints.tobytes())
    identity.update(sequence.confidence.tobytes())
    return identity.hexdigest()


def refused(name: str, subject: str, error: GaitkeeperError) -> Result:
    """The result of a submission that failed with `error`."""
    reasons = error.reasons if isinstance(error, UnusableSequence) else (type(error).__name__,)
    return Result(name, subject, Status.REFUSED, reasons=tuple(reasons), detail=str(error))


def enroll(
    library: Library, encoder: Encoder, gallery: str, submissions: Iterable[Submission | Result]
) -> Iterator[Result]:
    """Enroll submissions in batches; each batch is durable before its results are given.

    A submission whose recording this subject has already is `repeated` and not encoded again. A `Result` among the
    submissions (of a file that could not be read) is passed on in its place. An interruption loses the batch in work
    and nothing that was given. Raises `UnknownGallery`, `BundleMismatch`, `StoreUnavailable`.
    """
    known = library.store.sources(gallery)
    batch = _Batch(library, encoder, gallery)
    for submission in submissions:
        if isinstance(submission, Result):
            batch.add_result(submission)
        else:
            _examine(batch, submission, known)
        if batch.full:
            yield from batch.finish()
    yield from batch.finish()


def _examine(batch: "_Batch", submission: Submission, known: set[tuple[str, str]]) -> None:
    source = source_of(submission.sequence)
    try:
        check_id("subject", submission.subject)
        check_labels(submission.labels)
        if (submission.subject, source) in known:
            batch.add_result(Result(submission.name, submission.subject, Status.REPEATED))
            return
        batch.add(submission, source, make_ready(submission.sequence, batch.encoder))
        known.add((submission.subject, source))
    except GaitkeeperError as error:
        batch.add_result(refused(submission.name, submission.subject, error))


@dataclass(slots=True)
class _Batch:
    library: Library
    encoder: Encoder
    gallery: str
    results: list[Result | None] = field(default_factory=list)
    work: list[tuple[int, Submission, str, Ready]] = field(default_factory=list)
    frames: int = 0

    @property
    def full(self) -> bool:
        waiting_results = len(self.results) >= 10 * BATCH_SEQUENCES
        return len(self.work) >= BATCH_SEQUENCES or self.frames >= BATCH_FRAMES or waiting_results

    def add_result(self, result: Result) -> None:
        self.results.append(result)

    def add(self, submission: Submission, source: str, ready: Ready) -> None:
        self.work.append((len(self.results), submission, source, ready))
        self.results.append(None)
        self.frames += ready.sequence.frames

    def finish(self) -> Sequence[Result]:
        """Embed and keep what is waiting; the results of all, in their order."""
        if self.work:
            embeddings = embed(self.encoder, [ready.sequence for _, _, _, ready in self.work])
            new = [
                NewTemplate(submission.subject, embedding, submission.labels, submission.sequence.frames, source)
                for (_, submission, source, _), embedding in zip(self.work, embeddings, strict=True)
            ]
            added = self.library.enroll(self.gallery, new, fingerprint=self.encoder.fingerprint)
            for (place, submission, _, ready), one in zip(self.work, added, strict=True):
                status = Status.REPEATED if one.repeated else Status.ENROLLED
                notes = (*submission.notes, *ready.notes)
                self.results[place] = Result(submission.name, submission.subject, status, one.template, notes=notes)
        done = [result for result in self.results if result is not None]
        self.results, self.work, self.frames = [], [], 0
        return done
