"""The HTML report of a command: one file with tables, pictures and CSV in it, that needs nothing beside it."""

import base64
import csv
import io
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gallery import page
from training.evaluate.results import write_text
from training.reproduce.made import Made, Picture
from training.reproduce.report import Report
from training.reproduce.table import Table

DPI = 110
_SOURCE = (
    "Every figure of ours comes from the report that a run's test has left; what was not tested has a dash. The "
    "paper's are those printed in arXiv 2601.16694."
)


def write_page(made: Made, folder: Path) -> Path:
    """FOLDER/<name>.html with everything in it, and its pictures beside it as PNG; each file whole or not at all."""
    pictures = [(picture, png(picture.figure)) for picture in made.pictures]
    for picture, content in pictures:
        _write_bytes(folder / f"{picture.name}.png", content)
    path = folder / f"{made.name}.html"
    write_text(path, report_page(made, pictures))
    return path


def report_page(made: Made, pictures: Iterable[tuple[Picture, bytes]]) -> str:
    """The page as text. pictures: each with its PNG."""
    parts = [page.key_points(said)] if (said := [line for table in made.tables for line in table.conclusion]) else []
    if made.reports and all(report.data.simulated for report in made.reports):
        parts.append(page.paragraph("Simulated data: these figures show that the path works, and nothing else.", "bad"))
    if not made.reports:
        parts.append(page.paragraph("Nothing has been trained and tested yet: there is nothing of ours here.", "bad"))
    for table in made.tables:
        parts += [page.heading(table.title)] * (table.title != made.title)
        parts += _table_parts(table)
    parts += [_shown(picture, content) for picture, content in pictures]
    if made.remark:
        parts += [page.heading("The paper's side"), page.paragraph(made.remark)]
    if made.reports:
        parts += [page.heading("Runs"), page.table(RUN_COLUMNS, run_rows(made.reports))]
        parts.append(page.paragraph(_RUNS_SAID, "soft"))
    return page.page(made.title, _SOURCE, parts)


def png(figure: Figure) -> bytes:
    file = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(file, dpi=DPI, format="png")
    return file.getvalue()


def _shown(picture: Picture, content: bytes) -> str:
    """The picture has its title in itself; who cannot see it is told."""
    return page.picture(content, f"{picture.title}. {picture.caption}".removesuffix(". "))


def _write_bytes(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _table_parts(table: Table) -> Iterator[str]:
    yield _html_table(table)
    if _has_ours(table):
        yield page.paragraph("here: mean over the seeds ± their standard deviation.", "soft")
    for letter, text in table.notes():
        yield page.paragraph(f"({letter}) {text}", "soft")
    yield _csv_link(table)


def _html_table(table: Table) -> str:
    """Each method's row, below it ours in bold and how far it is from the paper's."""
    head = "".join(f"<th scope='col'>{escape(column)}</th>" for column in ("", *table.columns))
    body = "".join(_html_row(*line) for line in table.lines())
    # No caption in the table: on a narrow screen it would scroll away with it.
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _html_row(name: str, *cells: str) -> str:
    kind = {"  here": " style='font-weight:600'", "  difference": " class='soft'"}.get(name, "")
    indent = " style='padding-left:1.6rem'" if name.startswith(" ") else ""
    text = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr{kind}><td{indent}>{escape(name.strip())}</td>{text}</tr>"


def _has_ours(table: Table) -> bool:
    return any(cell for row in table.rows for cell in row.ours)


def _csv_link(table: Table) -> str:
    """A link that carries the table itself, and so goes wherever the page goes."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.csv_header(), *table.csv_rows()])
    data = base64.b64encode(text.getvalue().encode()).decode()
    name = escape(f"{table.name}.csv", quote=True)
    return (
        f"<p class='soft'><a style='color:inherit' download='{name}' href='data:text/csv;base64,{data}'>{name}</a></p>"
    )


RUN_COLUMNS = ("run", "seed", "score %", "training set %", "weights", "commit", "tested")
_RUNS_SAID = (
    "score: accuracy, or mean rank-1; training set: share of the training recordings named right by the kept network, "
    "which must reach 80 % before a comparison says anything; weights: first digits of their SHA-256."
)


def run_rows(reports: Iterable[Report]) -> Iterator[tuple[str, ...]]:
    """One row a run, as `RUN_COLUMNS`."""
    for report in reports:
        fitted = "-" if report.train_accuracy is None else f"{100 * report.train_accuracy:.1f}"
        yield (
            f"{report.recipe}, {report.variant}", str(report.seed), f"{100 * report.score:.1f}", fitted,
            report.weights[:10], (report.commit or "-")[:10], report.made[:10],
        )  # fmt: skip
