"""A table on a terminal and as a file."""

from pathlib import Path

from rich.console import Console

from training.evaluate.results import write_csv
from training.evaluate.show import plain_grid
from training.reproduce.table import Table


def show_table(console: Console, table: Table) -> None:
    """The paper's rows with ours below them, footnotes, and what the figures say."""
    grid = plain_grid(table.title, table.columns)
    for name, *cells in table.lines():
        grid.add_row(name, *cells, style="bold" if name == "  here" else "dim" if name == "  difference" else None)
    console.print(grid)
    for letter, text in table.notes():
        console.print(f"({letter}) {text}", style="yellow", highlight=False, soft_wrap=True)
    for line in table.conclusion:
        console.print(line, highlight=False, soft_wrap=True)


def write_table(table: Table, folder: Path) -> Path:
    """The table as FOLDER/<name>.csv, whole or not at all."""
    path = folder / f"{table.name}.csv"
    write_csv(path, table.csv_header(), table.csv_rows())
    return path
