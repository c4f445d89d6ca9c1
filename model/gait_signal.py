"""Do the legs alternate, and how often: the stride from the autocorrelation of the separation of the legs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

STRIDE_S = (0.5, 2.2)
"""A sprinter's stride takes half a second, the slowest patient's somewhat over two."""
FASTEST_RATE = 40.0
"""Gait has nothing above 10 Hz; faster recordings are thinned before their lags are searched."""


@dataclass(frozen=True, slots=True)
class Stride:
    """period: seconds; infinite where nothing repeats. regularity: correlation with itself one stride later.

    alternation: its negative, half a stride later; both are 1 for a perfect walk. swing: how far the legs move against
    each other (root mean square), in body heights.
    """

    period: float
    regularity: float
    alternation: float
    swing: float

    @property
    def step_frequency(self) -> float:
        """Steps a second, two a stride."""
        return 2 / self.period


def stride_of(apart: Doubles, seen: NDArray[np.bool_], fps: float) -> Stride | None:
    """The stride in the separation of the legs.

    apart: (frames, n, dims) left less right of ankles and knees, in body heights. seen: (frames,) where it is known;
    what is not is interpolated. None where less than one and a half of the shortest strides is there.

    Pose estimators confuse left and right when legs cross in profile. Then the distance of the legs still repeats with
    every step, and the better of the two signals counts.
    """
    if seen.sum() < 8 or len(apart) / fps < 1.5 * STRIDE_S[0]:
        return None
    step = max(1, round(fps / FASTEST_RATE))
    signed = _without_drift(_filled(apart.reshape(len(apart), -1), seen)[::step])
    length = _without_drift(_filled(np.sqrt((apart**2).sum(axis=-1)), seen)[::step])
    swing = float(np.sqrt((signed**2).sum(axis=1).mean() / apart.shape[1]))
    found = _repeats(signed, fps / step, STRIDE_S)
    steps = _repeats(length, fps / step, (STRIDE_S[0] / 2, STRIDE_S[1] / 2))
    if steps[1] > found[1]:
        found = (2 * steps[0], *steps[1:])
    return Stride(*found, swing)


def _repeats(signal: Doubles, rate: float, periods: tuple[float, float]) -> tuple[float, float, float]:
    """Period in seconds, correlation one period later, and its negative half a period later."""
    curve = _autocorrelation(signal, int(np.ceil(periods[1] * rate)) + 1)
    first, last = max(int(periods[0] * rate), 2), min(len(curve) - 2, int(len(signal) * 0.67))
    inner = curve[first : last + 1]
    peaks = inner >= np.maximum(curve[first - 1 : last], curve[first + 1 : last + 2])
    lags = first + np.flatnonzero(peaks)
    best = curve[lags].max(initial=0.0)
    if best <= 0:
        return np.inf, 0.0, 0.0
    # Every multiple of the period fits as well; the shortest that is nearly the best is the period.
    lag = int(lags[np.argmax(curve[lags] >= 0.8 * best)])
    half = np.interp(lag / 2, np.arange(len(curve)), curve)
    return lag / rate, float(curve[lag]), float(-half)


def _filled(signal: Doubles, seen: NDArray[np.bool_]) -> Doubles:
    """What was not seen is interpolated."""
    if seen.all():
        return signal
    at = np.arange(len(signal))
    return np.stack([np.interp(at, at[seen], column[seen]) for column in signal.T], axis=1)


def _without_drift(signal: Doubles) -> Doubles:
    """Less what changes slower than a stride: the mean, and a straight line (a walker who turns or comes nearer)."""
    time = np.arange(len(signal)) - (len(signal) - 1) / 2
    level = signal - signal.mean(axis=0)
    slope = time @ level / max(time @ time, 1.0)
    return np.asarray(level - time[:, None] * slope)


def _autocorrelation(signal: Doubles, lags: int) -> Doubles:
    """(lags + 1,) correlation of the signal with itself, each lag by its own overlap, so that it does not fade."""
    count = len(signal)
    lags = min(lags, count - 2)
    each = [np.correlate(column, column, "full")[count - 1 : count + lags] for column in signal.T]
    energy = np.concatenate([[0.0], np.cumsum((signal**2).sum(axis=1))])
    lag = np.arange(lags + 1)
    norm = np.sqrt(energy[count - lag] * (energy[-1] - energy[lag]))
    curve: Doubles = np.divide(np.sum(each, axis=0), norm, out=np.zeros(lags + 1), where=norm > 0)
    return curve
