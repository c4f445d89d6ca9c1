"""Data sets in exactly the formats they are distributed in, small, written by the tests."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from model.named_layouts import COCO_17


def joints(people, frames, count, dims, *, seed=0, dtype=np.float16):
    """People standing some metres (or a hundred pixels) away, none of whose joints is zero."""
    rng = np.random.default_rng(seed)
    size = 1.0 if dims == 3 else 100.0
    return (rng.uniform(1, 2, (people, frames, count, dims)) * size).astype(dtype)


# pyskl


def annotation(name, label, *, people=1, frames=5, seed=0, **more):
    """3-D, as in ntu60_3danno.pkl."""
    keypoint = joints(people, frames, 25, 3, seed=seed)
    return {"frame_dir": name, "label": label, "keypoint": keypoint, "total_frames": frames, **more}


def flat_annotation(name, label, *, people=1, frames=5, seed=0, **more):
    """2-D, as in gym_hrnet.pkl."""
    return {
        "frame_dir": name,
        "label": label,
        "img_shape": (720, 1280),
        "original_shape": (720, 1280),
        "total_frames": frames,
        "keypoint": joints(people, frames, 17, 2, seed=seed),
        "keypoint_score": np.full((people, frames, 17), 0.75, np.float16),
        **more,
    }


def pyskl(path, annotations, split=None, *, protocol=2, **renamed):
    """mmcv writes protocol 2."""
    content = {"split": split or {}, renamed.get("key", "annotations"): annotations}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


# NTU .skeleton


def body(name, pose, state=2):
    """Lines of one body in one frame; pose (25, 3)."""
    lines = [f"{name} 0 1 1 1 1 0 0.1 -0.2 2", "25"]
    lines += [f"{x} {y} {z} 250.1 190.2 1000.5 500.25 -0.2 0.01 0.9 -0.1 {state}" for x, y, z in pose]
    return lines


def skeleton(path, frames):
    """frames: for each a list of (id, pose[, state])."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for one in bodies:
            lines += body(*one)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def standing(frames, *, x=0.0, motion=0.1, seed=0):
    """(frames, 25, 3) of somebody tall and narrow who moves a little."""
    rng = np.random.default_rng(seed)
    pose = np.stack([rng.uniform(-0.2, 0.2, 25) + x, np.linspace(-0.9, 0.9, 25), np.full(25, 3.0)], axis=1)
    return (pose + rng.normal(0, motion, (frames, 1, 3))).round(4)


# Kinetics


def kinetics(folder, clips, *, split=None):
    """clips: {name: (label, raw_file, frame_inds, keypoint (n, 17, 3), total)}."""
    items: list[dict[str, Any]] = []
    files: dict[str, dict[str, Any]] = {}
    for name, (label, raw, frames, keypoint, total) in clips.items():
        item = {"frame_dir": name, "label": label, "img_shape": (256, 340), "original_shape": (256, 340)}
        item |= {"total_frames": total, "raw_file": raw, "frame_inds": np.array(frames, np.int16)}
        item |= {"box_score": np.ones(len(frames), np.float16), "valid": {0.5: total}}
        items.append(item)
        files.setdefault(raw, {})[name] = {"keypoint": keypoint}
    for raw, content in files.items():
        file = folder / "kpfiles" / Path(raw).name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(content, protocol=2))
    return pyskl(folder / "k400_hrnet.pkl", items, split or {"train": list(clips), "val": []})


# PKU-MMD


def pku_mmd(folder, videos, *, train=(), val=(), views=None):
    """videos: {"0001-L": ((T, 2, 25, 3) joints, [(label, start, end, confidence), ...])}."""
    for place in ("PKU_Skeleton_Renew", "Train_Label_PKU_final", "Split"):
        (folder / place).mkdir(parents=True, exist_ok=True)
    for video, (poses, labels) in videos.items():
        text = "\n".join(" ".join(f"{value:.5f}" for value in frame.reshape(-1)) for frame in poses)
        (folder / "PKU_Skeleton_Renew" / f"{video}.txt").write_text(text + "\n")
        lines = "\n".join(",".join(map(str, label)) for label in labels)
        (folder / "Train_Label_PKU_final" / f"{video}.txt").write_text(lines + "\n")
    split = f"Training videos:\n{', '.join(train)}\nValidataion videos:\n{', '.join(val)}\n"
    (folder / "Split" / "cross-subject.txt").write_text(split)
    if views:
        split = f"Training videos:\n{', '.join(views[0])}\nValidataion videos:\n{', '.join(views[1])}\n"
        (folder / "Split" / "cross-view.txt").write_text(split)
    return folder


# CASIA-B


def opengait(root, sequences, *, partition=None):
    """sequences: {("001", "nm-01", "090"): (T, 17, 3)}."""
    for (subject, kind, view), poses in sequences.items():
        place = root / subject / kind / view
        place.mkdir(parents=True)
        (place / f"{view}.pkl").write_bytes(pickle.dumps(poses))
    if partition:
        (root / "CASIA-B.json").write_text(json.dumps(dict(zip(("TRAIN_SET", "TEST_SET"), partition, strict=True))))
    return root


def transg_part(place, people, length, *, prefix, seed=0):
    """One half: windows of `people` (a person for each window)."""
    place.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for axis in "xyz":
        values = rng.uniform(1, 2, (len(people), length, 14))
        np.save(place / f"{prefix}source_{axis}_CASIA_B_{length}.npy", values.reshape(-1, 14))
    ids: Any = {person: [i for i, other in enumerate(people) if other == person] for person in dict.fromkeys(people)}
    np.save(place / f"ids_CASIA_B_{length}.npy", ids, allow_pickle=True)
    np.save(place / f"frame_id_CASIA_B_{length}.npy", np.array(people))


def transg(root, *, train=(1, 1, 2), test=(63, 63, 64), length=6):
    place = root / "CASIA_B_match" / str(length)
    transg_part(place / "CASIA_B_train_npy_data", train, length, prefix="")
    for i, condition in enumerate(("nm", "bg", "cl")):
        transg_part(place / "CASIA_B_test_npy_data" / condition, test, length, prefix="t_", seed=i + 1)
    return root


def gaitgraph(path, names, frames=3):
    """names: "001-nm-01-090" and so on."""
    header = "image_name," + ",".join(f"{joint}_{axis}" for joint in COCO_17.joints for axis in ("x", "y", "conf"))
    rows = [f"x/{name}/{f:06d}.jpg," + ",".join(["10.5,20.5,0.9"] * 17) for name in names for f in range(frames)]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path
