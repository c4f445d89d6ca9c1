"""How pictures of reproduced figures look: the house's style, with titles that fit and labels that stay words."""

import re
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.evaluate.openset_style import new_figure

INK = "#1d2330"


def titled(title: str, caption: str, width: float, height: float) -> tuple[Figure, Any]:
    """A figure with one pair of axes, its title at the figure's own edge and in as many lines as it needs."""
    figure, axes = new_figure("", caption, width=width, height=height)
    head(figure, title)
    return figure, axes


def head(figure: Figure, title: str) -> None:
    figure.suptitle(_fitted(figure, title), fontsize=12, fontweight="bold", x=0.01, ha="left")


def _fitted(figure: Figure, title: str) -> str:
    return "\n".join(wrap(title, int(10.5 * figure.get_figwidth())))


def write_cells(axes: Any, per_cent: NDArray[np.float64], dark_from: float, size: float = 8.0) -> None:
    """The cells' figures, whole; nothing where there is nothing. Above `dark_from` a cell is written on in white."""
    for (row, column), value in np.ndenumerate(per_cent):
        if not np.isnan(value) and value >= 0.5:
            colour = "white" if value >= dark_from else INK
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour, fontsize=size)


def shortened(text: str, most: int = 26) -> str:
    """A label short enough for an axis, without the number that NTU's classes carry.

    >>> shortened("A031 pointing to something with finger"), shortened("A011 reading"), shortened("A1 run")
    ('pointing to something wit…', 'reading', 'A1 run')
    """
    text = without_number(text)
    # Between dollars matplotlib would read a formula.
    return (text if len(text) <= most else f"{text[: most - 1].rstrip()}…").replace("$", r"\$")


def without_number(label: str) -> str:
    return re.sub(r"^A\d{3} ", "", label)


def head_legend(figure: Figure, title: str, *, columns: int = 3) -> None:
    """The picture's title with its legend right below it, above all panels; each name once."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, name in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(name, handle)
    figure.legend(
        list(named.values()), list(named), loc="outside upper left", ncols=columns, frameon=False, fontsize=9,
        title=_fitted(figure, title), title_fontproperties={"size": 12, "weight": "bold"}, alignment="left",
    )  # fmt: skip
