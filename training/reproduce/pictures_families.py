"""Fig. 3: Motion Families as graphs: an anchor amid its family with their skeletons, and all families at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch
from matplotlib.path import Path as Route
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

from training.evaluate.openset_style import BLUE, GREY, ORANGE, write_caption
from training.reproduce.picture_style import INK, head, shortened
from training.reproduce.skeletons import COLOURS, Pose, draw_pose

MOST_MEMBERS = 12
_SIDE = 0.5


@dataclass(frozen=True, eq=False)
class Member:
    """A class of a family. similarity: w of Eq. 5 between the anchor and it. direct: whether the anchor's class is
    confused with it, or only shares confusions. pose: None where no recording of it was tested."""

    label: str
    pose: Pose | None
    similarity: float = 1.0
    direct: bool = True


def family_picture(anchor: Member, members: Sequence[Member], title: str, caption: str) -> Figure:
    """The anchor in the middle, its family around it by affinity similarity; at most `MOST_MEMBERS` of them."""
    shown = sorted(members, key=lambda member: (-member.similarity, member.label))[:MOST_MEMBERS]
    figure = Figure(figsize=(6.8, 7.0), layout="constrained")
    axes = figure.subplots()
    axes.set_aspect("equal")
    axes.axis("off")
    head(figure, title)
    strongest = max((member.similarity for member in shown), default=1.0)
    for member, place in zip(shown, _around(len(shown)), strict=True):
        colour, line = (BLUE, "-") if member.direct else (ORANGE, (0, (4, 2)))
        axes.plot(
            *np.array([[0.0, 0.0], place]).T, color=colour, linestyle=line, zorder=1, alpha=0.75,
            linewidth=0.8 + 4.2 * member.similarity / strongest,
        )  # fmt: skip
        _node(axes, member, (float(place[0]), float(place[1])), f"w = {member.similarity:.2f}")
    _node(axes, anchor, (0.0, 0.0), "", ring=True)
    axes.set_xlim(-1.42, 1.42)
    axes.set_ylim(-1.45, 1.45)
    colours = ScalarMappable(Normalize(0, 1), COLOURS)
    bar = figure.colorbar(colours, ax=axes, orientation="horizontal", shrink=0.45, aspect=30, pad=0.01)
    bar.set_ticks([0, 1], labels=["joint hardly used", "joint used most"])
    left_out = "" if len(members) == len(shown) else f" Not drawn: {len(members) - len(shown)} of less similarity."
    write_caption(figure, f"{caption}{left_out}")
    return figure


def _around(count: int) -> NDArray[np.float64]:
    """Places (count, 2) around the middle, the first at the top, clockwise."""
    angle = np.pi / 2 - 2 * np.pi * np.arange(count) / max(count, 1)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _node(axes: Any, member: Member, centre: tuple[float, float], below: str, *, ring: bool = False) -> None:
    x, y = centre
    radius = 0.60 * _SIDE if ring else 0.53 * _SIDE
    disc = {"facecolor": "white", "edgecolor": INK if ring else "#c5ccd8", "linewidth": 2.0 if ring else 1.0}
    axes.add_patch(Circle(centre, radius, zorder=2, **disc))
    if member.pose is None:
        axes.text(x, y, "no recording", ha="center", va="center", fontsize=7, color=GREY, style="italic", zorder=4)
    else:
        draw_pose(axes, member.pose, centre, 0.8 * _SIDE, dot=18)
    # On the side away from the anchor, where no line runs.
    above = y > 0.01
    lines = [shortened(member.label, 24), below] if below else [shortened(member.label, 24)]
    axes.text(
        x, y + (radius + 0.025) * (1 if above else -1), "\n".join(lines), ha="center", va="bottom" if above else "top",
        fontsize=8, zorder=5, linespacing=1.05, fontweight="bold" if ring else "normal",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.6},
    )  # fmt: skip


def families_picture(
    labels: Sequence[str], families: NDArray[np.bool_], similarity: NDArray[np.float64], title: str, caption: str
) -> Figure:
    """All families at once: classes on a circle, those alike beside each other, a chord for each membership.

    families: (classes, classes), j is in the family of i; similarity: w alike. The darker, the more alike.
    """
    order = _beside_alike(similarity)
    count = len(labels)
    place = np.empty((count, 2))
    place[order] = _around(count)
    figure = Figure(figsize=(7.2, 7.6), layout="constrained")
    axes = figure.subplots()
    axes.set_aspect("equal")
    axes.axis("off")
    head(figure, title)
    weight = np.maximum(similarity * families, (similarity * families).T)
    top = max(float(weight.max()), 1e-9)
    for i, j in sorted(zip(*np.nonzero(np.triu(weight, 1)), strict=True), key=lambda pair: weight[pair]):
        _chord(axes, place[i], place[j], float(weight[i, j]) / top)
    size = families.sum(axis=1)
    axes.scatter(place[:, 0], place[:, 1], s=14 + 10 * size, color=BLUE, zorder=3, edgecolors="white", linewidths=0.8)
    _name_around(axes, labels, place, size)
    axes.set_xlim(-1.75, 1.75)
    axes.set_ylim(-1.75, 1.75)
    write_caption(figure, caption)
    return figure


def _beside_alike(similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """An order of the classes that puts those alike beside each other."""
    count = len(similarity)
    if count < 3:
        return np.arange(count)
    mutual = (similarity + similarity.T) / 2
    distance = np.clip(1 - mutual / max(float(mutual.max()), 1e-9), 0, 1)
    np.fill_diagonal(distance, 0)
    condensed = squareform(distance, checks=False)
    tree = linkage(condensed, "average")
    return np.asarray(leaves_list(optimal_leaf_ordering(tree, condensed) if count <= 200 else tree), dtype=np.int64)


def _chord(axes: Any, first: NDArray[np.float64], second: NDArray[np.float64], strength: float) -> None:
    # Of classes beside each other the chord stays at the rim, and leaves the middle to those far apart.
    middle = (first + second) / 2
    middle *= 0.9 * float(np.hypot(*middle))
    route = Route([first, middle, second], [Route.MOVETO, Route.CURVE3, Route.CURVE3])
    patch = PathPatch(
        route, facecolor="none", edgecolor=BLUE, alpha=0.12 + 0.68 * strength, linewidth=0.5 + 1.8 * strength
    )
    axes.add_patch(patch)


def _name_around(axes: Any, labels: Sequence[str], place: NDArray[np.float64], size: NDArray[np.int64]) -> None:
    if len(labels) > 150:
        return
    font = float(np.clip(480 / max(len(labels), 1), 4.5, 9))
    for label, (x, y), members in zip(labels, place, size, strict=True):
        angle = float(np.degrees(np.arctan2(y, x)))
        flipped = abs(angle) > 90
        axes.text(
            1.06 * x, 1.06 * y, f"{shortened(label, 22)} ({members})", fontsize=font, va="center",
            rotation=angle + 180 if flipped else angle, rotation_mode="anchor", ha="right" if flipped else "left",
            color=INK if members else GREY,
        )  # fmt: skip
