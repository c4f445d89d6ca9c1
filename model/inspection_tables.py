"""How `gaitkeeper inspect`, `convert` and `bundle` answer people."""

from collections import Counter
from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from model.conversion import Conversion
from model.inspection import Inspection, Judged, Way
from model.quality import IN_WORDS, Reason
from model.readers.source import printable
from model.sequence import SkeletonSequence

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

OF_THE_FILE = (Reason.FPS_UNKNOWN, Reason.NORMALISED_WITHOUT_ASPECT)
"""Advice that `Inspection.warnings` gives once for the file."""
MOST_ROWS = 40
"""A table of more tracks says less than its sums."""


def said(text: str) -> str:
    """Text out of a file, as it may be printed."""
    return escape(printable(text))


def tables_of(inspection: Inspection) -> Iterator[RenderableType]:
    """Everything there is to say about a file, in order."""
    recording, judged = inspection.recording, inspection.judged
    several = f"{len(judged)} tracks, {inspection.usable} usable" if len(judged) > 1 else "1 track"
    yield f"[bold]{said(recording.source)}[/]: {recording.format}, {several}"
    yield "; ".join(dict.fromkeys(_kind(each.track.sequence) for each in judged))
    yield _tracks(judged)
    if len(judged) > MOST_ROWS:
        yield f"... and {len(judged) - MOST_ROWS} more; --json lists all, --track NAME shows one"
    yield from _what_to_do(judged)
    yield from (f"[yellow]warning:[/] {said(warning)}" for warning in inspection.warnings)
    yield from (f"[dim]note:[/] {said(note)}" for note in recording.notes)
    layout = judged[0].track.sequence.layout.name
    yield f"{layout} can be converted to, with joints made from others, lacking or dropped:"
    yield _ways(inspection.ways)


def _kind(sequence: SkeletonSequence) -> str:
    aspect = "" if sequence.aspect is None else f" of an image {sequence.aspect:.3g}:1"
    return f"{sequence.layout.name}, {sequence.dims}-D, {sequence.units}{aspect}, {sequence.fps:g} frames a second"


def _tracks(judged: tuple[Judged, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("track", overflow="fold", min_width=min(20, max(len(each.track.name) for each in judged)))
    for name in ("frames", "seconds", "confidence", "steps/s"):
        table.add_column(name, justify="right")
    table.add_column("usable")
    table.add_column("why", overflow="fold")
    for each in judged[:MOST_ROWS]:
        sequence, measures = each.track.sequence, each.quality.measures
        walks = Reason.NOT_WALKING not in each.quality.advice
        step = measures.get("step_frequency_hz", 0.0) if walks else 0.0
        why = [f"[red]{reason}[/]" for reason in each.quality.reasons]
        why += [f"[yellow]{reason}[/]" for reason in each.quality.advice]
        table.add_row(
            said(each.track.name),
            str(sequence.frames),
            f"{sequence.seconds:.1f}",
            f"{measures['mean_confidence']:.2f}",
            f"{step:.2f}" if step else "-",
            "[green]yes[/]" if each.quality.usable else "[red]no[/]",
            ", ".join(why) or "-",
        )
    return table


def _what_to_do(judged: tuple[Judged, ...]) -> Iterator[str]:
    """Each reason once, in words, with the number of tracks that have it; but for what the warnings say."""
    for colour, lists in (
        ("red", [each.quality.reasons for each in judged]),
        ("yellow", [each.quality.advice for each in judged]),
    ):
        counts = Counter(reason for reasons in lists for reason in reasons)
        for reason in (reason for reason in Reason if counts[reason] and reason not in OF_THE_FILE):
            times = f" ({counts[reason]} tracks)" if len(judged) > 1 else ""
            yield f"[{colour}]{reason}[/]{times}: {IN_WORDS[reason]}"


def _ways(ways: tuple[Way, ...]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for way in ways:
        parts = [f"makes {_names(way.interpolated)}"] if way.interpolated else []
        parts += [f"lacks {_names(way.missing)}"] if way.missing else []
        parts += [f"drops {_names(way.dropped)}"] if way.dropped else []
        table.add_row(f"  {way.layout}", "; ".join(parts) or "nothing is lost")
    return table


def _names(names: tuple[str, ...], most: int = 3) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def conversion_lines(conversion: Conversion) -> Iterator[str]:
    """What became of the joints, one line a kind."""
    for word, names, meaning in (
        ("interpolated", conversion.interpolated, "made from others"),
        ("missing", conversion.missing, "cannot be had, confidence 0"),
        ("dropped", conversion.dropped, "not in the new layout"),
    ):
        if names:
            yield f"{word} ({meaning}): {', '.join(names)}"
