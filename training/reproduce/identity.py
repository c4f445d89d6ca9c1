"""A run that tells people apart, tested as it would be served: exported, run by ONNX Runtime, searched by the gallery.

RUN/bundle is that export. The figures are those of `gaitkeeper evaluate gait` and `evaluate reid`; of gait, every
pair of views and the CMC are kept as well, which pictures are made of.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from model.errors import InvalidDataSet, InvalidRecipe
from model.runtime import Encoder, OnnxEncoder
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet
from training.data.recordings import seen_by_its_camera
from training.evaluate import reid_show
from training.evaluate.gait import evaluate_gait
from training.evaluate.progress import bar
from training.evaluate.reid import evaluate_reid, steps
from training.evaluate.reid_source import Windows, cut, open_windows
from training.evaluate.scoring import Table
from training.evaluate.sources import GaitProtocol, People, Source, is_simulated, open_source
from training.export import export_run
from training.protocols import casia_b, cbkings34, ucalgary
from training.protocols.cells import Cell, used
from training.recipe import Recipe
from training.split import load_test_data

BUNDLE = "bundle"
RANKS = 20
"""People that the CMC of a gait test is drawn to, if so many are enrolled."""
_CELLS: Mapping[str, Callable[[SequenceSet], tuple[Cell, ...]]] = MappingProxyType(
    {casia_b.NAME: casia_b.cells, cbkings34.NAME: cbkings34.cells, ucalgary.NAME: ucalgary.cells}
)


class Measured(NamedTuple):
    """task and figures as `report.json` has them; data: the set's name."""

    task: Literal["gait", "reid"]
    figures: dict[str, Any]
    data: str
    simulated: bool


def measure_identity(run: Path, recipe: Recipe) -> Measured:
    """Exports the run to RUN/bundle and measures what the recipe's [test] asks for.

    Raises `ExportRejected` where ONNX Runtime and torch differ, and as `searched_by` does, before the export.
    """
    data = searched_by(recipe)
    encoder = OnnxEncoder(export_run(run, run / BUNDLE).bundle, threads=recipe.threads or None)
    return measured(encoder, data)


def searched_by(recipe: Recipe) -> Source | Windows:
    """Who is searched and among whom. Without `split` and `keep` in [test], the people whom the protocol tests.

    Raises `InvalidRecipe` where [test] names no protocol or several files, `InvalidDataSet` where nobody is left to
    be searched.
    """
    if recipe.test.protocol is None:
        raise InvalidRecipe(recipe.name, "its [test] names no protocol to tell people apart by")
    path = _path(recipe)
    return _windows(recipe, path) if recipe.test.protocol == "reid" else _source(recipe, path)


def measured(encoder: Encoder, data: Source | Windows) -> Measured:
    """Embeds everybody and searches; raises as `evaluate_gait` and `evaluate_reid` do."""
    if isinstance(data, Windows):
        with bar("embedding and searching") as line:
            found = evaluate_reid(encoder, data, progress=line.of(steps(data.data)))
        return Measured("reid", reid_show.to_json(found), data.data.name, data.simulated)
    with bar("embedding") as line:
        result = evaluate_gait(encoder, data, progress=line.of(2 * len(used(data.cells))))
    cells = {"cells": [cells_json(table) for table in result.tables]}
    return Measured("gait", result.to_json() | cells, data.data.name, data.simulated)


def _path(recipe: Recipe) -> Path:
    paths = recipe.test.paths or recipe.data.paths
    if len(paths) != 1:
        raise InvalidRecipe(recipe.name, f"people are told apart in one data set, and its [test] has {len(paths)}")
    return paths[0]


def _source(recipe: Recipe, path: Path) -> Source:
    protocol = GaitProtocol(str(recipe.test.protocol))
    if not _chosen(recipe):
        return open_source(path, protocol, None if protocol is GaitProtocol.UCALGARY else People.TEST)
    data = _people(recipe)
    if recipe.clip.dims == 2 and data.units is Units.METRES:
        data = seen_by_its_camera(data)
    cells = _CELLS[protocol](data)
    if not any(len(cell.gallery) and len(cell.probes) for cell in cells):
        raise InvalidDataSet(data.name, f"has nothing that protocol {protocol} could search or be searched")
    return Source(data, cells, is_simulated(path), casia_b.found(data) if protocol is GaitProtocol.CASIA_B else {})


def _windows(recipe: Recipe, path: Path) -> Windows:
    frames = recipe.clip.frames
    if not _chosen(recipe):
        return open_windows(path, frames=frames)
    return cut(_people(recipe), frames, simulated=is_simulated(path))


def _chosen(recipe: Recipe) -> bool:
    return bool(recipe.test.split or recipe.test.keep)


def _people(recipe: Recipe) -> SequenceSet:
    data = load_test_data(recipe)
    return data.first_people() if isinstance(data, ActionSet) else data


def cells_json(table: Table) -> dict[str, Any]:
    """Every pair of views of a table, and its CMC: the share found within rank 1, 2, ... among people."""
    ranks = range(1, min(RANKS, table.gallery_people) + 1)
    return {
        "name": table.name,
        "gallery_views": list(table.gallery_views),
        "probe_views": list(table.probe_views),
        "rank1": table.matrix.tolist(),
        "cmc": [table.accuracy(k) for k in ranks],
    }
