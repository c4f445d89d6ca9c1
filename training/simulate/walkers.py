"""Simulated walkers: subjects, their walks, and what cameras see of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from signal import SIG_IGN, SIGINT, signal
from typing import Literal

import numpy as np

from model.named_layouts import COCO_17
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.simulate import gait
from training.simulate.anthropometry import Body, draw_body, draw_sex, standard_body
from training.simulate.cameras import CASIA_B_FPS, CASIA_B_VIEWS, Camera, casia_b_camera, random_camera, stacked
from training.simulate.conditions import Appearance, Condition, Wardrobe, dress
from training.simulate.noise import NoiseModel, body_bias, observe_all
from training.simulate.seeds import Purpose, generator
from training.simulate.skeleton import Doubles, turned
from training.simulate.style import draw_style, on_a_day

CASIA_B_WALKS: Mapping[str, int] = {"nm": 6, "bg": 2, "cl": 2}
FRAMES = (60, 110)
_PATH = 4.5  # metres of floor that a recording covers
Cameras = Literal["casia-b", "random"]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the walkers of a seed, subject numbers aside.

    views: angles of the ring for cameras "casia-b"; their number alone counts for "random" ones, which are other
    ones on every walk. walks: condition to number of walks. same_body: everybody has the standard body.
    """

    seed: int
    views: tuple[int, ...] = CASIA_B_VIEWS
    cameras: Cameras = "casia-b"
    walks: tuple[tuple[str, int], ...] = tuple(CASIA_B_WALKS.items())
    same_body: bool = False
    noise: NoiseModel = field(default_factory=NoiseModel)
    fps: float = CASIA_B_FPS

    @property
    def runs(self) -> list[tuple[Condition, int]]:
        """Condition and number of every walk, in order."""
        return [(Condition(c), n) for c, count in self.walks for n in range(1, count + 1)]


@dataclass(slots=True)
class Sighting:
    """One sequence: its frames (T, 17, 3) and labels."""

    frames: Floats
    subject: int
    condition: str
    number: int
    view: int


def simulate_walkers(
    subjects: int | Sequence[int],
    *,
    seed: int,
    views: Sequence[int] | int = CASIA_B_VIEWS,
    cameras: Cameras = "casia-b",
    walks: Mapping[str, int] = CASIA_B_WALKS,
    same_body: bool = False,
    noise: NoiseModel | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> SequenceSet:
    """Sequences of simulated walkers, COCO-17 in pixels with confidence, at 25 frames a second.

    subjects: how many (numbered from 1), or which numbers. views: angles of the ring, or for random cameras how many
    cameras each walk gets. Labels: subject "005", condition "nm", sequence "nm-01", view "090" (its angle, rounded),
    action "walk". A subject of a seed is the same whoever else is simulated. `workers` above 1 start processes, so the
    caller's main module must guard itself. `progress` is called with subjects done and their number.
    """
    numbers = list(range(1, subjects + 1)) if isinstance(subjects, int) else list(subjects)
    angles = tuple(range(views)) if isinstance(views, int) else tuple(views)
    plan = Plan(seed, angles, cameras, tuple(walks.items()), same_body, noise or NoiseModel())
    sightings: list[Sighting] = []
    for done, seen in enumerate(_of_all(numbers, plan, workers), start=1):
        sightings.extend(seen)
        if progress is not None:
            progress(done, len(numbers))
    return _as_set(sightings, plan)


def _of_all(numbers: Sequence[int], plan: Plan, workers: int) -> Iterator[list[Sighting]]:
    if workers <= 1 or len(numbers) < 2 * workers:
        yield from (sightings_of(number, plan) for number in numbers)
        return
    # Ctrl-C is the parent's to answer.
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=signal, initargs=(SIGINT, SIG_IGN)) as pool:
        try:
            yield from pool.map(partial(sightings_of, plan=plan), numbers, chunksize=2)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def people(subjects: Iterable[int], seed: int) -> list[dict[str, str]]:
    """Who was simulated, for figures by group: subject as in the data, sex, and stature in metres."""
    found = []
    for subject in subjects:
        sex = draw_sex(generator(seed, Purpose.BODY, subject))
        stature = draw_body(generator(seed, Purpose.BODY, subject)).stature
        found.append({"subject": f"{subject:03d}", "sex": sex, "stature": f"{stature:.3f}"})
    return found


def body_of(subject: int, plan: Plan) -> Body:
    """The body of a subject."""
    return standard_body() if plan.same_body else draw_body(generator(plan.seed, Purpose.BODY, subject))


def walks_of(subject: int, plan: Plan) -> tuple[Doubles, list[Appearance], list[np.random.Generator]]:
    """Every walk of a subject in space, (walks, T, 17, 3), how it looks, and its generator."""
    body = body_of(subject, plan)
    rng = generator(plan.seed, Purpose.STYLE, subject)
    style, wardrobe = draw_style(body.leg, rng), Wardrobe.draw(rng)
    rngs = [generator(plan.seed, Purpose.WALK, subject, _code(*run)) for run in plan.runs]
    dressed = [dress(on_a_day(style, r), run[0], wardrobe) for r, run in zip(rngs, plan.runs, strict=True)]
    walk = gait.walk_all(body, [s for s, _ in dressed], rngs, FRAMES[1], plan.fps)
    return _placed(walk.joints, rngs), [look for _, look in dressed], rngs


def _code(condition: Condition, number: int) -> int:
    """A number for a walk that does not depend on how many there are of other conditions."""
    return 1000 * list(Condition).index(condition) + number


def _placed(joints: Doubles, rngs: Sequence[np.random.Generator]) -> Doubles:
    """Walks (walks, T, 17, 3) through the middle of the scene, each a little beside and askew."""
    frames = joints.shape[1]
    root = joints[:, :, 11:13].mean(axis=2)
    middle = root[:, frames // 2] * [1, 0, 1]
    skew = np.array([rng.normal(0, 0.025) for rng in rngs])
    drift = np.stack([gait.wander(rng, frames, 1, 40)[:, 0] for rng in rngs])
    beside = np.array([[rng.normal(0, 0.1), 0, rng.normal(0, 0.2)] for rng in rngs])
    centred: Doubles = joints - middle[:, None, None]
    centred = turned(centred, skew[:, None, None]) + beside[:, None, None]
    centred[..., 0] += 0.012 * drift[:, :, None]
    return centred


def sightings_of(subject: int, plan: Plan) -> list[Sighting]:
    """All sequences of one subject."""
    joints, looks, rngs = walks_of(subject, plan)
    shown = [(w, v) for w in range(len(rngs)) for v in range(len(plan.views))]
    bodies = np.stack([j + body_bias(j, plan.noise, look, r) for j, look, r in zip(joints, looks, rngs, strict=True)])
    spans = [_span(walk, rng, plan.fps) for walk, rng in zip(joints, rngs, strict=True)]
    names = [(subject, _code(*plan.runs[w]), v if plan.cameras == "random" else plan.views[v]) for w, v in shown]
    cameras = stacked([_camera(plan, v, name) for (_, v), name in zip(shown, names, strict=True)])
    noise = [generator(plan.seed, Purpose.NOISE, *name) for name in names]
    looks_shown = [looks[w] for w, _ in shown]
    seen = observe_all(bodies[[w for w, _ in shown]], cameras, plan.noise, noise, fps=plan.fps, looks=looks_shown)
    found = []
    for i, (w, _) in enumerate(shown):
        condition, number = plan.runs[w]
        start, stop = _in_sight(seen[i], spans[w])
        view = int(np.round(cameras.view[i])) % 360
        found.append(Sighting(seen[i, start:stop].copy(), subject, condition.value, number, view))
    return found


def _camera(plan: Plan, view: int, name: tuple[int, int, int]) -> Camera:
    if plan.cameras == "casia-b":
        return casia_b_camera(plan.views[view], plan.seed)
    return random_camera(generator(plan.seed, Purpose.CAMERA, *name))


def _span(joints: Doubles, rng: np.random.Generator, fps: float) -> tuple[int, int]:
    """First and last frame of a recording that covers the floor, within the allowed number of frames."""
    root = joints[:, 11:13].mean(axis=1)
    speed = float(np.linalg.norm(root[-1] - root[0])) / (len(root) - 1) * fps
    frames = int(np.clip((_PATH + rng.normal(0, 0.25)) / max(speed, 0.3) * fps, 70, FRAMES[1]))
    start = (len(joints) - frames) // 2
    return start, start + frames


def _in_sight(frames: Floats, span: tuple[int, int]) -> tuple[int, int]:
    """The part of a span in which most of the body is in the picture; if that is too short, in which anything is."""
    start, stop = span
    for least in (0.5, 0.0):
        clear = np.flatnonzero((frames[start:stop, :, 2] > 0.2).mean(axis=1) > least)
        if len(clear) and (clear[-1] + 1 - clear[0] >= FRAMES[0] or least == 0.0):
            return start + int(clear[0]), start + int(clear[-1]) + 1
    return start, stop


def _as_set(sightings: Sequence[Sighting], plan: Plan) -> SequenceSet:
    return SequenceSet.of(
        np.concatenate([s.frames for s in sightings]),
        np.cumsum([0, *(len(s.frames) for s in sightings)]),
        COCO_17,
        plan.fps,
        subject=[f"{s.subject:03d}" for s in sightings],
        condition=[s.condition for s in sightings],
        view=[f"{s.view:03d}" for s in sightings],
        sequence=[f"{s.condition}-{s.number:02d}" for s in sightings],
        action=["walk"] * len(sightings),
        name=f"walkers-{plan.seed}",
    )
