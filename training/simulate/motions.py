"""What each simple action is: keyframed angles with random amplitudes, speeds and beginnings.

An action is a function of the times (T,) in seconds, a generator, and the length of the recording in seconds.
"""

from collections.abc import Callable

import numpy as np

from training.simulate.anthropometry import Body
from training.simulate.skeleton import Doubles
from training.simulate.timeline import Motion, eased


def between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def stand(at: Doubles, rng: np.random.Generator, _: float) -> Motion:
    """Stands, looks about, shifts weight; sometimes moves a hand."""
    look, lean = between(rng, -30, 30), between(rng, -3, 3)
    turn = eased(at, (between(rng, 0, 1), 0.0), (between(rng, 1.2, 3), look))
    motion = Motion(at).set(head_turn=turn, trunk_turn=0.2 * turn, side_lean=eased(at, (0.3, 0.0), (2.0, lean)))
    if rng.random() < 0.3:
        side, begin, much = _side(rng), between(rng, 0.2, 1.5), between(rng, 20, 90)
        lift = eased(at, (begin, 5.0), (begin + 0.7, much), (begin + 1.4, between(rng, 5, much)))
        motion.set(**{f"{side}_forearm": lift})
    return motion


def sit_down(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Stands, then sits down on a seat of ordinary height."""
    begin, last = between(rng, 0.1, 0.25) * end, between(rng, 0.7, 0.95) * end
    return _seat(at, rng, begin, last)


def stand_up(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Sits, leans forward and rises."""
    begin, last = between(rng, 0.1, 0.3) * end, between(rng, 0.7, 0.92) * end
    motion = _seat(end - at, rng, end - last, end - begin)
    return Motion(at, motion.angles)


def _seat(at: Doubles, rng: np.random.Generator, begin: float, last: float) -> Motion:
    """From standing at `begin` to sitting at `last`."""
    middle = begin + between(rng, 0.45, 0.65) * (last - begin)
    seat, under = between(rng, 75, 97), between(rng, -8, 18)
    thigh = eased(at, (begin, 0.0), (last - 0.05, seat))
    knee = thigh * (seat + under) / seat + 3
    lean = eased(at, (begin, 3.0), (middle, between(rng, 22, 50)), (last + 0.3, between(rng, -8, 12)))
    rest = between(rng, 15, 60)
    arm = eased(at, (begin, 0.0), (last, rest)) + between(rng, -20, 40) * _bump(at, begin, last)
    fore = eased(at, (begin, 10.0), (last, rest + between(rng, 10, 45)))
    return Motion(at).set(lean=lean, head_pitch=0.3 * lean).both(thigh=thigh, knee=knee, arm=arm, forearm=fore)


def _bump(at: Doubles, begin: float, last: float) -> Doubles:
    middle = 0.5 * (begin + last)
    return eased(at, (begin, 0.0), (middle, 1.0), (last, 0.0))


def wave(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Raises one hand, or both, and waves it."""
    begin, up = between(rng, -0.8, 0.15) * end, between(rng, 0.4, 0.9)
    down = end * (between(rng, 0.8, 1.0) if rng.random() < 0.4 else 1.5)
    share = eased(at, (begin, 0.0), (begin + up, 1.0), (down, 1.0), (down + up, 0.0))
    rate, wide = between(rng, 1.0, 2.6), between(rng, 12, 38)
    swing = wide * np.sin(2 * np.pi * (rate * at + rng.random())) * share
    high, ahead = between(rng, 40, 150), between(rng, 0, 60)
    motion = Motion(at)
    for side in ("left", "right") if rng.random() < 0.15 else (_side(rng),):
        motion.set(
            **{
                f"{side}_arm": share * ahead,
                f"{side}_arm_out": 8 + share * (high - 8) + 0.15 * swing,
                f"{side}_forearm": share * between(rng, 0, 25),
                f"{side}_forearm_out": share * max(between(rng, 140, 185), high) + swing,
            }
        )
    return motion


def bend(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Bends forward, to the floor or half way, and mostly comes up again."""
    begin, low = between(rng, 0.02, 0.2) * end, between(rng, 0.4, 0.55) * end
    depth, hold = between(rng, 45, 105), between(rng, 0.0, 0.15) * end
    back = depth * (0.0 if rng.random() < 0.75 else between(rng, 0.3, 1.0))
    lean = eased(at, (begin, 3.0), (low, depth), (low + hold, depth), (between(rng, 0.85, 1.0) * end, back))
    soft = between(rng, 0.0, 0.55)
    reach = between(rng, -5, 35)
    motion = Motion(at).set(lean=lean, head_forward=15 + 0.1 * lean, head_pitch=-between(rng, 0.4, 0.9) * lean)
    motion.both(thigh=(0.5 * soft - 0.12) * lean, knee=4 + soft * lean)
    motion.both(arm=reach * lean / depth, forearm=(reach + between(rng, 0, 20)) * lean / depth)
    return motion


def squat(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Squats once or a few times, with the arms ahead or hanging."""
    turns = 1 if end < 2.6 else int(rng.integers(1, 4))
    begin = between(rng, 0.02, 0.15) * end
    period = (end - begin) / turns
    keys = [(begin, 0.0)]
    for i in range(turns):
        keys += [(begin + (i + 0.5) * period, between(rng, 0.9, 1.0)), (begin + (i + 1) * period, 0.0)]
    share = eased(at, *keys)
    thigh, lean = share * between(rng, 65, 108), 3 + share * between(rng, 18, 45)
    ahead = share * (between(rng, 50, 95) if rng.random() < 0.6 else between(rng, 0, 25))
    motion = Motion(at).set(lean=lean, head_pitch=0.3 * lean)
    return motion.both(thigh=thigh, knee=4 + thigh * between(rng, 1.1, 1.3), arm=ahead, forearm=8 + ahead)


def turn(at: Doubles, rng: np.random.Generator, end: float) -> Motion:
    """Turns on the spot, a quarter or all the way round, in small steps."""
    begin, last = between(rng, 0.03, 0.2) * end, between(rng, 0.75, 1.0) * end
    angle = between(rng, 80, 360) * (1 if rng.random() < 0.5 else -1)
    angle = float(np.clip(angle, -130 * (last - begin), 130 * (last - begin)))
    yaw = eased(at, (begin, 0.0), (last, angle))
    rate, lift = between(rng, 0.8, 1.15), between(rng, 12, 28)
    moving = eased(at, (begin - 0.1, 0.0), (begin + 0.2, 1.0), (last - 0.2, 1.0), (last + 0.1, 0.0))
    phase = 2 * np.pi * (rate * (at - begin) + 0.5 * rng.integers(2))
    step = {"left": moving * np.maximum(np.sin(phase), 0), "right": moving * np.maximum(-np.sin(phase), 0)}
    lead = np.sign(angle) * moving
    motion = Motion(at, yaw=yaw).set(trunk_turn=8 * lead, head_turn=20 * lead)
    for side, share in step.items():
        motion.set(**{f"{side}_thigh": lift * share, f"{side}_knee": 4 + 2.1 * lift * share})
        motion.set(**{f"{side}_arm": between(rng, -6, 6) * moving, f"{side}_foot": -15 * share})
    return motion


ACTIONS: dict[str, Callable[[Doubles, np.random.Generator, float], Motion]] = {
    "stand": stand,
    "sit_down": sit_down,
    "stand_up": stand_up,
    "wave": wave,
    "bend": bend,
    "squat": squat,
    "turn": turn,
}


def _side(rng: np.random.Generator) -> str:
    return "right" if rng.random() < 0.65 else "left"


def rest_of(rng: np.random.Generator, body: Body) -> dict[str, float]:
    """How somebody stands: angles in degrees, feet apart in metres."""
    feet = between(rng, 0.08, 0.32) / 2 - body.hip_width / 2
    rest = {"lean": between(rng, -2, 6), "head_forward": between(rng, 10, 24), "head_pitch": between(rng, -12, 6)}
    manner = rng.choice(4, p=[0.72, 0.1, 0.1, 0.08])
    for side in ("left", "right"):
        out = between(rng, 4, 14)
        arms = {"arm": between(rng, -8, 10), "arm_out": out, "forearm": between(rng, 5, 25), "forearm_out": out - 4}
        if manner == 1:  # hands on the hips
            arms = {"arm": -20.0, "arm_out": 38.0, "forearm": 30.0, "forearm_out": -38.0}
        elif manner == 2:  # arms crossed
            arms = {"arm": 22.0, "arm_out": 6.0, "forearm": 95.0, "forearm_out": -55.0}
        elif manner == 3:  # hands behind the back
            arms = {"arm": -15.0, "arm_out": 14.0, "forearm": -28.0, "forearm_out": -24.0}
        for name, value in {**arms, "lateral": feet, "knee": between(rng, 2, 8)}.items():
            rest[f"{side}_{name}"] = value
    return rest
