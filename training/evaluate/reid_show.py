"""Results of a re-identification as they are kept and printed."""

from collections.abc import Iterable, Mapping
from math import isnan
from typing import Any

from rich.console import Console

from gallery.metrics import Interval
from training.evaluate.reid import FIGURES, ReidResult, Searches
from training.evaluate.show import per_cent, plain_grid, show_left_out
from training.protocols.reid import Variant

NO_VIEWS = "the data name no views, without which nothing can be said strictly"
_CAPTION = (
    "% of windows; R1: rank-1; 95 %: interval, people drawn again. published: a probe may find all "
    "but itself, as TranSG has it; strict: nothing of its own view, so nothing of its own video."
)


def to_json(result: ReidResult) -> dict[str, Any]:
    """All figures with intervals; `map_as_published` alone has none."""
    return {
        "people": result.people,
        "frames": result.windows.frames,
        "windows": {"counted": len(result.windows.data) - len(result.left_out), "left_out": len(result.left_out)},
        "sequences_too_short": result.windows.too_short,
        "strict": None if result.strict else NO_VIEWS,
        "settings": [_one_json(one, i) for one, i in zip(result.searches, result.intervals, strict=True)],
        "left_out": [
            {"window": result.name_of(item.index), "reasons": list(item.reasons), "detail": item.detail}
            for item in result.left_out
        ],
    }


def _one_json(one: Searches, intervals: Mapping[str, Interval]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name in FIGURES:
        figures[name] = intervals[name].value
        figures[f"{name}_interval_95"] = [intervals[name].low, intervals[name].high]
    return {
        "setting": one.setting.name,
        "variant": one.variant.value,
        **figures,
        "map_as_published": one.map_as_published if one.variant is Variant.PUBLISHED else None,
        "best_is_of_the_same_video": one.same_video,
        "people": one.people,
        "probes": len(one.first),
        "without_mate": one.without_mate,
        "gallery": one.gallery,
        "cmc": one.cmc.tolist(),
    }


CSV_HEADER = ("setting", "variant", *(f"{name}{end}" for name in FIGURES for end in ("", "_low", "_high")))


def csv_rows(result: ReidResult) -> Iterable[tuple[object, ...]]:
    """One row a setting and variant: `CSV_HEADER`, then people, probes and windows in the gallery."""
    for one, intervals in zip(result.searches, result.intervals, strict=True):
        ends = (end for name in FIGURES for end in (intervals[name].value, intervals[name].low, intervals[name].high))
        figures = ("" if isnan(end) else f"{end:.6f}" for end in ends)
        yield one.setting.name, one.variant.value, *figures, one.people, len(one.first), one.gallery


def cmc_rows(result: ReidResult) -> Iterable[tuple[object, ...]]:
    """One row a setting, variant and rank."""
    for one in result.searches:
        for rank, share in enumerate(one.cmc.tolist(), 1):
            yield one.setting.name, one.variant.value, rank, "" if isnan(share) else f"{share:.6f}"


def left_out_rows(result: ReidResult) -> Iterable[tuple[object, ...]]:
    for item in result.left_out:
        yield result.name_of(item.index), " ".join(item.reasons), item.detail


def show_reid(console: Console, result: ReidResult, title: str) -> None:
    """Both variants of a setting below one another, then what the published one rests on, and what was left out."""
    columns = ("R1", "95 %", "R5", "R10", "mAP", "95 %", "mINP")
    grid = plain_grid(title, columns, caption=_CAPTION)
    for one, intervals in zip(result.searches, result.intervals, strict=True):
        name = f"{one.setting.name} {one.variant}"
        rank1, rank5, rank10, average, penalty = (intervals[figure] for figure in FIGURES)
        grid.add_row(
            name, per_cent(rank1.value), _between(rank1), per_cent(rank5.value), per_cent(rank10.value),
            per_cent(average.value), _between(average), per_cent(penalty.value),
        )  # fmt: skip
    console.print(grid)
    for line in _notes(result):
        console.print(line)
    show_left_out(console, result.left_out)


def _between(interval: Interval) -> str:
    return "-" if isnan(interval.low) else f"{per_cent(interval.low)}-{per_cent(interval.high)}"


def _notes(result: ReidResult) -> Iterable[str]:
    published = [one for one in result.searches if one.variant is Variant.PUBLISHED]
    yield "windows: " + ", ".join(f"{one.setting.name} {len(one.first)} in {one.gallery}" for one in published)
    same = [one for one in published if one.same_video > 0]
    if same:
        shares = ", ".join(f"{one.setting.name} {per_cent(one.same_video)} %" for one in same)
        yield f"published: the best window is of the probe's own video: {shares}"
    slipped = [one for one in published if one.map_as_published != one.figure("map")]
    if slipped and not all(isnan(one.map_as_published) for one in slipped):
        shares = ", ".join(f"{one.setting.name} {per_cent(one.map_as_published)}" for one in slipped)
        yield f"mAP as TranSG's code has it, each probe in its own gallery: {shares}"
    if not result.strict:
        yield f"strict: {NO_VIEWS}"
    for one in result.searches:
        if one.without_mate:
            yield f"{one.setting.name} {one.variant}: {one.without_mate} windows have nobody to find, and do not count"
    if result.windows.too_short:
        yield f"left out: {result.windows.too_short} sequences of fewer than {result.windows.frames} frames"
