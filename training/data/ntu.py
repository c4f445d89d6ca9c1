"""NTU RGB+D 60 and 120 (Shahroudy et al., CVPR 2016; Liu et al., TPAMI 2020): raw skeletons and pyskl's pickles."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from model.named_layouts import COCO_17, NTU_25
from model.sequence import Units
from training.data import pyskl
from training.data.action_set import ActionSet
from training.data.kind import Kind, Mask
from training.data.ntu_classes import action_names
from training.data.ntu_denoise import people_of
from training.data.ntu_missing import missing
from training.data.ntu_raw import read_skeletons
from training.data.stream import Items, LeftOut, Noted, Progress, Taken

NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})", re.ASCII)
LISTED = "on the makers' list of missing skeletons"
FPS = 30.0
SMALL, CLASSES = 60, 120
"""Classes of NTU RGB+D 60, which has setups 1 to 17, and of NTU RGB+D 120."""

TRAIN_SUBJECTS = (
    *(1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38),
    *(45, 46, 47, 49, 50, 52, 53, 54, 55, 56, 57, 58, 59, 70, 74, 78),
    *(80, 81, 82, 83, 84, 85, 86, 89, 91, 92, 93, 94, 95, 97, 98, 100, 103),
)
"""X-Sub's training people: 53 of NTU RGB+D 120's 106; the 20 up to 40 are those of NTU RGB+D 60."""

EXPECTED_60: Mapping[str, int] = MappingProxyType(
    {"recordings": 56_578, "subjects": 40, "views": 3, "classes": 60}
    | {"xsub_train": 40_091, "xsub_val": 16_487, "xview_train": 37_646, "xview_val": 18_932}
)
EXPECTED_120: Mapping[str, int] = MappingProxyType(
    {"recordings": 113_945, "subjects": 106, "views": 3, "classes": 120}
    | {"xsub_train": 63_026, "xsub_val": 50_919, "xset_train": 54_468, "xset_val": 59_477}
)


def labels_of(name: str) -> dict[str, str]:
    """Labels by a recording's name; condition is the setup, view the camera. None for other names.

    >>> labels_of("S001C002P003R001A011")["action"], labels_of("x.avi")
    ('A011 reading', {})
    """
    parts = NAME.fullmatch(name)
    if not parts:
        return {}
    setup, camera, subject, _, action = parts.groups()
    return {"condition": setup, "view": camera, "subject": subject, "sequence": name, "action": _action(int(action))}


def _action(number: int) -> str:
    """Number and words of an action, so that sorted names are in the order of the classes."""
    name = action_names()[number - 1] if 1 <= number <= CLASSES else "unknown"
    return f"A{number:03d} {name}"


def action_number(name: str) -> int:
    """The number in a recording's name, from 1.

    >>> action_number("S001C002P003R001A011")
    11
    """
    return int(name[-3:])


def splits(data: ActionSet, *, large: bool) -> dict[str, Mask]:
    """X-Sub, and X-Set (even setups train; NTU RGB+D 120) or X-View (cameras 2 and 3 train; NTU RGB+D 60)."""
    trains = np.isin(data.subject, [f"{number:03d}" for number in TRAIN_SUBJECTS])
    out = {"xsub_train": trains, "xsub_val": ~trains}
    if large:
        even = np.isin(data.condition, [f"{number:03d}" for number in range(2, 1000, 2)])
        return out | {"xset_train": even, "xset_val": ~even}
    return out | {"xview_train": data.view != "001", "xview_val": data.view == "001"}


def raw_files(path: Path) -> tuple[Path, ...]:
    """The `.skeleton` files below a directory, by name."""
    return tuple(sorted(path.rglob("*.skeleton"), key=lambda file: file.name))


def raw_items(path: Path, progress: Progress | None = None, *, classes: int, official: bool = False) -> Items:
    """Recordings of the folder; raises `InvalidDataSet` naming file and line of what is not as the format says.

    official: as the published preparation has them, faults and all (`ntu_denoise`).
    """
    listed = missing()
    for file in raw_files(path):
        name = file.stem
        labels = labels_of(name)
        if progress:
            progress(file.stat().st_size)
        if not labels:
            yield LeftOut(name, "its name is not SsssCcccPpppRrrrAaaa")
        elif not 1 <= action_number(name) <= classes:
            yield Noted(f"recordings of other classes than the first {classes} are left alone")
        elif name in listed:
            yield LeftOut(name, LISTED)
        else:
            yield from _one(file, labels, official)


def _one(file: Path, labels: Mapping[str, str], official: bool) -> Items:
    found = read_skeletons(file)
    people = people_of(found.bodies, official=official) if found.bodies else None
    if found.twins:
        yield Noted("bodies with the id of another in the same frame are dropped", found.twins)
    if people is None:
        yield LeftOut(file.stem, "nobody is left after denoising" if found.bodies else "nobody is in it")
    else:
        yield Taken(file.stem, people, labels, action_number(file.stem) - 1)


def pickle_items(path: Path, progress: Progress | None = None, *, classes: int, joints: int) -> Items:
    return pyskl.read(path, classes, labels_of, joints=joints, progress=progress)


def _kinds() -> tuple[Kind, ...]:
    kinds: list[Kind] = []
    for classes, expected in ((SMALL, EXPECTED_60), (CLASSES, EXPECTED_120)):
        divided = partial(splits, large=classes > SMALL)
        title = f"NTU RGB+D {classes}"
        solid = partial(
            Kind, layout=NTU_25, fps=FPS, units=Units.METRES, splits=divided, expected=expected
        )  # fmt: skip
        read = partial(raw_items, classes=classes)
        kinds += [
            solid(f"ntu{classes}-raw", f"{title}, .skeleton files", files=raw_files, items=read),
            solid(
                f"ntu{classes}-raw-official", f"{title}, .skeleton files as pyskl prepares them", files=raw_files,
                items=partial(read, official=True),
            ),
            solid(
                f"ntu{classes}-pickle", f"{title}, pyskl's pickle of 3-D skeletons", files=pyskl.one_file,
                items=partial(pickle_items, classes=classes, joints=NTU_25.count),
            ),
            Kind(
                f"ntu{classes}-hrnet", f"{title}, pyskl's pickle of 2-D keypoints", COCO_17, FPS, Units.PIXELS,
                files=pyskl.one_file, items=partial(pickle_items, classes=classes, joints=COCO_17.count), dims=2,
                splits=divided, expected={"classes": classes},
                notes=("no official count of its recordings is known",),
            ),
        ]  # fmt: skip
    return tuple(kinds)


KINDS = _kinds()
