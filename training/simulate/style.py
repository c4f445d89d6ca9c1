"""How one person moves: Fourier series of joint angles over the stride, normative means and individual deviations.

A style is a matrix of Fourier coefficients, one column a curve. Curves of a limb run over that limb's own stride
(0 = heel contact of that side), so left and right are alike up to asymmetry. Normative curves follow Winter and Perry:
thigh 30 to -17 degrees, knee flexion with a loading response of 15 to 20 and a swing peak of 64, and so on.

Angles in degrees, sway and bounce in metres. Signs: flexion forward is positive, knee and elbow flexion positive,
rotations positive to the left (about the upward axis), side lean and obliquity positive where the left side is high.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Doubles: TypeAlias = NDArray[np.float64]

HARMONICS = 6
SIDES = ("left", "right")
# Every 5 % of the stride from heel contact.
_THIGH = [26, 25.5, 23, 18.5, 12.5, 6.5, 0.5, -5, -10, -14.5, -17.5, -16, -9, 0, 10, 18.5, 25.5, 29.5, 30.5, 29]
_KNEE = [5, 11, 17, 19, 18, 15, 12, 9, 7.5, 8.5, 13, 23, 38, 53, 62.5, 64, 58, 44, 26, 10]
_FOOT = [19, 4, 0, 0, 0, 0, 0, -1, -4, -11, -21, -37, -58, -62, -52, -38, -22, -6, 8, 18]


@dataclass(frozen=True, slots=True)
class Curve:
    """One angle over the stride.

    mean: either 20 samples over the stride, or (offset, then cosine and sine amplitude of harmonics 1, 2).
    The rest are standard deviations between people: of the offset, of the relative amplitude, of the timing in
    radians of the stride, and of each harmonic's own coefficients (divided by its number).
    """

    name: str
    mean: Sequence[float]
    offset: float
    amplitude: float
    timing: float
    shape: float


# Thigh, knee, foot, arm and elbow exist on either side; the others belong to the trunk.
SIDED = (
    Curve("thigh", _THIGH, 2.4, 0.1, 0.05, 1.2),
    Curve("knee", _KNEE, 2.4, 0.08, 0.07, 1.8),
    Curve("foot", _FOOT, 0.0, 0.05, 0.0, 0.0),
    Curve("bow", [0.0], 1.2, 0.0, 0.0, 0.25),  # knee outward of the line from hip to ankle
    Curve("arm", [-5, -14.5, 0, 1.5, -1], 4.5, 0.35, 0.16, 1.2),
    Curve("elbow", [24, -9, -3, 0, 0], 8.0, 0.35, 0.2, 1.6),
    Curve("arm_out", [8.0], 2.8, 0.0, 0.0, 0.7),
    Curve("arm_in", [14.0], 8.0, 0.0, 0.0, 1.5),  # forearm turned inward
    Curve("shoulder_up", [0.0, 0, 0, 0.5, 0], 2.4, 0.3, 0.1, 0.3),
)
CENTRAL = (
    Curve("pelvis_turn", [0, -4.5, 1.0, 0, 0], 0.8, 0.35, 0.2, 0.5),
    Curve("obliquity", [0, 1.5, 3.5, 0, 0], 0.5, 0.35, 0.15, 0.3),
    Curve("lean", [3, 0, 0, 0.8, 0.5], 2.8, 0.3, 0.2, 0.3),
    Curve("side_lean", [0, -0.8, -1.8, 0, 0], 0.8, 0.5, 0.2, 0.4),
    Curve("trunk_turn", [0, 4, -1, 0, 0], 1.2, 0.4, 0.2, 0.6),
    Curve("head_pitch", [-3, 0, 0, 0.8, 0], 5.0, 0.4, 0.3, 0.4),
    Curve("head_turn", [0.0], 2.0, 0.0, 0.0, 0.7),
    Curve("head_tilt", [0, 0, -0.6, 0, 0], 1.8, 0.5, 0.0, 0.3),
    Curve("head_forward", [16, 0, 0, 0, 0], 5.0, 0.0, 0.0, 0.2),
    Curve("sway", [0, 0.004, 0.018, 0, 0], 0.0, 0.3, 0.2, 0.001),
)
COLUMNS = {
    **{f"{side}_{curve.name}": i for i, (side, curve) in enumerate((s, c) for s in SIDES for c in SIDED)},
    **{curve.name: 2 * len(SIDED) + i for i, curve in enumerate(CENTRAL)},
}
# The share of a limb's deviation that its sides do not have in common.
ASYMMETRY = 0.3
_ROWS = 2 * HARMONICS + 1
_LEFT = slice(0, len(SIDED))
_RIGHT = slice(len(SIDED), 2 * len(SIDED))
_CENTRAL = slice(2 * len(SIDED), None)


@dataclass(frozen=True, slots=True)
class Style:
    """curves: (13, columns) Fourier coefficients: constant, cosines 1..6, sines 1..6.

    cadence: steps a second. step_width: metres between the ankles' tracks."""

    curves: Doubles
    cadence: float
    step_width: float

    def curve(self, name: str) -> Doubles:
        return self.curves[:, COLUMNS[name]]

    def with_curves(self, curves: Doubles) -> "Style":
        return replace(self, curves=curves)


def basis(phase: Doubles) -> Doubles:
    """Values (..., 13) of the Fourier functions at a phase in radians."""
    turns = phase[..., None] * np.arange(1, HARMONICS + 1)
    return np.concatenate([np.ones_like(phase)[..., None], np.cos(turns), np.sin(turns)], axis=-1)


def opposite(curves: Doubles) -> Doubles:
    """Coefficients of the same curves half a stride later."""
    sign = np.where(np.arange(1, HARMONICS + 1) % 2 == 1, -1.0, 1.0)
    later: Doubles = curves * np.concatenate([[1.0], sign, sign])[:, None]
    return later


def _coefficients(mean: Sequence[float]) -> Doubles:
    if len(mean) == 20:
        spectrum = np.fft.rfft(mean) / 20
        inner = spectrum[1 : HARMONICS + 1]
        return np.concatenate([[spectrum[0].real], 2 * inner.real, -2 * inner.imag])
    padded = [*mean, 0.0, 0.0, 0.0, 0.0][:5]
    row = np.zeros(_ROWS)
    row[[0, 1, HARMONICS + 1, 2, HARMONICS + 2]] = padded
    return row


@cache
def normative() -> Doubles:
    """(13, columns): the curves of nobody in particular; read-only."""
    sided = np.stack([_coefficients(curve.mean) for curve in SIDED], axis=1)
    central = np.stack([_coefficients(curve.mean) for curve in CENTRAL], axis=1)
    curves = np.concatenate([sided, opposite(sided), central], axis=1)
    curves.setflags(write=False)
    return curves


def _deviated(mean: Doubles, specs: tuple[Curve, ...], size: float, rng: np.random.Generator) -> Doubles:
    """Curves `mean` (13, n) with deviations of relative size `size` as `specs` say."""
    columns = np.array([[c.offset, c.amplitude, c.timing, c.shape] for c in specs]).T * size
    n = len(specs)
    draw = np.clip(rng.standard_normal((3, n)), -2.5, 2.5)
    order = np.arange(1, HARMONICS + 1)[:, None]
    cosine, sine = mean[1 : HARMONICS + 1], mean[HARMONICS + 1 :]
    shift = order * (columns[2] * draw[2])
    gain = np.maximum(1 + columns[1] * draw[1], 0.1)
    wobble = rng.standard_normal((2, HARMONICS, n)) * columns[3] / order
    return np.concatenate(
        [
            mean[:1] + columns[0] * draw[0],
            gain * (cosine * np.cos(shift) - sine * np.sin(shift)) + wobble[0],
            gain * (sine * np.cos(shift) + cosine * np.sin(shift)) + wobble[1],
        ]
    )


def deviated(curves: Doubles, size: float, rng: np.random.Generator) -> Doubles:
    """All curves with random deviations; `size` 1 is the spread between people."""
    common, own = size * np.sqrt(1 - ASYMMETRY**2), size * ASYMMETRY
    state = rng.integers(0, 2**63)
    left = _deviated(curves[:, _LEFT], SIDED, common, np.random.default_rng(state))
    # The same draw for the right, seen half a stride later, is what makes the sides alike.
    right = _deviated(opposite(curves[:, _RIGHT]), SIDED, common, np.random.default_rng(state))
    left = _deviated(left, SIDED, own, rng)
    right = _deviated(right, SIDED, own, rng)
    return np.concatenate([left, opposite(right), _deviated(curves[:, _CENTRAL], CENTRAL, size, rng)], axis=1)


def draw_style(leg: float, rng: np.random.Generator, *, size: float = 1.0) -> Style:
    """A random person's way of walking; longer legs (metres) step more slowly."""
    draw = np.clip(rng.standard_normal(3), -2.5, 2.5)
    cadence = 1.83 * np.sqrt(0.895 / leg) * (1 + 0.07 * size * draw[0])
    return Style(
        curves=deviated(normative(), size, rng),
        cadence=float(np.clip(cadence, 1.45, 2.25)),
        step_width=float(np.clip(0.09 + 0.025 * size * draw[1], 0.02, 0.18)),
    )


def on_a_day(style: Style, rng: np.random.Generator, *, size: float = 0.3) -> Style:
    """The same person on one walk: everything a little different, and the pace with it.

    A faster walk has quicker and longer steps in equal parts, and wider arm swings.
    """
    draw = np.clip(rng.standard_normal(2), -2.5, 2.5)
    pace = float(np.exp(0.15 * size * draw[0]))
    curves = deviated(style.curves, size, rng)
    for name, gain in (("thigh", np.sqrt(pace)), ("arm", pace), ("elbow", pace)):
        for side in SIDES:
            curves[1:, COLUMNS[f"{side}_{name}"]] *= gain
    width = float(np.clip(style.step_width + 0.02 * size * draw[1], 0.01, 0.2))
    return Style(curves, float(np.clip(style.cadence * np.sqrt(pace), 1.4, 2.35)), width)
