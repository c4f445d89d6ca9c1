"""How good a sequence is, as the service tells it."""

import msgspec

from model.quality import Quality as Judged


class Quality(msgspec.Struct, frozen=True):
    """usable: whether an answer can rest on the sequence. reasons: why it cannot. advice: what would make the answer
    better. Both are machine-readable words; measures are what they were judged by."""

    usable: bool
    reasons: list[str]
    advice: list[str]
    measures: dict[str, float]


def quality(judged: Judged) -> Quality:
    measures = {name: round(float(value), 4) for name, value in judged.measures.items()}
    reasons, advice = ([str(word) for word in words] for words in (judged.reasons, judged.advice))
    return Quality(judged.usable, reasons, advice, measures)
