"""Identify and verify sequences: the path from a skeleton to a decision, quality first."""

from collections.abc import Sequence
from dataclasses import dataclass

from gallery.decide import abstain
from gallery.enroll import Ready, make_ready
from gallery.library import Library
from gallery.template import Decision
from model.errors import UnusableSequence
from model.inference import embed
from model.runtime import Encoder
from model.sequence import SkeletonSequence


@dataclass(frozen=True, slots=True)
class Answer:
    """A decision, and what was changed to make the sequence fit the encoder, or is wrong with it."""

    decision: Decision
    notes: tuple[str, ...] = ()


def identify(
    library: Library,
    encoder: Encoder,
    gallery: str,
    sequences: Sequence[SkeletonSequence],
    *,
    top_k: int = 5,
    fpir: float | None = None,
    threshold: float | None = None,
    within: Sequence[str] | None = None,
    at_least: int | None = None,
) -> list[Answer]:
    """Who each sequence is. One that is not usable is not searched for: its decision abstains and says why.

    within: the subjects to search among. at_least: the change of the gallery that the answers must have seen.
    Raises what `Library.identify` raises, and `LayoutMismatch`.
    """
    examined = [_examine(sequence, encoder) for sequence in sequences]
    ready = [one for one in examined if isinstance(one, Ready)]
    if not ready:
        library.gallery(gallery)  # a gallery that is not there is not an abstention
    decisions = iter(
        library.identify(
            gallery,
            embed(encoder, [one.sequence for one in ready]),
            fingerprint=encoder.fingerprint,
            top_k=top_k,
            fpir=fpir,
            threshold=threshold,
            within=within,
            at_least=at_least,
        )
        if ready
        else ()
    )
    return [Answer(next(decisions), one.notes) if isinstance(one, Ready) else one for one in examined]


def verify(
    library: Library,
    encoder: Encoder,
    gallery: str,
    subject: str,
    sequence: SkeletonSequence,
    *,
    fmr: float | None = None,
    threshold: float | None = None,
    at_least: int | None = None,
) -> Answer:
    """Whether the sequence is `subject`, at a false-match rate. Raises what `Library.verify` raises."""
    library.subject(gallery, subject)
    ready = _examine(sequence, encoder)
    if isinstance(ready, Answer):
        return ready
    embedding = embed(encoder, [ready.sequence])[0]
    decision = library.verify(
        gallery, subject, embedding, fingerprint=encoder.fingerprint, fmr=fmr, threshold=threshold, at_least=at_least
    )
    return Answer(decision, ready.notes)


def _examine(sequence: SkeletonSequence, encoder: Encoder) -> Ready | Answer:
    try:
        return make_ready(sequence, encoder)
    except UnusableSequence as error:
        return Answer(abstain(error.reasons), tuple(filter(None, [error.detail])))
