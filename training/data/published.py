"""How ACLNet trains on each data set, by its configs: clip, batch, and what changes each stream's clips undergo."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

STREAMS = ("j", "b", "k", "jm", "bm", "km")
FLIP, PART_DROP = "flip", "part-drop"
FLIP_SHARE, DROP_SHARE, ROTATION = 0.5, 0.2, 0.2
"""Shares of clips; radians about each axis, of 3-D clips, all streams."""


@dataclass(frozen=True)
class Published:
    """frames of a clip; batch and learning rate go together; bank: features that the intra loss remembers;
    changes: of each stream, what is done beside centring and rotation (`training.data.poses`)."""

    layout: str
    frames: int
    batch: int
    lr: float
    bank: int
    changes: Mapping[str, tuple[str, ...]]
    epochs: int = 150


def _changes(**given: str) -> Mapping[str, tuple[str, ...]]:
    """Of the streams named; the others have none."""
    return MappingProxyType({stream: (given[stream],) if stream in given else () for stream in STREAMS})


def _ntu(bank: int, **changes: str) -> Published:
    return Published("ntu-25", 100, 16, 0.025, bank, _changes(**changes))


_FLIPPED = dict.fromkeys(STREAMS, FLIP)
_DROPPED = dict.fromkeys(STREAMS, PART_DROP)
_PKU = Published("ntu-25", 50, 16, 0.025, 512, _changes(**_DROPPED))

SETTINGS: Mapping[str, Published] = MappingProxyType(
    {
        "ntu60-xsub": _ntu(512, b=FLIP, bm=FLIP, k=FLIP, km=FLIP),
        "ntu60-xview": _ntu(512, k=PART_DROP, km=PART_DROP),
        "ntu120-xsub": _ntu(1024, j=FLIP, b=FLIP, jm=FLIP, bm=FLIP, k=PART_DROP, km=PART_DROP),
        "ntu120-xset": _ntu(1024, b=FLIP, bm=FLIP, k=FLIP, km=FLIP),
        "pku-mmd-xsub": _PKU,
        "pku-mmd-xview": _PKU,
        "kinetics": Published("coco-20", 100, 64, 0.1, 2048, _changes(**_FLIPPED)),
        "finegym": Published("coco-20", 100, 16, 0.025, 1024, _changes(**_FLIPPED)),
    }
)
