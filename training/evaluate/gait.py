"""Rank-1 of an encoder on a protocol, through preparation, encoder and gallery as they are served."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gallery.calibration import Calibration
from gallery.metrics import Interval
from model.errors import InvalidDataSet
from model.runtime import Encoder
from training.data.arrays import SequenceSet
from training.evaluate.embedding import LeftOut, Progress, embed_set
from training.evaluate.features import simple_features
from training.evaluate.scoring import Table, score
from training.evaluate.sources import Source
from training.protocols import casia_b
from training.protocols.cells import used
from training.simulate import realism

DRAWS = 1000


@dataclass(frozen=True, eq=False)
class GaitResult:
    """tables and intervals: one a figure. left_out: sequences that were neither searched nor found.

    simple: kind of hand-made feature to rank-1 of each table. realism: what the simulator's own check says, of
    simulated data only. prior: the bundle's calibration, whose thresholds are held against these scores.
    """

    data: SequenceSet
    tables: tuple[Table, ...]
    intervals: tuple[Interval, ...]
    left_out: tuple[LeftOut, ...]
    simple: Mapping[str, Mapping[str, float]]
    realism: realism.Realism | None
    found: Mapping[str, tuple[int, int]]
    prior: Calibration | None = None

    @property
    def people(self) -> int:
        return len(np.unique(self.data.subject[used_of(self.tables)]))

    @property
    def mean(self) -> float | None:
        """Mean of NM, BG and CL, as tables on CASIA-B give it; None for other protocols, whose figures do not add."""
        if {table.name for table in self.tables} != set(casia_b.PROBES):
            return None
        return float(np.mean([table.accuracy() for table in self.tables]))

    def to_json(self) -> dict[str, Any]:
        counted = {name: {"found": there, "expected": nominal} for name, (there, nominal) in self.found.items()}
        return {
            "people": self.people,
            "sequences": {"counted": len(used_of(self.tables)), "left_out": len(self.left_out), **counted},
            "mean_rank1": self.mean,
            "tables": [_table_json(t, i, self.prior) for t, i in zip(self.tables, self.intervals, strict=True)],
            "simple_features_rank1": {kind: dict(scores) for kind, scores in self.simple.items()},
            "simulator_check": None if self.realism is None else asdict(self.realism),
            "left_out": [self._left_out_json(item) for item in self.left_out],
        }

    def name_of(self, i: int) -> str:
        """A sequence by its labels, as "075-nm-01-090"."""
        d = self.data
        parts = (d.subject[i], d.part[i], d.sequence_name[i], d.view[i])
        return "-".join(str(part) for part in parts if part)

    def _left_out_json(self, item: LeftOut) -> dict[str, Any]:
        return {"sequence": self.name_of(item.index), "reasons": list(item.reasons), "detail": item.detail}


def used_of(tables: Sequence[Table]) -> np.ndarray:
    """Indices of all sequences that count in any table."""
    return np.unique(np.concatenate([part for table in tables for part in (table.gallery, table.probes)]))


def evaluate_gait(
    encoder: Encoder,
    source: Source,
    *,
    prior: Calibration | None = None,
    progress: Progress | None = None,
    draws: int = DRAWS,
) -> GaitResult:
    """Embed what the cells use, search it, and set simple features beside it.

    progress: is told of every sequence twice, when it is embedded and when its simple features are made.
    Raises `LayoutMismatch` if the encoder cannot take the data, `InvalidDataSet` if it can take no sequence of it.
    """
    data, cells = source.data, source.cells
    embedded = embed_set(encoder, data, used(cells), progress=progress)
    if not embedded.usable.any():
        first = embedded.left_out[0]
        raise InvalidDataSet(data.name, f"no sequence can be embedded ({', '.join(first.reasons)}: {first.detail})")
    tables = score(embedded.embeddings, embedded.usable, data.subject, cells)
    return GaitResult(
        data,
        tables,
        tuple(table.interval(draws) for table in tables),
        embedded.left_out,
        simple_features(data, embedded.usable, cells, progress=progress),
        realism.check(data) if source.simulated else None,
        source.found,
        prior,
    )


def _table_json(table: Table, interval: Interval, prior: Calibration | None) -> dict[str, Any]:
    return {
        "name": table.name,
        "rank1": table.accuracy(),
        "interval_95": [interval.low, interval.high],
        "rank5": table.accuracy(5),
        "people_probing": table.people,
        "people_in_gallery": table.gallery_people,
        "probes": len(table.probes),
        "gallery_sequences": len(table.gallery),
        "by_probe_view": dict(table.by_probe_view()),
        "open_set": table.open_set.to_json(len(table.probes), prior) if table.open_set else None,
    }
