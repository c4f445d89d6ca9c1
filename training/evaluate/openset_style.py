"""How pictures of an open-set evaluation look."""

from textwrap import wrap
from typing import Any

from matplotlib.figure import Figure

# Okabe and Ito: told apart with any kind of colour vision, and in grey by their lightness.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6b7280"
MARKS = ("o", "s", "^")


def new_figure(title: str, caption: str, width: float = 7.2, height: float = 5.0) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    dress(axes)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    write_caption(figure, caption)
    return figure, axes


def write_caption(figure: Figure, caption: str) -> None:
    """Data, people and searches below the picture, in as many lines as they need."""
    lines = wrap(caption, int(16.5 * figure.get_figwidth()))
    figure.supxlabel("\n".join(lines), fontsize=7.5, color=GREY, x=0.01, ha="left")


def dress(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
