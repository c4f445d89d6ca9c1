"""Numbers of a file as arrays of a known shape, or an error that says which of them is wrong."""

from collections.abc import Sequence

import numpy as np

from model.errors import UnknownLayout, UnreadableFile
from model.layout import Layout
from model.named_layouts import (
    BODY_25,
    CASIA_14,
    CMU_20,
    COCO_17,
    HDM05_27,
    KARD_15,
    KINECT_20,
    LAYOUTS,
    MEDIAPIPE_33,
    NTU_25,
    OPENPOSE_18,
    UCALGARY_18,
)
from model.readers.recording import Hints
from model.sequence import Floats

_IN_IMAGES = {14: CASIA_14, 17: COCO_17, 18: OPENPOSE_18, 25: BODY_25, 33: MEDIAPIPE_33}
_IN_METRES = {15: KARD_15, 18: UCALGARY_18, 20: KINECT_20, 25: NTU_25, 27: HDM05_27, 33: MEDIAPIPE_33}
# Whole-body sets of joints begin with COCO's seventeen: Halpe-26 and -136, COCO-WholeBody.
BEGIN_WITH_COCO = (26, 133, 136)

assert all(layout.count == count for table in (_IN_IMAGES, _IN_METRES) for count, layout in table.items())
assert CMU_20.count == KINECT_20.count  # hence Kinect-20 unless hinted


def floats(values: object) -> Floats:
    """Numbers as float32; those too large for it become infinite, to be refused or dropped with their joint."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32)


def joints_of(counts: set[int], source: str) -> int:
    """How many joints the people of a file have, from their numbers of values x, y, c, ...; all must be alike."""
    if not counts:
        raise UnreadableFile(source, "no person in any of its frames")
    if len(counts) > 1:
        raise UnreadableFile(source, f"people have different numbers of values ({', '.join(map(str, sorted(counts)))})")
    (count,) = counts
    if count % 3:
        raise UnreadableFile(source, f"people have {count} values, which is not a multiple of 3 (x, y, confidence)")
    return count // 3


def triples(numbers: Sequence[float]) -> Floats:
    """Numbers x, y, c, x, y, c, ... as (joints, 3)."""
    return floats(numbers).reshape(-1, 3)


def regular(rows: Sequence[Sequence[object]], source: str, where: str, columns: int | None = None) -> Floats:
    """Nested numbers as a float array of two or more axes; raises `UnreadableFile` naming the row that differs."""
    for i, row in enumerate(rows):
        if len(row) != (columns if columns is not None else len(rows[0])):
            wanted = columns if columns is not None else len(rows[0])
            raise UnreadableFile(source, f"{where}[{i}]: {len(row)} values where {wanted} are expected")
    try:
        return floats(rows)
    except (ValueError, TypeError, OverflowError):
        raise UnreadableFile(source, f"{where}: rows are not all of one length") from None


def layout_of(joints: int, dims: int, hints: Hints, source: str) -> Layout:
    """The layout hinted at, or the usual one of so many joints; raises `UnreadableFile` if neither fits.

    Sets that begin with COCO's joints count as COCO-17: keep the first seventeen.
    """
    if hints.layout is not None:
        if hints.layout not in LAYOUTS:
            raise UnknownLayout(hints.layout, tuple(LAYOUTS))
        layout = LAYOUTS[hints.layout]
        if layout.count != joints and not (layout is COCO_17 and joints in BEGIN_WITH_COCO):
            raise UnreadableFile(source, f"has {joints} joints, and {layout.name} has {layout.count}")
        return layout
    if dims == 2 and joints in BEGIN_WITH_COCO:
        return COCO_17
    table = _IN_IMAGES if dims == 2 else _IN_METRES
    if joints not in table:
        known = ", ".join(f"{count} ({layout.name})" for count, layout in table.items())
        raise UnreadableFile(source, f"{joints} joints in {dims}-D are no layout I know: {known}")
    return table[joints]
