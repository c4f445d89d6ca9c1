"""Small simulated data of people: CASIA-B for gait and re-identification, and npz sets as those of real recordings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.named_layouts import CASIA_14, HDM05_27, KARD_15, KINECT_20
from tests.training.acted import before_kinect, body, recordings
from tests.training.data import written
from training.simulate.walkers import simulate_walkers
from training.simulate.write import write_casia_b as write_csv_files


def write_casia_b(
    folder: Path,
    *,
    subjects: Sequence[int] = (1, 2, 3, 4, 60, 61, 75, 76, 77),
    views: Sequence[int] = (0, 90, 180),
    seed: int = 5,
) -> Path:
    """GaitGraph's two CSV files of simulated walkers, six nm, two bg and two cl runs each; 60-74 choose."""
    folder.mkdir(parents=True, exist_ok=True)
    write_csv_files(folder, simulate_walkers(list(subjects), seed=seed, views=tuple(views)))
    return folder


def write_opengait(
    folder: Path, *, subjects: Sequence[int] = (1, 2, 75, 76), views: Sequence[int] = (0, 90), seed: int = 5
) -> Path:
    """The same walkers in the tree of OpenGait and FastPoseGait, with the partition in a JSON file."""
    walkers = simulate_walkers(list(subjects), seed=seed, views=tuple(views))
    keys = zip(walkers.subject.tolist(), walkers.sequence_name.tolist(), walkers.view.tolist(), strict=True)
    poses = {key: np.array(walkers.clip_frames(i)) for i, key in enumerate(keys)}
    halves = [[f"{n:03d}" for n in subjects if n <= 74], [f"{n:03d}" for n in subjects if n > 74]]
    written.opengait(folder, poses, partition=halves)
    return folder


def write_transg(
    folder: Path, *, train: int = 3, test: int = 3, windows: int = 4, frames: int = 40, spread: float = 0.3
) -> Path:
    """TranSG's .npy files: `windows` of 14 joints in space for each person (from 001, and from 063) and condition.

    spread: length of a random change to everybody's joints that is his or hers alone; bag and coat add to it.
    """
    place = folder / "CASIA_B_match" / str(frames)
    halves = [("CASIA_B_train_npy_data", "", range(1, train + 1), 0.0)]
    halves += [
        (f"CASIA_B_test_npy_data/{name}", "t_", range(63, 63 + test), 0.5 * i)
        for i, name in enumerate(("nm", "bg", "cl"))
    ]
    for where, prefix, people, worn in halves:
        given = [person for person in people for _ in range(windows)]
        joints = np.stack([_window(p, i, frames, spread, worn) for i, p in enumerate(given)])
        written.transg_part(place / where, given, frames, prefix=prefix)
        for axis, values in zip("xyz", np.moveaxis(joints, -1, 0), strict=True):
            np.save(place / where / f"{prefix}source_{axis}_CASIA_B_{frames}.npy", values.reshape(-1, 14))
    return folder


def _window(person: int, i: int, frames: int, spread: float, worn: float) -> NDArray[np.float64]:
    own, now = np.random.default_rng(person), np.random.default_rng((person, i))
    change = spread * (own.normal(size=(14, 3)) + worn * now.normal(size=(14, 3)))
    return body(CASIA_14, person, frames, seed=i) + change


RECORDINGS: Mapping[str, tuple[Layout, str, tuple[str, ...]]] = MappingProxyType(
    {
        "utd_mhad": (KINECT_20, "arm curl", ("s1",)),
        "nw_ucla": (KINECT_20, "doffing", ("v01", "v02", "v03")),
        "msr_action3d": (KINECT_20, "golf swing", ("front",)),
        "kard": (KARD_15, "phone call", ("front",)),
        "hdm05_subset": (HDM05_27, "jumping jack", ("",)),
    }
)
"""Of each npz of real recordings: layout, an action that tells whose it is, views."""


def write_recording(
    folder: Path, name: str, *, per_class: int = 8, classes: int = 4, frames: int = 40, subjects: int = 4
) -> Path:
    """`<name>.npz` as the recordings of real people are kept, one of `RECORDINGS`; people 1 to `subjects` by turns."""
    layout, sign, views = RECORDINGS[name]
    chosen = list(recordings(classes, classes, per_class, frames))
    poses = [before_kinect(one.people(layout, one.copy % subjects)[0], yaw=30.0 * (one.view - 1)) for one in chosen]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"{name}.npz",
        frames=np.concatenate(poses), offsets=np.cumsum([0, *map(len, poses)]), joints=np.array(layout.joints),
        fps=30.0, units="metres, Kinect v1 camera space", condition=np.full(len(chosen), ""),
        subject=np.array([1 + one.copy % subjects for one in chosen]),
        view=np.array([views[one.view % len(views)] for one in chosen]),
        action=np.array([sign if one.number == 0 else f"action {one.number}" for one in chosen]),
        sequence=np.array([f"a{one.number:02d}_{one.copy:02d}" for one in chosen]),
    )  # fmt: skip
    return folder / f"{name}.npz"
