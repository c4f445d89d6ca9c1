"""Fig. 3: Motion Families of two anchors with skeletons, and all families of the set."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console

from training.data.action_set import ActionSet
from training.losses.state import Affinity, affinity_of
from training.reproduce.ablation import FULL, RECIPE, name_of
from training.reproduce.about import about
from training.reproduce.choices import Choices
from training.reproduce.experiment import experiment, recipe_file
from training.reproduce.families import anchors_of, members_of, poses_of
from training.reproduce.gather import gather
from training.reproduce.look import recordings_of
from training.reproduce.made import Made, Picture
from training.reproduce.picture_style import without_number
from training.reproduce.pictures_families import Member, families_picture, family_picture
from training.reproduce.report import Report
from training.reproduce.table import Ours, Row, Table
from training.run import load_run

TITLE = "Fig. 3: Motion Families"
_DRAWN = (
    "Solid blue: classes that the anchor was taken for; dashed orange: not taken for, but alike in what they are taken "
    "for, or near by their prototypes; the thicker, the more alike (w, Eq. 5). Colour of a joint: how much of it the "
    "last block's learned graph uses, within its skeleton."
)
_BRIEFLY = "Blue: taken for; dashed: alike only; the thicker, the more alike. Colour: how much a joint is used."
_REMARK = (
    "The paper shows the families of “reading” and “wear jacket” without saying of which epoch, or how the weight of a "
    "body part was reckoned. Here: after the last epoch; mean size of what leaves a joint in the last block's learned "
    "graph, over test recordings of the class."
)


def figure_3(choices: Choices, console: Console) -> Made:
    """Train and test the whole method once; its families, and skeletons of the test's recordings."""
    file = choices.recipe or recipe_file(RECIPE)
    seed = choices.seeds[0] if choices.seeds else 1
    reports = gather(choices, console, file, (FULL,), (seed,))
    name = f"{TITLE} ({name_of(choices, file)})"
    run = reports.run(FULL, seed)
    if run is None:
        return Made("figure-3", name, remark=_REMARK)
    report, affinity = reports.by_seed(FULL)[seed], affinity_of(run)
    data = recordings_of(experiment(choices, file, FULL, seed).recipe)
    pictures = tuple(_pictures(run, report, affinity, data))
    return Made("figure-3", name, (family_table(affinity, report, name),), pictures, tuple(reports), _REMARK)


def family_table(affinity: Affinity, report: Report, title: str) -> Table:
    """A row a member of the anchors' families, with its similarity."""
    rows = tuple(
        Row(f"{anchor}: {member.label}", (None,), (Ours({report.seed: member.similarity}, report.marks),))
        for anchor in anchors_of(affinity)
        for member in members_of(affinity, anchor, {})
    )
    return Table("figure-3", title, ("w (Eq. 5)",), rows, comparable=False, digits=(2,))


def _pictures(run: Path, report: Report, affinity: Affinity, data: ActionSet) -> Iterator[Picture]:
    anchors = anchors_of(affinity)
    poses = poses_of(load_run(run), data, affinity, anchors)
    said = f"{about([report])} {_when(affinity)}"
    for number, anchor in enumerate(anchors, 1):
        members = members_of(affinity, anchor, poses)
        title = f"The Motion Family of “{without_number(anchor)}”"
        figure = family_picture(Member(anchor, poses.get(anchor)), members, title, f"{said} {_BRIEFLY}")
        yield Picture(f"family-{number}", title, figure, f"{_listed(anchor, members)} {_DRAWN}")
    title = f"All Motion Families of {report.recipe}"
    caption = f"{said} A chord: one is in the other's family, the darker the more alike; in brackets: members."
    figure = families_picture(
        affinity.labels, affinity.families, affinity.similarity.astype(np.float64), title, caption
    )
    yield Picture("families", title, figure, f"{_sizes(affinity)} {caption}")


def _when(affinity: Affinity) -> str:
    started = "" if affinity.started else ", which the loss had not come to use yet"
    return f"Families after epoch {affinity.epoch + 1}{started}."


def _listed(anchor: str, members: list[Member]) -> str:
    if not members:
        return f"“{without_number(anchor)}” has no family: it was never taken for anything else."
    listed = [f"{without_number(member.label)} ({member.similarity:.2f})" for member in members]
    return f"With {', '.join(listed)}."


def _sizes(affinity: Affinity) -> str:
    size = affinity.families.sum(axis=1)
    return f"{len(size)} classes, {size.min():d} to {size.max():d} in a family, {size.mean():.1f} on average."
