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
    return strides_of(apart[None], seen[None], fps)[0]


def strides_of(apart: Doubles, seen: NDArray[np.bool_], fps: float) -> list[Stride | None]:
    """The same of several sequences of one length: apart (sequences, frames, n, dims), seen (sequences, frames)."""
    known = seen.sum(axis=1) >= 8
    if not known.any() or apart.shape[1] / fps < 1.5 * STRIDE_S[0]:
        return [None] * len(apart)
    some, seen = apart[known], seen[known]
    step = max(1, round(fps / FASTEST_RATE))
    signed = _without_drift(_filled(some.reshape(*some.shape[:2], -1), seen)[:, ::step])
    length = _without_drift(_filled(np.sqrt((some**2).sum(axis=-1)), seen)[:, ::step])
    swings = np.sqrt((signed**2).sum(axis=2).mean(axis=1) / some.shape[2])
    strides = _repeats(signed, fps / step, STRIDE_S)
    steps = _repeats(length, fps / step, (STRIDE_S[0] / 2, STRIDE_S[1] / 2))
    found = iter(
        Stride(*(stride if each[1] <= stride[1] else (2 * each[0], *each[1:])), swing)
        for stride, each, swing in zip(strides, steps, swings.tolist(), strict=True)
    )
    return [next(found) if is_known else None for is_known in known.tolist()]


def _repeats(signals: Doubles, rate: float, periods: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Of each signal (signals, frames, n): period in seconds, correlation one period later, and its negative half a
    period later."""
    curves = _autocorrelation(signals, int(np.ceil(periods[1] * rate)) + 1)
    lags = curves.shape[1]
    first, last = max(int(periods[0] * rate), 2), min(lags - 2, int(signals.shape[1] * 0.67))
    inner = curves[:, first : last + 1]
    peaks = (inner >= curves[:, first - 1 : last]) & (inner >= curves[:, first + 1 : last + 2])
    heights = np.where(peaks, inner, 0.0)
    best = heights.max(axis=1, initial=0.0)
    # Every multiple of the period fits as well; the shortest that is nearly the best is the period.
    chosen = np.argmax(heights >= 0.8 * best[:, None], axis=1) if last >= first else np.zeros(len(best), np.intp)
    return [
        _one_repeat(curve, first + lag, rate) if highest > 0 else (np.inf, 0.0, 0.0)
        for curve, lag, highest in zip(curves, chosen.tolist(), best.tolist(), strict=True)
    ]


def _one_repeat(curve: Doubles, lag: int, rate: float) -> tuple[float, float, float]:
    half = 0.5 * (curve[lag // 2] + curve[(lag + 1) // 2])
    return lag / rate, float(curve[lag]), float(-half)


def _filled(signals: Doubles, seen: NDArray[np.bool_]) -> Doubles:
    """What was not seen is interpolated."""
    if seen.all():
        return signals
    at = np.arange(signals.shape[1])
    each = [
        np.stack([np.interp(at, at[there], column[there]) for column in signal.T], axis=1)
        for signal, there in zip(signals, seen, strict=True)
    ]
    return np.stack(each)


def _without_drift(signals: Doubles) -> Doubles:
    """Less what changes slower than a stride: the mean, and a straight line (a walker who turns or comes nearer)."""
    count = signals.shape[1]
    time = np.arange(count) - (count - 1) / 2
    level = signals - signals.mean(axis=1, keepdims=True)
    slope = np.einsum("t,stn->sn", time, level) / max(time @ time, 1.0)
    return np.asarray(level - time[:, None] * slope[:, None])


def _autocorrelation(signals: Doubles, lags: int) -> Doubles:
    """(signals, lags + 1) correlation of each with itself, each lag by its own overlap, so that it does not fade."""
    count = signals.shape[1]
    lags = min(lags, count - 2)
    squares = (signals**2).sum(axis=2)
    # Padded to twice its length, the circular correlation of the transform is the plain one.
    spectrum = np.fft.rfft(signals, 2 * count, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=2)
    summed = np.fft.irfft(power, 2 * count, axis=1)[:, : lags + 1]
    energy = np.concatenate([np.zeros((len(signals), 1)), np.cumsum(squares, axis=1)], axis=1)
    lag = np.arange(lags + 1)
    norm = np.sqrt(energy[:, count - lag] * (energy[:, -1:] - energy[:, lag]))
    curves: Doubles = np.divide(summed, norm, out=np.zeros_like(summed), where=norm > 1e-12 * energy[:, -1:])
    return curves
