"""Every error a caller can cause or meet, in one tree that is one level deep.

    GaitkeeperError
    ├── UnknownLayout        a layout name nobody knows
    ├── InvalidSequence      arrays that are not a skeleton sequence
    ├── LayoutMismatch       a layout that cannot become the one asked for
    ├── UnreadableFile       a file that no reader understands, or a broken one
    ├── UnusableSequence     a valid sequence that fails the quality checks
    ├── SeveralTracks        several people where one is expected
    ├── LimitExceeded        larger than allowed
    ├── InvalidRequest       a request that says something it must not
    ├── InvalidBundle        a bundle that is damaged, incomplete or foreign
    ├── BundleMismatch       embeddings of different bundles were to be compared
    ├── ModelMissing         the bundle holds no model for this task
    ├── UnknownGallery       no such gallery
    ├── GalleryExists        a gallery of that name is there already
    ├── EmptyGallery         nothing to compare with
    ├── UnknownSubject       no such subject
    ├── UnknownTemplate      no such template
    ├── SubjectExists        a subject of that id is there already
    ├── SubjectHeld          a hold forbids to erase or purge the subject
    ├── DuplicateSubject     whoever is to be enrolled is there under another id, it seems
    ├── NotCurrent           a change was demanded that this process has not seen
    ├── StoreUnavailable     the store cannot be read or written now
    ├── KeyUnavailable       the key that something is sealed under is not to be had
    ├── InvalidArchive       a snapshot, archive, receipt or journal that is damaged, foreign or forged
    ├── Overloaded           too much is waiting; come back later
    ├── RateExceeded         a caller asks more often than its key may
    ├── DeadlineExceeded     no answer within the time that was given
    ├── UnknownCaller        no key, or one that is not, or no longer, good
    ├── NotAllowed           a good key that may not do this
    ├── UnknownResource      no such key, job, stream, webhook or report
    ├── Conflict             what is there now does not allow this
    ├── OutOfDate            it was changed since the caller looked
    ├── InvalidRecipe        a training recipe with unknown or wrong keys
    ├── InvalidDataSet       a data set that is not what it says
    └── ExportRejected       the exported model does not equal the trained one

The tree knows nothing of HTTP or of exit codes: `service/errors.py` has the table of statuses, and the
command line answers every one of them with one line on stderr and exit status 2.
"""

from collections.abc import Sequence


class GaitkeeperError(Exception):
    """Base of all errors that are somebody's to mend; the message says what to do."""


class UnknownLayout(GaitkeeperError):
    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown layout {name!r}; known are {', '.join(known)}")
        self.name, self.known = name, tuple(known)


class InvalidSequence(GaitkeeperError):
    """`field` names what is wrong (`joints`, `confidence`, `fps`, ...), `reason` says how."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class LayoutMismatch(GaitkeeperError):
    def __init__(self, expected: str, got: str, reason: str = "") -> None:
        super().__init__(f"expected layout {expected!r}, got {got!r}" + (f": {reason}" if reason else ""))
        self.expected, self.got, self.reason = expected, got, reason


class UnreadableFile(GaitkeeperError):
    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"cannot read {source}: {reason}")
        self.source, self.reason = source, reason


class UnusableSequence(GaitkeeperError):
    """`reasons` are the machine-readable words of `model.quality.Reason`."""

    def __init__(self, reasons: Sequence[str], detail: str = "") -> None:
        super().__init__(f"not usable: {', '.join(reasons)}" + (f" ({detail})" if detail else ""))
        self.reasons, self.detail = tuple(reasons), detail


class SeveralTracks(GaitkeeperError):
    def __init__(self, source: str, tracks: Sequence[str]) -> None:
        super().__init__(
            f"{source} holds {len(tracks)} people ({', '.join(tracks[:8])}) where one is expected; "
            "choose one track (--track)"
        )
        self.source, self.tracks = source, tuple(tracks)


class LimitExceeded(GaitkeeperError):
    def __init__(self, field: str, limit: float, got: float) -> None:
        super().__init__(f"{field}: at most {_whole(limit)}, got {_whole(got)}")
        self.field, self.limit, self.got = field, limit, got


def _whole(number: float) -> str:
    """Bytes and frames with all their digits: nobody sets a limit to 4.1943e+06."""
    if abs(number) < 1e15 and number == int(number):
        return str(int(number))
    return f"{min(number, 1e300):g}"  # an integer of 400 digits is no float


class InvalidRequest(GaitkeeperError):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class InvalidBundle(GaitkeeperError):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"bundle {path}: {reason}")
        self.path, self.reason = path, reason


class BundleMismatch(GaitkeeperError):
    def __init__(self, gallery: str, expected: str, got: str) -> None:
        super().__init__(
            f"gallery {gallery!r} was made with bundle {expected[:12]}, not {got[:12]}; "
            "embeddings of different bundles are never compared: "
            "name the bundle it was made with, or enroll into another gallery"
        )
        self.gallery, self.expected, self.got = gallery, expected, got


class ModelMissing(GaitkeeperError):
    def __init__(self, bundle: str, task: str) -> None:
        super().__init__(f"bundle {bundle} holds no {task}")
        self.bundle, self.task = bundle, task


class UnknownGallery(GaitkeeperError):
    def __init__(self, name: str) -> None:
        super().__init__(f"no gallery {name!r}; `gaitkeeper gallery list` shows those there are")
        self.name = name


class GalleryExists(GaitkeeperError):
    def __init__(self, name: str) -> None:
        super().__init__(f"gallery {name!r} exists already")
        self.name = name


class EmptyGallery(GaitkeeperError):
    def __init__(self, name: str) -> None:
        super().__init__(f"gallery {name!r} holds no templates; enroll somebody first")
        self.name = name


class UnknownSubject(GaitkeeperError):
    def __init__(self, gallery: str, subject: str) -> None:
        super().__init__(f"no subject {subject!r} in gallery {gallery!r}")
        self.gallery, self.subject = gallery, subject


class UnknownTemplate(GaitkeeperError):
    def __init__(self, gallery: str, template: str) -> None:
        super().__init__(f"no template {template!r} in gallery {gallery!r}")
        self.gallery, self.template = gallery, template


class SubjectExists(GaitkeeperError):
    def __init__(self, gallery: str, subject: str) -> None:
        super().__init__(f"subject {subject!r} is in gallery {gallery!r} already; merge the two, or choose another id")
        self.gallery, self.subject = gallery, subject


class SubjectHeld(GaitkeeperError):
    def __init__(self, gallery: str, subject: str, reason: str) -> None:
        super().__init__(f"subject {subject!r} of gallery {gallery!r} is held ({reason}); release the hold first")
        self.gallery, self.subject, self.reason = gallery, subject, reason


class DuplicateSubject(GaitkeeperError):
    """`candidate` is who the new template of `subject` looks like, with a cosine of `score`."""

    def __init__(self, subject: str, candidate: str, score: float) -> None:
        super().__init__(
            f"{subject!r} looks like {candidate!r} who is enrolled already (score {score:.3f}); "
            "enroll under that id, or force it if they are two people"
        )
        self.subject, self.candidate, self.score = subject, candidate, score


class NotCurrent(GaitkeeperError):
    def __init__(self, gallery: str, demanded: int, seen: int) -> None:
        super().__init__(f"gallery {gallery!r} is at change {seen} here, {demanded} was demanded; try again")
        self.gallery, self.demanded, self.seen = gallery, demanded, seen


class StoreUnavailable(GaitkeeperError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"the store cannot be used: {reason}")
        self.reason = reason


class KeyUnavailable(GaitkeeperError):
    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"key {key}: {reason}")
        self.key, self.reason = key, reason


class InvalidArchive(GaitkeeperError):
    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source, self.reason = source, reason


class Overloaded(GaitkeeperError):
    def __init__(self, retry_after_s: float, what: str = "too many requests are waiting") -> None:
        super().__init__(f"{what}; try again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class RateExceeded(GaitkeeperError):
    def __init__(self, rate: int, retry_after_s: float) -> None:
        super().__init__(f"this key may ask {rate} times a minute; try again in {retry_after_s:g} s")
        self.limit, self.retry_after_s = rate, retry_after_s


class DeadlineExceeded(GaitkeeperError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s; what was asked is not done")
        self.limit = seconds


class UnknownCaller(GaitkeeperError):
    """`reason` never says whether a key of that id exists."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotAllowed(GaitkeeperError):
    """`needed`: the scopes of which one would do."""

    def __init__(self, needed: Sequence[str], reason: str = "") -> None:
        super().__init__(reason or f"this key may not: it needs the scope {' or '.join(needed)}")
        self.needed = tuple(needed)


class UnknownResource(GaitkeeperError):
    """`kind` is a word such as `job`."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"no such {kind}: {name!r}")
        self.kind, self.name = kind, name


class Conflict(GaitkeeperError):
    """`retry_after_s`: after how long it may be otherwise, where waiting helps."""

    def __init__(self, field: str, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason, self.retry_after_s = field, reason, retry_after_s


class OutOfDate(GaitkeeperError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was changed since; get it again, and then decide")
        self.what = what


class InvalidRecipe(GaitkeeperError):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"recipe {path}: {reason}")
        self.path, self.reason = path, reason


class InvalidDataSet(GaitkeeperError):
    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"data set {path}: {reason}")
        self.path, self.reason = path, reason


class ExportRejected(GaitkeeperError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"export refused: {reason}")
        self.reason = reason
