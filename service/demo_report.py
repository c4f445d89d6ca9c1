"""What the demo prints: what was asked and answered, both kinds of error counted, and what the threshold rests on."""

import sys
from collections import Counter
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from service.demo import Answered, Verdict
from service.samples import Samples

CMU_NOTE = (
    "The CMU motion-capture skeletons were partly rebuilt on shared bodies, so matching them proves little about "
    "identification; they are here as movements of real people."
)
CMU_ACKNOWLEDGEMENT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
_STYLES = {Verdict.RIGHT: "green", Verdict.MISS: "yellow", Verdict.FALSE_ALARM: "bold red", Verdict.WRONG: "red"}


def summary(answered: list[Answered], where: str) -> dict[str, Any]:
    """All that was asked and answered, for programs."""
    asked = [
        {
            **{"file": each.sample.file, "gallery": each.sample.gallery, "labels": each.sample.labels},
            "truth": each.sample.action if each.sample.role == "action" else each.sample.subject,
            "verdict": each.verdict.value,
            "answer": each.answer,
        }
        for each in answered
    ]
    galleries = {gallery: counts(probes) for gallery, probes in _by_gallery(answered).items()}
    actions = Counter(each.verdict.value for each in answered if each.sample.role == "action")
    return {"address": where, "identify": galleries, "classify": dict(actions), "asked": asked}


def print_json(answered: list[Answered], where: str) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(summary(answered, where))) + b"\n")


def counts(probes: list[Answered]) -> dict[str, int]:
    """Both kinds of error, and what they are counted among."""
    strangers = [each for each in probes if each.sample.subject is None]
    enrolled = [each for each in probes if each.sample.subject is not None]
    return {
        "enrolled_asked": len(enrolled),
        "identified": _count(enrolled, Verdict.RIGHT),
        "missed": _count(enrolled, Verdict.MISS),
        "named_as_another": _count(enrolled, Verdict.FALSE_ALARM),
        "strangers_asked": len(strangers),
        "strangers_named": _count(strangers, Verdict.FALSE_ALARM),
    }


def print_report(samples: Samples, answered: list[Answered], console: Console) -> None:
    enrolled = [sample for _, sample in samples.of("enroll")]
    people = {(sample.gallery, sample.subject) for sample in enrolled}
    console.print(f"A service with fresh data enrolled {len(enrolled)} sequences of {len(people)} people over HTTP.\n")
    for gallery, probes in _by_gallery(answered).items():
        console.print(_probes_table(gallery, probes))
        console.print(_counted(probes))
        console.print(_basis(probes), style="dim")
        if any(each.sample.source == "cmu" for each in probes):
            console.print(CMU_NOTE, style="dim")
        console.print()
    actions = [each for each in answered if each.sample.role == "action"]
    if actions:
        console.print(_actions_table(actions))
        console.print(f"{_count(actions, Verdict.RIGHT)} of {len(actions)} actions named rightly")
    if any(each.sample.source == "cmu" for each in answered):
        console.print(f"\n{CMU_ACKNOWLEDGEMENT}", style="dim")


def _probes_table(gallery: str, probes: list[Answered]) -> Table:
    table = Table(title=f"POST /identify, gallery {gallery!r}", title_justify="left")
    for heading in ("who it is", "how", "answer", "score", "threshold", "margin", ""):
        table.add_column(heading, justify="right" if heading in ("score", "threshold", "margin") else "left")
    for each in sorted(probes, key=lambda each: (each.sample.subject is None, each.sample.source == "cmu")):
        answer = each.answer
        said = answer["subject"] or answer["outcome"] + _because(answer)
        numbers = (_number(answer[name]) for name in ("score", "threshold", "margin"))
        truth = each.sample.subject or "[italic]a stranger[/italic]"
        table.add_row(truth, _labels(each), said, *numbers, _styled(each.verdict))
    return table


def _actions_table(actions: list[Answered]) -> Table:
    table = Table(title="POST /classify", title_justify="left")
    for heading in ("what it is", "how", "answer", "probability", ""):
        table.add_column(heading, justify="right" if heading == "probability" else "left")
    for each in actions:
        probability = f"{each.answer['probability']:.2f}"
        table.add_row(each.sample.action, _labels(each), each.answer["action"], probability, _styled(each.verdict))
    return table


def _counted(probes: list[Answered]) -> str:
    found = counts(probes)
    return (
        f"enrolled: {found['identified']} of {found['enrolled_asked']} identified, {found['missed']} missed, "
        f"{found['named_as_another']} named as another (false alarm); "
        f"strangers: {found['strangers_named']} of {found['strangers_asked']} named (false alarm)"
    )


def _basis(probes: list[Answered]) -> str:
    """What the threshold rests on. It is the same for all probes of a gallery that were not abstained from."""
    held = next((each.answer for each in probes if each.answer["threshold"] is not None), None)
    if held is None:
        return "No threshold was used."
    if held["fpir"] is None:
        return f"Threshold {held['threshold']:.3f}: {held['basis']}."
    source = {"prior": "the bundle's own calibration", "gallery": "this gallery's calibration"}[held["basis"]]
    return (
        f"The threshold {held['threshold']:.3f} comes from {source} (basis: {held['basis']}), not from these probes: "
        f"it is meant to let {held['fpir']:.1%} of strangers be named among {held['searched']} subjects."
    )


def _by_gallery(answered: list[Answered]) -> dict[str, list[Answered]]:
    found: dict[str, list[Answered]] = {}
    for each in answered:
        if each.sample.role == "probe":
            found.setdefault(each.sample.gallery, []).append(each)
    return found


def _because(answer: dict[str, Any]) -> str:
    return f" ({', '.join(answer['reasons'])})" if answer["outcome"] == "abstain" else ""


def _labels(each: Answered) -> str:
    source = ["motion capture"] if each.sample.source == "cmu" else []
    return ", ".join([*source, *(_short(name, value) for name, value in each.sample.labels.items())])


_CONDITIONS = {"nm": "normal", "bg": "bag", "cl": "coat"}


def _short(label: str, value: str) -> str:
    """A label in so few letters that a row fits on one line of a terminal.

    >>> _short("condition", "bg"), _short("view", "054"), _short("shoes", "old")
    ('bag', '54°', 'shoes old')
    """
    if label == "view" and value.isdecimal():
        return f"{int(value)}°"
    return _CONDITIONS.get(value, value) if label == "condition" else f"{label} {value}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _styled(verdict: Verdict) -> str:
    return f"[{_STYLES[verdict]}]{verdict.value}[/]"


def _count(answered: list[Answered], verdict: Verdict) -> int:
    return sum(each.verdict is verdict for each in answered)
