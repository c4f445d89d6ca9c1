"""Reports on people told apart to pictures: pairs of views, and how long a list of candidates has to be."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from training.reproduce.about import about
from training.reproduce.made import Picture
from training.reproduce.pictures_identity import Views, cmc_picture, views_picture
from training.reproduce.report import Report


def gait_pictures(reports: Sequence[Report]) -> Iterator[Picture]:
    of = [report for report in reports if report.figures.get("cells")]
    if not of:
        return
    tables = [mean_views([report.figures["cells"][i] for report in of]) for i in range(len(of[0].figures["cells"]))]
    name = of[0].recipe
    if several := [table for table in tables if len(table.gallery) > 1 or len(table.probe) > 1]:
        title = f"Rank-1 of every pair of views: {name}"
        caption = f"{about(of)} Grey: not compared."
        yield Picture(f"views-{name}", title, views_picture(several, title, about(of)), caption)
    curves = {cell["name"]: mean_curve([r.figures["cells"][i]["cmc"] for r in of]) for i, cell in _cells(of[0])}
    title = f"Found among the first people of the list (CMC): {name}"
    yield Picture(f"cmc-{name}", title, cmc_picture(curves, title, about(of), "people"), about(of))


def _cells(report: Report) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(report.figures["cells"]))


def mean_views(cells: Sequence[Mapping[str, Any]]) -> Views:
    """The same table of several seeds, as `identity.cells_json` writes it, in %; null is a cell that is not there."""
    matrices = np.array([[[np.nan if v is None else v for v in row] for row in cell["rank1"]] for cell in cells], float)
    first = cells[0]
    rank1 = fmean(float(cell["cmc"][0]) for cell in cells)
    views = (tuple(first["gallery_views"]), tuple(first["probe_views"]))
    return Views(first["name"], *views, 100 * matrices.mean(axis=0), 100 * rank1)


def mean_curve(curves: Sequence[Sequence[float]]) -> list[float]:
    """As far as all reach.

    >>> mean_curve([[0.5, 1.0, 1.0], [0.7, 1.0]])
    [0.6, 1.0]
    """
    return [fmean(shares) for shares in zip(*curves, strict=False)]


def reid_pictures(reports: Sequence[Report]) -> Iterator[Picture]:
    name = reports[0].recipe
    for variant in ("published", "strict"):
        curves = {}
        for setting in dict.fromkeys(row["setting"] for row in reports[0].figures["settings"]):
            found = [_cmc(report, setting, variant) for report in reports]
            if all(found):
                curves[setting] = mean_curve([curve for curve in found if curve])
        if curves:
            said = "all but the probe itself" if variant == "published" else "nothing of the probe's own view"
            title = f"Found among the first windows (CMC), {variant}: {name}"
            figure = cmc_picture(curves, title, f"{about(reports)} Searched: {said}.", "windows")
            yield Picture(f"cmc-{variant}-{name}", title, figure, f"{about(reports)} Searched: {said}.")


def _cmc(report: Report, setting: str, variant: str) -> list[float] | None:
    """None where the setting was not searched, or nothing in it could be found."""
    for row in report.figures["settings"]:
        if (row["setting"], row["variant"]) == (setting, variant) and None not in row["cmc"]:
            return list(row["cmc"])
    return None
