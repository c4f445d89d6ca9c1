"""Results of `evaluate actions` as they are printed: what was tested on, classes worst first, what was hidden."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table as Grid

from training.data.report import Report
from training.evaluate.action_result import ActionResult
from training.evaluate.show import per_cent, plain_grid, show_left_out
from training.protocols.actions import Chosen, Figure

SHOWN_CLASSES = 40
SHOWN_UNKNOWN = 5


def count_line(name: str, count: int, expected: int | None, whole: int) -> str:
    """How many recordings are tested on, how many there should be, and of how many they are.

    >>> count_line("utd-mhad", 430, 430, 861)
    'utd-mhad: 430 recordings, as it should have; the data set holds 861'
    >>> count_line("ntu60-xsub", 400, 16487, 400)
    'ntu60-xsub: 400 recordings; it should have 16,487 (16,087 are missing)'
    """
    line = f"{name}: {count:,} recordings"
    if expected == count:
        line += ", as it should have"
    elif expected is not None:
        differ = f"{expected - count:,} are missing" if expected > count else f"{count - expected:,} too many"
        line += f"; it should have {expected:,} ({differ})"
    return line + (f"; the data set holds {whole:,}" if whole > count else "")


def show_source(console: Console, chosen: Chosen, report: Report) -> None:
    """What is tested on, and what the data set's files had besides."""
    count = len(chosen.data)
    lines = [count_line(chosen.name, count, chosen.expected, chosen.whole)]
    lines += [
        f"not in the set: {left:,}, {reason} ({', '.join(names)}{', ...' if left > len(names) else ''})"
        for reason, (left, names) in report.left_out.items()
    ]
    lines += [f"problem of the set: {problem}" for problem in report.problems]
    for number, line in enumerate(lines):
        fine = number == 0 and chosen.expected in (None, count)
        _say(console, line, style="" if fine else "yellow")


def show_actions(console: Console, result: ActionResult, title: str, figure: Figure = "top-1") -> None:
    """One row a class, worst first; then the figures, that of the papers first."""
    console.print(_classes(result, title))
    interval, chance = result.interval(), 1 / len(result.labels)
    drawn = "people" if result.people and (result.groups == result.subject).all() else "what was recorded together"
    between = f"95 %: {per_cent(interval.low)}-{per_cent(interval.high)}, {drawn} drawn again"
    top1 = f"accuracy {per_cent(result.accuracy)} % ({between})"
    mean = f"mean over classes {per_cent(result.mean_by_class)} %"
    figures = [top1, mean] if figure == "top-1" else [mean, top1]
    if len(result.labels) > 5:
        figures.append(f"top-5 {per_cent(result.top(5))} %")
    _say(console, f"{'; '.join(figures)}; chance {per_cent(chance)} %")
    for note in result.notes:
        _say(console, f"note: {note}")
    _show_unknown(console, result.unknown)
    show_left_out(console, result.left_out)


def _classes(result: ActionResult, title: str) -> Grid:
    """A row a class; of many classes the worst."""
    rows = sorted(result.by_class().items(), key=lambda item: item[1][0])
    more = len(rows) - SHOWN_CLASSES
    caption = f"and {more} classes that are better recognised: classes.csv has them all" if more > 0 else None
    grid = plain_grid(title, ("correct, %", "of", "people", "mostly taken for"), caption=caption)
    confusion = result.confusion
    for label, (share, count, people) in rows[:SHOWN_CLASSES]:
        row = confusion[result.labels.index(label)].copy()
        row[result.labels.index(label)] = 0
        other = result.labels[int(row.argmax())] if row.any() else ""
        grid.add_row(cut(label), per_cent(share), str(count), str(people or "-"), cut(other))
    grid.add_row("all", per_cent(result.accuracy), str(len(result.true)), str(result.people or "-"))
    return grid


def cut(label: str, most: int = 28) -> str:
    """A name that leaves room for figures on a line of 80 letters.

    >>> cut("A048 nausea or vomiting condition"), cut("walk")
    ('A048 nausea or vomiting con…', 'walk')
    """
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _show_unknown(console: Console, unknown: Mapping[str, int]) -> None:
    """Labels that the classifier does not have: a few by name, the rest by number."""
    shown = list(unknown.items())[:SHOWN_UNKNOWN]
    for label, count in shown:
        _say(console, f"left out: {count} recordings of {label!r}, which the classifier does not know", style="yellow")
    if more := len(unknown) - len(shown):
        rest = sum(unknown.values()) - sum(count for _, count in shown)
        _say(console, f"left out: {rest} recordings of {more} other classes that it does not know", style="yellow")


def show_occlusion(console: Console, whole: ActionResult, hidden: Mapping[str, ActionResult], title: str) -> None:
    """One row a thing that is hidden, with what it costs."""
    grid = plain_grid(title, ("accuracy, %", "lost", "mean of classes, %"))
    grid.add_row("nothing hidden", per_cent(whole.accuracy), "", per_cent(whole.mean_by_class))
    for name, result in hidden.items():
        lost = f"{100 * (whole.accuracy - result.accuracy):.1f}"
        grid.add_row(name, per_cent(result.accuracy), lost, per_cent(result.mean_by_class))
    console.print(grid)


def _say(console: Console, line: str, *, style: str = "") -> None:
    """A line as it is: names of files and classes are no markup."""
    console.print(line, style=style or None, markup=False, highlight=False)
