"""What a command of `gaitkeeper reproduce` made: tables, pictures, and the reports that both rest on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rich.console import Console

from training.reproduce.choices import Choices
from training.reproduce.report import Report
from training.reproduce.table import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Picture:
    """name: of its file, without suffix. title: above it; caption: what is to be seen, below it."""

    name: str
    title: str
    figure: "Figure"
    caption: str = ""


@dataclass(frozen=True, eq=False)
class Made:
    """name: as "table-8". reports: of the runs that were used, by (recipe, variant, seed).
    remark: what to know of the paper's side."""

    name: str
    title: str
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    reports: tuple[Report, ...] = ()
    remark: str = ""


Maker: TypeAlias = Callable[[Choices, Console], Made]
"""Trains and tests what it needs, telling the console, and returns what came of it."""
