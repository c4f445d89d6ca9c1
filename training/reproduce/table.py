"""A table with the paper's rows and ours, whatever it is shown as. All in %, unless a column says otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

Value = float | None
SIMULATED = "simulated data"
"""The mark of a figure that is compared with nothing."""


@dataclass(frozen=True, slots=True)
class Ours:
    """One figure of ours. values: of each seed, in %. marks: what keeps it from being compared, in words."""

    values: Mapping[int, float]
    marks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.values, "a figure that was not measured is None"

    @property
    def mean(self) -> float:
        return fmean(self.values.values())

    @property
    def sd(self) -> Value:
        """Standard deviation over seeds (n - 1); None of one seed.

        >>> Ours({1: 90.0, 2: 92.0}).sd == 2 ** 0.5, Ours({1: 90.0}).sd
        (True, None)
        """
        return stdev(self.values.values()) if len(self.values) > 1 else None


@dataclass(frozen=True, slots=True)
class Row:
    """A method. paper, ours: a value a column; ours is empty where the method is none that is trained here, and holds
    None for a figure that has not been measured."""

    name: str
    paper: tuple[Value, ...]
    ours: tuple[Ours | None, ...] = ()
    publication: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """name: as "table-8". comparable: ours are on the paper's data; else no difference is given.
    conclusion: what the figures say, line by line. digits: decimals of each column."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    comparable: bool = True
    conclusion: tuple[str, ...] = ()
    digits: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row.paper) == len(self.columns), f"{self.name}: {row.name} has a figure for each column"
            assert len(row.ours) in (0, len(self.columns)), f"{self.name}: {row.name} has ours for each column"

    @property
    def _cells(self) -> list[Ours]:
        return [cell for row in self.rows for cell in row.ours if cell]

    @property
    def shared(self) -> tuple[str, ...]:
        """Marks that every figure of ours carries: said once, not beside each."""
        cells = self._cells
        return tuple(mark for mark in cells[0].marks if all(mark in cell.marks for cell in cells)) if cells else ()

    @property
    def marks(self) -> tuple[str, ...]:
        """Every other mark once, in the order of the cells."""
        found = dict.fromkeys(mark for cell in self._cells for mark in cell.marks)
        return tuple(mark for mark in found if mark not in self.shared)

    def signs(self, ours: Ours) -> str:
        """The marks of a cell as footnote letters, as "a,c"."""
        return ",".join(_letter(self.marks.index(mark)) for mark in ours.marks if mark in self.marks)

    def notes(self) -> tuple[tuple[str, str], ...]:
        """Footnotes: letter, or "all", and text."""
        lettered = ((_letter(i), mark) for i, mark in enumerate(self.marks))
        return (*(("all", mark) for mark in self.shared), *lettered)

    def decimals(self, column: int) -> int:
        return self.digits[column] if self.digits else 1

    def number(self, value: Value, column: int) -> str:
        """A figure of a column as text; a dash where there is none."""
        return "-" if value is None else f"{value:.{self.decimals(column)}f}"

    def measured(self, row: Row, column: int) -> str:
        """Ours as text: mean, standard deviation over seeds and footnote letters; a dash where there is none."""
        cell = row.ours[column] if row.ours else None
        if cell is None:
            return "-"
        spread = "" if cell.sd is None else f" ± {cell.sd:.{self.decimals(column)}f}"
        signs = self.signs(cell)
        return f"{self.number(cell.mean, column)}{spread}{f' ({signs})' if signs else ''}"

    def difference(self, row: Row, column: int) -> Value:
        """Ours minus the paper's; None where one is missing or the two are of different data."""
        cell, paper = (row.ours[column] if row.ours else None), row.paper[column]
        if not self.comparable or cell is None or paper is None or SIMULATED in cell.marks:
            return None
        return cell.mean - paper

    def signed(self, row: Row, column: int) -> str:
        """The difference as text, with its sign; a dash where there is none."""
        value = self.difference(row, column)
        return "-" if value is None else f"{value:+.{self.decimals(column)}f}"

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Rows of text as they are printed: name, then a cell a column; ours below the paper's, if it has this row."""
        for row in self.rows:
            label = f"{row.name}, {row.publication}" if row.publication else row.name
            if row.ours and not any(value is not None for value in row.paper):
                yield label, *(self.measured(row, i) for i in range(len(self.columns)))
                continue
            yield label, *(self.number(value, i) for i, value in enumerate(row.paper))
            if row.ours:
                yield "  here", *(self.measured(row, i) for i in range(len(self.columns)))
                if self.comparable:
                    yield "  difference", *(self.signed(row, i) for i in range(len(self.columns)))

    def csv_header(self) -> tuple[str, ...]:
        parts = ("paper", "ours", "sd", "seeds", "difference", "marks")
        return "method", "publication", *(f"{column} {part}" for column in self.columns for part in parts)

    def csv_rows(self) -> Iterator[tuple[str, ...]]:
        """A row a method; empty cells for what is not known."""
        for row in self.rows:
            cells = [text for i in range(len(self.columns)) for text in self._csv_cells(row, i)]
            yield row.name, row.publication, *cells

    def _csv_cells(self, row: Row, column: int) -> tuple[str, ...]:
        cell = row.ours[column] if row.ours else None
        difference = self.difference(row, column)
        if cell is None:
            return _text(row.paper[column]), "", "", "", "", ""
        seeds = " ".join(str(seed) for seed in sorted(cell.values))
        ours = (_text(cell.mean), _text(cell.sd), seeds, _text(difference), "; ".join(cell.marks))
        return _text(row.paper[column]), *ours

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs; of ours every seed's value."""
        rows = [{**asdict(row), "ours": [_cell_json(cell) for cell in row.ours]} for row in self.rows]
        for made, row in zip(rows, self.rows, strict=True):
            made["difference"] = [self.difference(row, i) for i in range(len(self.columns))]
        return {
            "name": self.name, "title": self.title, "columns": list(self.columns), "comparable": self.comparable,
            "rows": rows, "conclusion": list(self.conclusion),
        }  # fmt: skip


def _cell_json(cell: Ours | None) -> dict[str, Any] | None:
    if cell is None:
        return None
    values = {str(seed): value for seed, value in sorted(cell.values.items())}
    return {"mean": cell.mean, "sd": cell.sd, "values": values, "marks": list(cell.marks)}


def _text(value: Value) -> str:
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")


def _letter(index: int) -> str:
    """Footnote letters: a to z, then aa, ab.

    >>> _letter(0), _letter(25), _letter(26)
    ('a', 'z', 'aa')
    """
    prefix = _letter(index // 26 - 1) if index >= 26 else ""
    return prefix + chr(ord("a") + index % 26)
