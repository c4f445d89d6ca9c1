"""Small simulated data in the form, with the names and the splits of every data set of the paper.

Each writer makes its own folder and returns the path that `training.data.load.load` takes; `write_all` writes them all.
In action data, each of `classes` classes (the first and the last of the official ones, and some between) has
`per_class` recordings, by people and before cameras of both sides of every official split.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from model.named_layouts import COCO_17, NTU_25
from model.sequence import Floats
from tests.training.acted import Recording, before_kinect, in_image, recordings
from tests.training.data import written
from tests.training.shapes_of_people import RECORDINGS, write_casia_b, write_opengait, write_recording, write_transg
from training.data.action_set import Integers
from training.data.arrays import Frames

NTU_PEOPLE = (1, 3, 35, 6, 4, 7, 5, 10, 8, 11, 9, 12, 13, 20, 14, 21)
"""By turns of those who train and those who test in X-Sub; 35 chooses the epoch in the published recipes."""
OF_TWO = (*range(49, 60), *range(105, 120))
"""Classes of NTU RGB+D, from 0, that two people do together."""


__all__ = [
    "write_actions",
    "write_all",
    "write_casia_b",
    "write_finegym",
    "write_kinetics",
    "write_ntu60",
    "write_ntu120",
    "write_ntu_raw",
    "write_opengait",
    "write_pku_mmd",
    "write_pku_mmd_raw",
    "write_recording",
    "write_transg",
]


def in_space(recording: Recording, subject: int, count: int = 1) -> Floats:
    """(people, frames, 25, 3) before a Kinect."""
    each = recording.people(NTU_25, subject, count)
    return np.stack([before_kinect(p, yaw=45.0 * (recording.view - 1), right=0.8 * i) for i, p in enumerate(each)])


def _ntu_name(recording: Recording) -> str:
    person = NTU_PEOPLE[recording.copy % len(NTU_PEOPLE)]
    setup, again = 1 + (recording.copy % 2 + recording.copy // 2), 1 + recording.copy // len(NTU_PEOPLE)
    return f"S{setup:03d}C{recording.view + 1:03d}P{person:03d}R{again:03d}A{recording.label + 1:03d}"


def _ntu(classes: int, official: int, per_class: int, frames: int) -> dict[str, tuple[Recording, Floats]]:
    out = {}
    for one in recordings(classes, official, per_class, frames):
        person = NTU_PEOPLE[one.copy % len(NTU_PEOPLE)]
        out[_ntu_name(one)] = one, in_space(one, person, 2 if one.label in OF_TWO else 1)
    return out


def _pickled(path: Path, items: Mapping[str, tuple[Recording, Floats]], splits: Mapping[str, list[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    annotations = [
        {"frame_dir": name, "label": one.label, "keypoint": each.astype(np.float16), "total_frames": each.shape[1]}
        for name, (one, each) in items.items()
    ]
    written.pyskl(path, annotations, dict(splits))
    return path


def _halves(names: list[str], trains: Callable[[str], bool], prefix: str) -> dict[str, list[str]]:
    return {
        f"{prefix}_train": [name for name in names if trains(name)],
        f"{prefix}_val": [name for name in names if not trains(name)],
    }


def _trains_by_subject(name: str) -> bool:
    return NTU_PEOPLE.index(int(name[9:12])) % 2 == 0


def write_ntu60(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """pyskl's `ntu60_3danno.pkl`: xsub_train, xsub_val, xview_train, xview_val."""
    items = _ntu(classes, 60, per_class, frames)
    names = list(items)
    splits = _halves(names, _trains_by_subject, "xsub") | _halves(names, lambda n: n[5:8] != "001", "xview")
    return _pickled(folder / "ntu60_3danno.pkl", items, splits)


def write_ntu120(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """pyskl's `ntu120_3danno.pkl`: xsub_train, xsub_val, xset_train, xset_val."""
    items = _ntu(classes, 120, per_class, frames)
    names = list(items)
    splits = _halves(names, _trains_by_subject, "xsub") | _halves(names, lambda n: int(n[1:4]) % 2 == 0, "xset")
    return _pickled(folder / "ntu120_3danno.pkl", items, splits)


def write_ntu_raw(folder: Path, *, official: int = 60, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """`.skeleton` files in a folder; official: 60 or 120."""
    for name, (_, people) in _ntu(classes, official, per_class, frames).items():
        steps = range(people.shape[1])
        bodies = [[(f"7205759{i}", people[i, t]) for i in range(len(people))] for t in steps]
        written.skeleton(folder / f"{name}.skeleton", bodies)
    return folder


def write_pku_mmd(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """`pku_mmd.pkl` in pyskl's schema: xsub_train, xsub_val, xview_train, xview_val (the left view)."""
    items = {}
    for one in recordings(classes, 51, per_class, frames):
        video = f"{one.copy + 2:04d}-{'LMR'[one.view]}"
        items[f"{video}_{100 * one.number:05d}_A{one.label + 1:02d}"] = one, in_space(one, one.copy, 1 + one.number % 2)
    names = list(items)
    splits = _halves(names, lambda n: int(n[:4]) % 2 == 0, "xsub") | _halves(names, lambda n: n[5] != "L", "xview")
    return _pickled(folder / "pku_mmd.pkl", items, splits)


def write_pku_mmd_raw(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """Skeleton, label and split files: a video for each of `per_class`, one class after the other in it."""
    videos: dict[str, tuple[Floats, list[tuple[int, int, int, int]]]] = {}
    for one in recordings(classes, 51, per_class, frames):
        people = np.zeros((2, one.frames, NTU_25.count, 3), np.float32)
        seen = in_space(one, one.copy, 1 + one.number % 2)
        people[: len(seen)] = seen
        name = f"{one.copy + 2:04d}-{'LMR'[one.view]}"
        before, labels = videos.get(name, (np.zeros((0, 2, NTU_25.count, 3), np.float32), []))
        row = (one.label + 1, len(before), len(before) + one.frames, 2)
        videos[name] = np.concatenate([before, people.transpose(1, 0, 2, 3)]), [*labels, row]
    subject = _halves(list(videos), lambda n: int(n[:4]) % 2 == 0, "v")
    view = _halves(list(videos), lambda n: n[5] != "L", "v")
    written.pku_mmd(
        folder, videos, train=subject["v_train"], val=subject["v_val"], views=(view["v_train"], view["v_val"])
    )
    return folder


def _flat(one: Recording, count: int, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Keypoints (people, frames, 17, 2) in pixels, and scores."""
    each = one.people(COCO_17, one.copy, count)
    keypoint = np.stack([in_image(joints, size=size, right=0.5 * i) for i, joints in enumerate(each)])
    return keypoint, np.random.default_rng(one.label).uniform(0.7, 1, keypoint.shape[:3]).astype(np.float32)


def _no_halves() -> dict[str, list[str]]:
    return {"train": [], "val": []}


def write_kinetics(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """pyskl's `k400_hrnet.pkl` and its keypoint files in `kpfiles/`; every other clip shows two people."""
    clips: dict[str, tuple[int, str, Integers, Frames, int]] = {}
    splits = _no_halves()
    for one in recordings(classes, 400, per_class, frames):
        keypoint, score = _flat(one, 1 + one.copy % 2, (340, 256))
        name = f"clip{one.label:03d}_{one.copy:02d}"
        skeletons = np.concatenate([keypoint, score[..., None]], axis=-1).astype(np.float16)
        at = np.tile(np.arange(one.frames), len(skeletons))
        clips[name] = (one.label, f"kpfiles/part{one.copy % 2}.pkl", at, skeletons.reshape(-1, 17, 3), one.frames)
        splits["train" if one.copy % 4 < 3 else "val"].append(name)
    written.kinetics(folder, clips, split=splits)
    return folder / "k400_hrnet.pkl"


def write_finegym(folder: Path, *, per_class: int = 8, classes: int = 4, frames: int = 24) -> Path:
    """pyskl's `gym_hrnet.pkl`: train, val."""
    folder.mkdir(parents=True, exist_ok=True)
    annotations, splits = [], _no_halves()
    for one in recordings(classes, 99, per_class, frames):
        keypoint, score = _flat(one, 1, (1280, 720))
        name = f"Gymnast{one.copy:04d}_E_002184_002237_A_{100 * one.label:04d}_{100 * one.label + one.frames:04d}"
        shape = {"img_shape": (720, 1280), "original_shape": (720, 1280), "total_frames": one.frames}
        joints = {"keypoint": keypoint.astype(np.float16), "keypoint_score": score.astype(np.float16)}
        annotations.append({"frame_dir": name, "label": one.label, **shape, **joints})
        splits["train" if one.copy % 4 < 3 else "val"].append(name)
    written.pyskl(folder / "gym_hrnet.pkl", annotations, splits)
    return folder / "gym_hrnet.pkl"


def write_actions(folder: Path) -> dict[str, Path]:
    """Every action data set below `folder`, each in a folder of its own; what to load, by kind of data set."""
    paths = {
        "ntu60-pickle": write_ntu60(folder / "ntu60"),
        "ntu120-pickle": write_ntu120(folder / "ntu120"),
        "ntu60-raw": write_ntu_raw(folder / "nturgbd_skeletons_s001_to_s017"),
        "ntu120-raw": write_ntu_raw(folder / "nturgbd_skeletons_s001_to_s032", official=120),
        "kinetics-pickle": write_kinetics(folder / "kinetics"),
        "pku-mmd-pickle": write_pku_mmd(folder / "pku-mmd"),
        "pku-mmd-raw": write_pku_mmd_raw(folder / "pku-mmd-raw"),
        "finegym-pickle": write_finegym(folder / "finegym"),
    }
    return paths | {
        kind: write_recording(folder / "recordings", name)
        for name, kind in zip(RECORDINGS, ("utd-mhad", "nw-ucla", "msr-action3d", "kard", "hdm05"), strict=True)
    }


def write_all(folder: Path) -> dict[str, Path]:
    """The same, and CASIA-B for gait and for re-identification."""
    return write_actions(folder) | {
        "casia-b-gaitgraph": write_casia_b(folder / "casia-b"),
        "casia-b-opengait": write_opengait(folder / "casia-b-opengait"),
        "casia-b-transg": write_transg(folder / "casia-b-transg"),
    }
