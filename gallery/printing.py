"""How the commands answer: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gallery.decide import UNCALIBRATED
from gallery.metrics import decibels
from gallery.template import Candidate, Consent, Decision, Gallery, Outcome, Subject, Template, now

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

_STYLE = {Outcome.MATCH: "bold green", Outcome.NO_MATCH: "bold", Outcome.ABSTAIN: "yellow"}


def print_json(value: object) -> None:
    json.dump(plain(value), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def plain(value: object) -> Any:
    """A value of ours as what JSON can hold; embeddings are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        return {key: plain(held) for key, held in found.items() if not isinstance(held, np.ndarray)}
    if isinstance(value, Mapping):
        return {str(key): plain(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [plain(held) for held in value]
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value


def galleries_table(galleries: Sequence[Gallery]) -> Table:
    table = Table("gallery", "subjects", "templates", "bundle", "vault", "protected")
    for each in galleries:
        table.add_row(
            escape(each.name),
            str(each.subjects),
            str(each.templates),
            each.fingerprint[:12],
            vault_of(each),
            "yes" if each.protected else "no",
        )
    return table


def vault_of(gallery: Gallery) -> str:
    return "none" if gallery.vault_days is None else f"{gallery.vault_days} days"


def subjects_table(subjects: Sequence[Subject]) -> Table:
    table = Table("subject", "templates", "consent", "purpose", "expires", "hold", "enrolled")
    for each in subjects:
        consent = each.consent
        said = (consent.reference or "", consent.purpose or "", end_of(consent), each.hold or "")
        table.add_row(escape(each.id), str(each.templates), *map(escape, said), day(each.created))
    return table


def end_of(consent: Consent) -> str:
    return "never" if consent.expires is None else day(consent.expires)


def say_subject(subject: Subject) -> None:
    """Who it is, since when, on what ground, and what the caller keeps with it."""
    consent = subject.consent
    lines = [f"{subject.id} in gallery {subject.gallery}, enrolled {day(subject.created)}"]
    lines.append(f"consent: {consent.reference or 'none given'}; purpose: {consent.purpose or 'none given'}")
    over = consent.expires is not None and consent.expires <= now()
    lines.append(f"expires: {end_of(consent)}{', which is past: no answer names it' if over else ''}")
    if subject.hold is not None:
        lines.append(f"held, must not be erased: {subject.hold}")
    if subject.metadata:
        lines.append(f"metadata: {json.dumps(plain(subject.metadata), ensure_ascii=False)}")
    for line in lines:
        out.print(line, markup=False, soft_wrap=True)


def templates_table(templates: Sequence[Template]) -> Table:
    table = Table("template", "frames", "labels", "enrolled")
    for each in templates:
        labels = ", ".join(f"{key}={value}" for key, value in each.labels.items())
        table.add_row(str(each.id), str(each.frames), escape(labels), day(each.created))
    return table


def day(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def say_decision(decision: Decision, notes: Sequence[str], *, claimed: str | None = None) -> None:
    """A decision in words: who, how sure, and the candidates. claimed: of a verification, who it is said to be."""
    style = _STYLE[decision.outcome]
    out.print(f"[{style}]{decision.outcome}[/]{_who(decision, claimed)}", soft_wrap=True)
    for line in (*_why(decision, claimed), *(f"note: {note}" for note in notes)):
        out.print(line, markup=False, soft_wrap=True)
    if decision.candidates and claimed is None:
        out.print(_candidates_table(decision.candidates))


def _who(decision: Decision, claimed: str | None) -> str:
    if decision.outcome is Outcome.MATCH:
        return f": this is subject [bold]{escape(decision.subject or '')}[/]"
    if decision.outcome is Outcome.ABSTAIN:
        return f": {', '.join(decision.reasons)}"
    return ": nobody I know" if claimed is None else f": this is not subject [bold]{escape(claimed)}[/]"


def _why(decision: Decision, claimed: str | None) -> list[str]:
    lines = []
    if decision.score is not None:
        margin = "" if decision.margin is None else f", {decision.margin:.3f} above the next"
        people = "1 subject" if decision.searched == 1 else f"{decision.searched} subjects"
        lines.append(f"score {decision.score:.3f}{margin}" + (f"; {people} searched" if claimed is None else ""))
    if decision.likelihood is not None:
        lines.append(_likelihood(decision.likelihood))
    if decision.threshold is not None:
        kind = "false-positive" if claimed is None else "false-match"
        rate = "" if decision.fpir is None else f", for a {kind} rate of {decision.fpir:.3g}{_db(decision.fpir)}"
        basis = {"prior": "the bundle's calibration", "gallery": "this gallery's calibration"}
        lines.append(
            f"threshold {decision.threshold:.3f}{rate}; basis: {basis.get(decision.basis, 'given, not measured')}"
        )
    if decision.outcome is not Outcome.ABSTAIN and decision.reasons:
        lines.append(f"note: {', '.join(decision.reasons)}")
    if decision.seq is not None:
        lines.append(f"the gallery as of change {decision.seq}")
    if UNCALIBRATED in decision.reasons:
        lines.append("nothing says which score is enough: give --threshold, or use a bundle with a calibration")
    return lines


def _db(rate: float) -> str:
    return f" ({decibels(rate):.3g} dB)" if rate > 0 else ""


def _likelihood(log10: float) -> str:
    whom, other = ("the same person", "another") if log10 >= 0 else ("another person", "the same")
    times = float(f"{10 ** min(abs(log10), 9):.2g}")
    return f"such a score is {times:,g} times likelier for {whom} than for {other}"


def _candidates_table(candidates: Sequence[Candidate]) -> Table:
    table = Table("candidate", "score", "template")
    for each in candidates:
        table.add_row(escape(each.subject), f"{each.score:.3f}", str(each.template))
    return table
