"""Reports of runs to the pictures that can be made of them."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from training.evaluate.levels import difficulty
from training.reproduce import paper
from training.reproduce.about import about
from training.reproduce.gain import Gain, gain
from training.reproduce.identity_pictures import gait_pictures, reid_pictures
from training.reproduce.made import Picture
from training.reproduce.picture_style import without_number
from training.reproduce.pictures_classes import (
    Change,
    Level,
    Occluded,
    confusion_picture,
    differences_picture,
    levels_picture,
    occlusion_picture,
)
from training.reproduce.pictures_variants import Variant, variants_picture
from training.reproduce.report import Report

FIRST = ("full", "j", "baseline")
"""Whose confusion is drawn: the first of these that was tested."""
_ORDER = ("baseline", "inter", "pairwise", "dynamic", "intra", "full")


def pictures_of(reports: Sequence[Report]) -> tuple[Picture, ...]:
    """Whatever the reports hold: one picture a kind and recipe, over all seeds."""
    out: list[Picture] = []
    for recipe in dict.fromkeys(report.recipe for report in reports):
        own = [report for report in reports if report.recipe == recipe]
        out += ablation(own)
        for task, make in (("actions", _of_actions), ("gait", gait_pictures), ("reid", reid_pictures)):
            if of_task := [report for report in own if report.task == task]:
                out += make(of_task)
    return tuple(out)


def _of_actions(reports: Sequence[Report]) -> Iterator[Picture]:
    variants = by_variant(reports)
    first = next((name for name in FIRST if name in variants), next(iter(variants)))
    yield confusion(variants[first])
    if changes := class_changes(variants.get("baseline", ()), variants.get("full", ())):
        yield differences(changes, [*variants["baseline"], *variants["full"]])
        yield levels(variants["baseline"], variants["full"])
    if any(report.occlusion for report in reports):
        yield occlusion([report for report in reports if report.occlusion])


def by_variant(reports: Sequence[Report]) -> dict[str, list[Report]]:
    """Reports of each variant, in the order of Table VIII, others behind."""
    names = list(dict.fromkeys(report.variant for report in reports))
    ordered = sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), names.index(name)))
    return {name: [report for report in reports if report.variant == name] for name in ordered}


def ablation(reports: Sequence[Report]) -> Iterator[Picture]:
    """Scores seed by seed, where the baseline and other variants of Table VIII were tested."""
    found = {name: of for name, of in by_variant(reports).items() if name in _ORDER}
    if "baseline" not in found or len(found) < 2:
        return
    scores = {name: {report.seed: 100 * report.score for report in of} for name, of in found.items()}
    gains = {name: gain(own, scores["baseline"]) for name, own in scores.items() if name != "baseline"}
    shown = [Variant(name, own, _interval(gains.get(name))) for name, own in scores.items()]
    title = f"What each part gives, seed by seed: {reports[0].recipe}"
    said = about([report for of in found.values() for report in of])
    marks = "Dots: seeds, joined by thin lines; bar: mean; line below: 95 % of the difference to the baseline (dashed)."
    yield Picture(
        f"variants-{reports[0].recipe}", title, variants_picture(shown, title, f"{said} {marks}"), f"{said} {marks}"
    )


def _interval(found: Gain | None) -> tuple[float, float] | None:
    return None if found is None or found.low is None or found.high is None else (found.low, found.high)


def confusion(reports: Sequence[Report]) -> Picture:
    """Of one variant, the counts of all seeds added."""
    labels = tuple(reports[0].figures["confusion"]["labels"])
    alike = [report for report in reports if tuple(report.figures["confusion"]["labels"]) == labels]
    counts: NDArray[np.float64] = np.sum([report.figures["confusion"]["counts"] for report in alike], axis=0)
    variant = reports[0].variant
    title = f"Who is taken for whom: {reports[0].recipe}, {variant}"
    caption = (
        f"{about(alike)} {int(counts.sum()) // len(alike)} recordings a seed; most often: {worst(counts, labels)}."
    )
    return Picture(
        f"confusion-{reports[0].recipe}", title, confusion_picture(counts, labels, title, about(alike)), caption
    )


def worst(counts: NDArray[np.float64], labels: Sequence[str], most: int = 3) -> str:
    """The confusions that happen most, as shares of the true class.

    >>> worst(np.array([[8.0, 2.0], [0.0, 5.0]]), ["a", "b"])
    'a for b (20 %)'
    """
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100.0 * counts, total, out=np.zeros(counts.shape), where=total > 0)
    np.fill_diagonal(shares, 0)
    order = np.argsort(-shares, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(labels)) for place in order]
    said = [
        f"{without_number(labels[i])} for {without_number(labels[j])} ({shares[i, j]:.0f} %)"
        for i, j in pairs
        if shares[i, j] > 0
    ]
    return ", ".join(said) or "nothing"


def class_changes(before: Sequence[Report], after: Sequence[Report]) -> list[Change]:
    """What each class gains from one variant to another, in points; over the seeds that both have."""
    first, second = ({report.seed: class_accuracy(report) for report in side} for side in (before, after))
    pairs = [(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]
    labels = [label for label in (pairs[0][0] if pairs else ()) if all(label in a and label in b for a, b in pairs)]
    out = []
    for label in labels:
        gains = [100 * (b[label] - a[label]) for a, b in pairs]
        out.append(Change(label, fmean(gains), _sd(gains)))
    return out


def class_accuracy(report: Report) -> dict[str, float]:
    return {label: float(cell["accuracy"]) for label, cell in report.figures["classes"].items()}


def differences(changes: Sequence[Change], reports: Sequence[Report]) -> Picture:
    """Fig. 6, with our own baseline in place of FR-Head."""
    title = f"Full against baseline, class by class: {reports[0].recipe}"
    lines = " Lines: standard deviation over seeds." if any(change.sd for change in changes) else ""
    figure = differences_picture(changes, title, f"{about(reports)}{lines}")
    return Picture(f"differences-{reports[0].recipe}", title, figure, f"{about(reports)} Largest gain first.{lines}")


def levels(before: Sequence[Report], after: Sequence[Report]) -> Picture:
    """Table X as bars, over the seeds that both have; the paper's marks where the data are the paper's."""
    first, second = ({report.seed: class_accuracy(report) for report in side} for side in (before, after))
    found = [difficulty(first[seed], second[seed]) for seed in sorted(first.keys() & second.keys())]
    theirs = {row.name: row.paper for row in paper.TABLES["table-10"].rows} if is_paper_set(before[0]) else {}
    shown = []
    for same in zip(*found, strict=True):
        sides = [[100 * getattr(level, side) for level in same] for side in ("baseline", "ours")]
        name = f"class {same[0].name}"
        baseline, ours, *_ = theirs.get(name, (None, None))
        marks = None if baseline is None or ours is None else (baseline, ours)
        means, spreads = [fmean(side) for side in sides], [_sd(side) for side in sides]
        shown.append(Level(name, means[0], means[1], spreads[0], spreads[1], marks))
    title = f"Accuracy by difficulty of the class: {before[0].recipe}"
    said = about([*before, *after])
    figure = levels_picture(shown, ("baseline", "full"), title, said)
    return Picture(f"levels-{before[0].recipe}", title, figure, f"{said} Above the bars: the gain in points.")


def _sd(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0


def occlusion(reports: Sequence[Report]) -> Picture:
    """Table IX as bars, a colour a variant; the paper's marks where the data are the paper's."""
    ours = [_occluded(name, of) for name, of in by_variant(reports).items()]
    title = f"Trained on whole skeletons, tested without some joints: {reports[0].recipe}"
    theirs = _paper_occlusion() if is_paper_set(reports[0]) else {}
    figure = occlusion_picture(ours, theirs, title, about(reports), paper.OURS)
    return Picture(f"occlusion-{reports[0].recipe}", title, figure, f"{about(reports)} none: the whole skeleton.")


def is_paper_set(report: Report) -> bool:
    """Whether Fig. 3 to 6 and Tables VIII to X are of this report's data: NTU RGB+D 60 X-Sub, not simulated."""
    return report.recipe == "ntu60-xsub" and not report.data.simulated


def _occluded(name: str, reports: Sequence[Report]) -> Occluded:
    """Accuracy in % by part; "none" from the test itself."""
    values: dict[str, list[float]] = {"none": [100 * float(report.figures["accuracy"]) for report in reports]}
    for report in reports:
        for part, cell in (report.occlusion or {}).items():
            values.setdefault(part.replace("-", " "), []).append(100 * float(cell["accuracy"]))
    spread = {part: _sd(each) for part, each in values.items()}
    return Occluded(name, {part: fmean(each) for part, each in values.items()}, spread)


def _paper_occlusion() -> Mapping[str, Mapping[str, float]]:
    table = paper.TABLES["table-9"]
    return {
        row.name: {part: value for part, value in zip(table.columns, row.paper, strict=True) if value is not None}
        for row in table.rows
    }
