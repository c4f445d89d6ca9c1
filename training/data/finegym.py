"""FineGYM, 99 classes (Shao et al., CVPR 2020): pyskl's pickle of HRNet keypoints; and pyskl's pickles of others.

Coordinates are pixels of the source's frames, V 17 of COCO. A clip's name is
`<video>_E_<event from>_<to>_A_<action from>_<to>`.
"""

import re
from functools import partial
from pathlib import Path

from model.named_layouts import COCO_17
from model.sequence import Units
from training.data import pyskl
from training.data.kind import Kind
from training.data.stream import Items, Progress

CLASSES = 99
NAME = re.compile(r".+_E_\d+_\d+_A_\d+_\d+", re.ASCII)
FPS = 30.0
"""The source does not say; clips are sampled by their length, so that nothing rests on it."""


def labels_of(name: str) -> dict[str, str]:
    """A clip's video stands for its subject: gymnasts have no names there.

    >>> labels_of("A0xAXXysHUo_E_002184_002237_A_0000_0003")["view"]
    'A0xAXXysHUo'
    """
    return {"view": name.partition("_E_")[0]} if NAME.fullmatch(name) else {}


def items(path: Path, progress: Progress | None = None, *, classes: int = CLASSES) -> Items:
    for item in pyskl.read(path, classes, labels_of, joints=COCO_17.count, progress=progress):
        yield pyskl.with_class_name(item)


KINDS = (
    Kind(
        "finegym-pickle",
        "FineGYM, pyskl's pickle of HRNet keypoints",
        COCO_17,
        FPS,
        Units.PIXELS,
        files=pyskl.one_file,
        items=items,
        dims=2,
        expected={"classes": CLASSES},
        notes=("no official count of its clips is known",),
    ),
    Kind(
        "pyskl-pickle",
        "2-D keypoints in pyskl's schema, of an unknown data set",
        COCO_17,
        FPS,
        Units.PIXELS,
        files=pyskl.one_file,
        items=partial(items, classes=10_000),
        dims=2,
    ),
)
