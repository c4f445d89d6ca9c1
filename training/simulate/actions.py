"""Simple actions for the classifier: stand, sit down, stand up, wave, bend, squat, turn; other bodies, other manners.

Each recording is two to four seconds of one of `motions.ACTIONS` on a random body, before the same cameras and with the
same noise as the walkers.
"""

from collections.abc import Sequence

import numpy as np

from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.simulate import skeleton
from training.simulate.anthropometry import draw_body
from training.simulate.cameras import CASIA_B_FPS, CASIA_B_VIEWS, Camera, casia_b_camera, random_camera, stacked
from training.simulate.conditions import Condition, Wardrobe, dressed_look
from training.simulate.gait import wander
from training.simulate.motions import ACTIONS, between, rest_of
from training.simulate.noise import NoiseModel, Singles, body_bias, observe_all
from training.simulate.seeds import Purpose, generator
from training.simulate.skeleton import Doubles, turned
from training.simulate.timeline import pose_of
from training.simulate.walkers import Cameras, Progress

SECONDS = (2.0, 4.0)
_LONGEST = int(SECONDS[1] * CASIA_B_FPS)
_REACH = 0.8  # metres from the middle that a camera has to see


def recordings_of(
    subject: int, seed: int, per_action: int
) -> tuple[Doubles, list[str], list[int], list[np.random.Generator]]:
    """All recordings of a subject in space (R, T, 17, 3), their actions, lengths in frames, and generators."""
    body = draw_body(generator(seed, Purpose.BODY, subject))
    names = [name for name in ACTIONS for _ in range(per_action)]
    codes = [(list(ACTIONS).index(name), i) for name in ACTIONS for i in range(per_action)]
    rngs = [generator(seed, Purpose.ACTION, subject, *code) for code in codes]
    ends = [between(rng, *SECONDS) for rng in rngs]
    at = np.arange(_LONGEST) / CASIA_B_FPS
    motions = [ACTIONS[name](at, rng, end) for name, rng, end in zip(names, rngs, ends, strict=True)]
    loose = np.stack([wander(rng, _LONGEST, 40, 18) * rng.uniform(0.6, 2.0) for rng in rngs])
    pose = pose_of(motions, loose, [rest_of(rng, body) for rng in rngs])
    joints = planted(skeleton.place(body, pose))
    yaw = np.stack([np.radians(motion.yaw) + np.zeros(_LONGEST) for motion in motions])
    return turned(joints, yaw[..., None]), names, [int(end * CASIA_B_FPS) for end in ends], rngs


def planted(placed: skeleton.Placed) -> Doubles:
    """Joints (R, T, 17, 3) with the lower foot on the floor and the feet where they are."""
    joints = placed.joints.copy()
    joints[..., 1] -= placed.feet[..., 1].min(axis=(-1, -2))[..., None]
    stays = joints[..., 15:17, 2].mean(axis=-1)
    joints[..., 2] -= stays[..., None]
    return joints


def simulate_actions(
    subjects: int | Sequence[int],
    *,
    seed: int,
    per_action: int = 2,
    views: int = 1,
    cameras: Cameras = "random",
    noise: NoiseModel | None = None,
    progress: Progress | None = None,
) -> SequenceSet:
    """Recordings of simple actions, COCO-17 in pixels with confidence, at 25 frames a second.

    Each of `subjects` people does each action `per_action` times before `views` cameras: random ones, or ones drawn
    from the ring of CASIA-B. Labels: subject "005", action as in `ACTIONS`, sequence "wave-01", view, condition nm
    or cl (a coat).
    """
    numbers = list(range(1, subjects + 1)) if isinstance(subjects, int) else list(subjects)
    model = noise or NoiseModel()
    frames: list[Singles] = []
    labels: list[tuple[str, str, str, str, str]] = []
    for done, number in enumerate(numbers, start=1):
        _film(number, seed, per_action, views, cameras, model, frames, labels)
        if progress is not None:
            progress(done, len(numbers))
    subject_of, action, sequence, view, condition = zip(*labels, strict=True)
    offsets = np.cumsum([0, *(len(f) for f in frames)])
    return SequenceSet.of(
        np.concatenate(frames), offsets, COCO_17, CASIA_B_FPS, name=f"actions-{seed}",
        subject=subject_of, action=action, sequence=sequence, view=view, condition=condition,
    )  # fmt: skip


def _film(
    subject: int, seed: int, per_action: int, views: int, cameras: Cameras, noise: NoiseModel,
    frames: list[Singles], labels: list[tuple[str, str, str, str, str]],
) -> None:  # fmt: skip
    """Append what cameras see of one subject."""
    joints, names, lengths, rngs = recordings_of(subject, seed, per_action)
    shown = [(r, v) for r in range(len(rngs)) for v in range(views)]
    wear = [Condition.CL if rng.random() < 0.25 else Condition.NM for rng in rngs]
    looks = [dressed_look(c, Wardrobe.draw(rng)) for c, rng in zip(wear, rngs, strict=True)]
    bodies = np.stack([j + body_bias(j, noise, look, r) for j, look, r in zip(joints, looks, rngs, strict=True)])
    each = [generator(seed, Purpose.NOISE, subject, 10_000 + r, v) for r, v in shown]
    filmed = stacked([_camera(rng, cameras, seed) for rng in each])
    which = [r for r, _ in shown]
    seen = observe_all(bodies[which], filmed, noise, each, fps=CASIA_B_FPS, looks=[looks[r] for r in which])
    for i, r in enumerate(which):
        view = int(np.round(filmed.view[i])) % 360
        frames.append(seen[i, : lengths[r]].copy())
        labels.append(
            (f"{subject:03d}", names[r], f"{names[r]}-{r % per_action + 1:02d}", f"{view:03d}", wear[r].value)
        )


def _camera(rng: np.random.Generator, cameras: Cameras, seed: int) -> Camera:
    if cameras == "random":
        return random_camera(rng, reach=_REACH)
    return casia_b_camera(CASIA_B_VIEWS[rng.integers(len(CASIA_B_VIEWS))], seed)
