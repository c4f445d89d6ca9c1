"""What is worn and carried: it changes the gait a little, and what the pose estimator sees a lot.

NM normal, BG with a bag (in a hand, over a shoulder, on the back), CL in a coat; CASIA-B's three conditions.
A subject has one bag and one coat, as in CASIA-B, where each was recorded on one day.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from model.named_layouts import COCO_17
from training.simulate.skeleton import Doubles
from training.simulate.style import COLUMNS, SIDES, Style

_JOINT = {name: i for i, name in enumerate(COCO_17.joints)}


class Condition(StrEnum):
    NM = "nm"
    BG = "bg"
    CL = "cl"


def _ones() -> Doubles:
    return np.ones(COCO_17.count)


def _zeros() -> Doubles:
    return np.zeros(COCO_17.count)


@dataclass(slots=True)
class Appearance:
    """How clothes and bags change what is seen, each (17,) over the joints.

    error: factor on the estimator's error. bias: factor on its constant offset. doubt: taken from the confidence.
    outward: metres by which joints seem to lie outward, to their own side.
    fit: (17, 3) constant offsets of unit variance that these clothes cause: the same on all walks in them.
    """

    error: Doubles = field(default_factory=_ones)
    bias: Doubles = field(default_factory=_ones)
    doubt: Doubles = field(default_factory=_zeros)
    outward: Doubles = field(default_factory=_zeros)
    fit: Doubles = field(default_factory=lambda: np.zeros((COCO_17.count, 3)))

    def blur(self, joints: list[str], factor: float, doubt: float) -> None:
        """Make these joints harder to see."""
        at = [_JOINT[joint] for joint in joints]
        self.error[at] *= factor
        self.bias[at] *= factor
        self.doubt[at] += doubt


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """What one subject brings: where the bag is and on which side, and how heavy bag and coat are (about 1).

    fits: (3, 17, 3) offsets of unit variance by usual clothes, bag and coat.
    """

    bag: str
    side: str
    weight: float
    strap_held: bool
    coat: float
    fits: Doubles

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Wardrobe":
        bag = ("hand", "shoulder", "back")[int(rng.choice(3, p=[0.3, 0.45, 0.25]))]
        side = SIDES[int(rng.random() < 0.65)]
        weight, coat = rng.uniform(0.6, 1.4, size=2)
        fits = rng.standard_normal((3, COCO_17.count, 3))
        return cls(bag, side, float(weight), bool(rng.random() < 0.45), float(coat), fits)


def dress(style: Style, condition: Condition, wardrobe: Wardrobe) -> tuple[Style, Appearance]:
    """The style under a condition, and how it looks."""
    appearance = Appearance()
    curves = style.curves.copy()
    if condition is Condition.BG:
        {"hand": _in_hand, "shoulder": _over_shoulder, "back": _on_back}[wardrobe.bag](curves, appearance, wardrobe)
    elif condition is Condition.CL:
        _coat(curves, appearance, wardrobe.coat)
    usual, bag, coat = wardrobe.fits
    appearance.fit = appearance.bias[:, None] * (0.6 * usual + 0.6 * coat) if condition is Condition.CL else usual
    if condition is Condition.BG:
        appearance.fit = usual + (appearance.bias[:, None] - 1) * bag
    return style.with_curves(curves), appearance


def dressed_look(condition: Condition, wardrobe: Wardrobe) -> Appearance:
    """How a condition looks on somebody who does not walk."""
    return dress(Style(np.zeros((1, len(COLUMNS))), 1.8, 0.1), condition, wardrobe)[1]


def _damp(curves: Doubles, names: list[str], factor: float) -> None:
    """Reduce the movement of curves, not their mean."""
    for name in names:
        curves[1:, COLUMNS[name]] *= factor


def _shift(curves: Doubles, **degrees: float) -> None:
    for name, value in degrees.items():
        curves[0, COLUMNS[name]] += value


def _in_hand(curves: Doubles, appearance: Appearance, wardrobe: Wardrobe) -> None:
    side, weight = wardrobe.side, wardrobe.weight
    high = 1.0 if side == "left" else -1.0
    _damp(curves, [f"{side}_arm", f"{side}_elbow"], max(0.45 - 0.15 * weight, 0.1))
    _shift(curves, **{f"{side}_elbow": -8 * weight, f"{side}_arm_out": 3 * weight, f"{side}_shoulder_up": -2 * weight})
    _shift(curves, side_lean=1.5 * weight * high)
    appearance.blur([f"{side}_wrist", f"{side}_knee"], 1.0 + 0.6 * weight, 0.06 * weight)
    appearance.blur([f"{side}_hip"], 1.0 + 0.3 * weight, 0.03 * weight)


def _over_shoulder(curves: Doubles, appearance: Appearance, wardrobe: Wardrobe) -> None:
    side, weight = wardrobe.side, wardrobe.weight
    high = 1.0 if side == "left" else -1.0
    _damp(curves, [f"{side}_arm", f"{side}_elbow"], max(0.6 - 0.2 * weight, 0.1))
    _shift(curves, **{f"{side}_arm_out": 5 * weight, f"{side}_shoulder_up": 3 * weight}, side_lean=-0.8 * weight * high)
    if wardrobe.strap_held:
        _shift(curves, **{f"{side}_elbow": 75.0, f"{side}_arm": 8.0, f"{side}_arm_in": 25.0})
    appearance.blur([f"{side}_hip", f"{side}_elbow", f"{side}_wrist"], 1.0 + 0.8 * weight, 0.08 * weight)
    appearance.blur([f"{side}_shoulder"], 1.0 + 0.5 * weight, 0.05 * weight)


def _on_back(curves: Doubles, appearance: Appearance, wardrobe: Wardrobe) -> None:
    weight = wardrobe.weight
    _damp(curves, [f"{side}_arm" for side in SIDES], 1 - 0.2 * weight)
    _shift(curves, lean=3.5 * weight, head_forward=4 * weight)
    both = [f"{side}_{joint}" for side in SIDES for joint in ("shoulder", "hip")]
    appearance.blur(both, 1.0 + 0.5 * weight, 0.04 * weight)


def _coat(curves: Doubles, appearance: Appearance, weight: float) -> None:
    _damp(curves, [f"{side}_{limb}" for side in SIDES for limb in ("thigh", "knee")], 1 - 0.05 * weight)
    _damp(curves, [f"{side}_arm" for side in SIDES], 1 - 0.15 * weight)
    _shift(curves, left_arm_out=4 * weight, right_arm_out=4 * weight)
    for joint, factor, doubt in (("hip", 0.9, 0.1), ("shoulder", 0.5, 0.05), ("knee", 0.8, 0.2), ("elbow", 0.3, 0.06)):
        appearance.blur([f"{side}_{joint}" for side in SIDES], 1.0 + factor * weight, doubt * weight)
    for joint, metres in (("hip", 0.016), ("shoulder", 0.01)):
        appearance.outward[[_JOINT[f"{side}_{joint}"] for side in SIDES]] += metres * weight
