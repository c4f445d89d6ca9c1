"""A pose estimator's errors, and the confidence it states.

Errors grow with self-occlusion, with clothing and, in share of the body, with distance; they drift and jitter, are
quantised as a heat map is, and the confidence falls where they are large. Left and right swap in short bursts where
limbs cross, joints and whole frames are lost. All magnitudes are shares of the body's height in the image, so that
they hold for any resolution.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from training.simulate.cameras import Camera
from training.simulate.conditions import Appearance
from training.simulate.occlusion import occlusion
from training.simulate.skeleton import Doubles

Singles = NDArray[np.float32]

BODY_HEIGHT = 1.7  # metres that one body height in the image stands for
# Relative difficulty of the joints in COCO order, and confidence where nothing is wrong.
_DIFFICULTY = (0.7, 0.7, 0.7, 0.9, 0.9, 1.0, 1.0, 1.05, 1.05, 1.25, 1.25, 1.4, 1.4, 1.0, 1.0, 1.15, 1.15)
_ASSURANCE = (0.94, 0.94, 0.94, 0.91, 0.91, 0.9, 0.9, 0.91, 0.91, 0.88, 0.88, 0.85, 0.85, 0.9, 0.9, 0.89, 0.89)
_ARMS, _LEGS = np.array([7, 8, 9, 10]), np.array([13, 14, 15, 16])


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """Parameters; lengths as shares of the body's height in the image, rates a second.

    jitter: standard error of a well seen joint of difficulty 1, of which `drift_share` (variance) is slow.
    quality_spread: standard deviation of the logarithm of jitter between sequences.
    floor: pixels that are added whatever the size. occluded: how many times larger the error is when hidden.
    fit, bias, view_bias: constant offsets of a joint: by the clothes (in space), on one walk (in space), and in one
    view of it (in the image).
    """

    jitter: float = 0.006
    quality_spread: float = 0.3
    floor: float = 0.3
    occluded: float = 3.0
    drift_share: float = 0.55
    drift_seconds: float = 0.25
    fit: float = 0.005
    bias: float = 0.0015
    view_bias: float = 0.002
    quantum: float = 1.3 / 96 / 4
    swap_rate: float = 1.6
    drop_rate: float = 0.08
    hidden_drop_rate: float = 1.6
    frame_drop_rate: float = 0.12
    difficulty: tuple[float, ...] = field(default=_DIFFICULTY)
    assurance: tuple[float, ...] = field(default=_ASSURANCE)

    @classmethod
    def none(cls) -> "NoiseModel":
        """A perfect estimator, for tests and pictures."""
        return cls(
            jitter=0.0, floor=0.0, fit=0.0, bias=0.0, view_bias=0.0, quantum=0.0,
            swap_rate=0.0, drop_rate=0.0, hidden_drop_rate=0.0, frame_drop_rate=0.0,
        )  # fmt: skip


@dataclass(slots=True)
class Draws:
    """The random numbers of several sequences, each from its own generator, (S, T, ...)."""

    white: Singles
    slow: Singles
    quality: Singles
    start: Singles
    view_bias: Singles
    confidence: Singles
    chance: Singles
    length: Singles

    @classmethod
    def of(cls, rngs: Sequence[np.random.Generator], frames: int) -> "Draws":
        normal = [rng.standard_normal((frames + 1, 17, 5), dtype=np.float32) for rng in rngs]
        uniform = np.stack([rng.random((frames, 40), dtype=np.float32) for rng in rngs])
        both = np.stack(normal)
        first, rest = both[:, 0], both[:, 1:]
        return cls(
            rest[..., :2], rest[..., 2:4], first[:, 0, 4], first[..., 2:4], first[..., :2], rest[..., 4],
            uniform[..., :20], uniform[..., 20:],
        )  # fmt: skip


def observe(
    joints: Doubles, camera: Camera, noise: NoiseModel, rng: np.random.Generator, *, fps: float = 25.0,
    appearance: Appearance | None = None,
) -> Singles:  # fmt: skip
    """What an estimator reports of COCO-17 joints (T, 17, 3) in metres, y up: (T, 17, 3) x, y, confidence.

    A joint or frame that is lost has confidence 0 and coordinates 0.
    """
    one = Camera(camera.position[None], camera.axes[None], camera.focal[None], camera.size[None], camera.view[None])
    looks = [appearance or Appearance(fit=rng.standard_normal((17, 3)))]
    shifted = joints + body_bias(joints, noise, looks[0], rng)
    seen: Singles = observe_all(shifted[None], one, noise, [rng], fps=fps, looks=looks)[0]
    return seen


def body_bias(joints: Doubles, noise: NoiseModel, look: Appearance, rng: np.random.Generator) -> Doubles:
    """Constant offset (17, 3) of what the clothes of one walk make of the joints (T, 17, 3), in metres."""
    left = (joints[:, 11] - joints[:, 12]).mean(axis=0)
    left /= max(float(np.linalg.norm(left)), 1e-6)
    side = np.array([0.0] + [1.0, -1.0] * 8)
    scale = BODY_HEIGHT * np.asarray(noise.difficulty)[:, None]
    offset = scale * (noise.fit * look.fit + noise.bias * rng.standard_normal((17, 3)))
    biased: Doubles = offset + (side * look.outward)[:, None] * left
    return biased


def observe_all(
    joints: Doubles, cameras: Camera, noise: NoiseModel, rngs: Sequence[np.random.Generator], *, fps: float,
    looks: Sequence[Appearance],
) -> Singles:  # fmt: skip
    """`observe` of many sequences (S, T, 17, 3) at once, each with its camera, generator and appearance."""
    draws = Draws.of(rngs, joints.shape[1])
    exact, far = cameras.project(joints)
    pixels, depth = exact.astype(np.float32), far.astype(np.float32)
    scale = (cameras.focal[:, None] / depth[..., 11:13].mean(axis=-1)).astype(np.float32)
    hidden = occlusion(pixels, depth, scale, joints.astype(np.float32), cameras.position.astype(np.float32))
    size = scale * np.float32(BODY_HEIGHT)
    pixels = _pulled(pixels, hidden)
    error = _error(draws, hidden, size, noise, looks, fps)
    confidence = _confidence(draws, error, hidden, size, noise, looks)
    seen = _quantised(pixels + error, size, noise)
    _leave_frame(seen, confidence, cameras)
    _swap(seen, confidence, draws, size, noise.swap_rate / fps)
    _lose(confidence, hidden, draws, noise, fps)
    seen[confidence == 0] = 0.0
    report: Singles = np.concatenate([np.round(seen, 2), np.round(confidence, 3)[..., None]], axis=-1)
    return report


def _looks(looks: Sequence[Appearance], name: str) -> Singles:
    return np.stack([getattr(look, name) for look in looks]).astype(np.float32)


def _pulled(pixels: Singles, hidden: Singles) -> Singles:
    """Hidden joints are guessed towards their visible counterpart."""
    other = pixels.copy()
    other[..., 5::2, :], other[..., 6::2, :] = pixels[..., 6::2, :], pixels[..., 5::2, :]
    pull = 0.18 * hidden
    pull[..., :5] = 0
    pulled: Singles = pixels + pull[..., None] * (other - pixels)
    return pulled


def _error(
    draws: Draws, hidden: Singles, size: Singles, noise: NoiseModel, looks: Sequence[Appearance], fps: float
) -> Singles:
    """Error in pixels (S, T, 17, 2): slow drift, jitter and the constant offset of the view."""
    if noise.jitter == 0 and noise.floor == 0:
        return np.zeros_like(draws.white)
    keep = float(np.exp(-1 / (noise.drift_seconds * fps)))
    gain = float(np.sqrt(1 - keep**2))
    slow = lfilter([gain], [1.0, -keep], draws.slow, axis=1, zi=keep * draws.start[:, None])[0].astype(np.float32)
    share = noise.drift_share
    mixed = float(np.sqrt(share)) * slow + float(np.sqrt(1 - share)) * draws.white
    hard = np.asarray(noise.difficulty, dtype=np.float32) * _looks(looks, "error")[:, None]
    jitter = noise.jitter * np.exp(np.float32(noise.quality_spread) * draws.quality)[:, None, None]
    spread = jitter * hard * (1 + (noise.occluded - 1) * hidden) * size[..., None] + noise.floor
    constant = draws.view_bias * (noise.view_bias * np.asarray(noise.difficulty, dtype=np.float32))[:, None]
    error: Singles = mixed * spread[..., None] + constant[:, None] * size[..., None, None]
    return error


def _confidence(
    draws: Draws, error: Singles, hidden: Singles, size: Singles, noise: NoiseModel, looks: Sequence[Appearance]
) -> Singles:
    missed = np.sqrt((error**2).sum(axis=-1)) / size[..., None]
    sure = np.asarray(noise.assurance, dtype=np.float32) - 0.42 * hidden - _looks(looks, "doubt")[:, None]
    small = 0.05 * np.clip(60 / size - 0.3, 0, 2)[..., None]
    confidence: Singles = np.clip(sure - 3.5 * missed - small + 0.035 * draws.confidence, 0.03, 0.99)
    return confidence


def _quantised(pixels: Singles, size: Singles, noise: NoiseModel) -> Singles:
    """Coordinates on the grid of a heat map's quarter cells."""
    if noise.quantum == 0:
        return pixels
    cell = (size * np.float32(noise.quantum))[:, :1, None, None]
    grid: Singles = np.round(pixels / cell) * cell
    return grid


def _leave_frame(pixels: Singles, confidence: Singles, cameras: Camera) -> None:
    """Outside of the picture nothing is seen: the guess sticks to the border and is not trusted."""
    edge = (cameras.size[:, None, None, :] - 1).astype(np.float32)
    outside = ((pixels < 0) | (pixels > edge)).any(axis=-1)
    np.clip(pixels, 0, edge, out=pixels)
    confidence[outside] = np.minimum(confidence[outside], 0.15)


def _bursts(start: NDArray[np.bool_], length: Singles) -> NDArray[np.bool_]:
    """Runs of 1 to 4 frames (axis 1) from starts, by a uniform draw for each."""
    on = start.copy()
    for more in (1, 2, 3):
        on[:, more:] |= start[:, :-more] & (length[:, :-more] > more / 4)
    return on


def _swap(pixels: Singles, confidence: Singles, draws: Draws, size: Singles, chance: float) -> None:
    """Exchange left and right of crossing arms or legs for a few frames."""
    for column, limbs in ((17, _LEGS), (18, _ARMS)):
        left, right = limbs[0::2], limbs[1::2]
        gap = np.abs(pixels[..., left, 0] - pixels[..., right, 0]).mean(axis=-1) / size
        crossing = np.exp(-((gap / 0.05) ** 2))
        on = _bursts(draws.chance[..., column] < chance * crossing, draws.length[..., column])
        where = np.nonzero(on)
        for a, b in zip(left, right, strict=True):
            for values in (pixels, confidence):
                values[(*where, a)], values[(*where, b)] = values[(*where, b)], values[(*where, a)].copy()
            confidence[(*where, a)] *= 0.8
            confidence[(*where, b)] *= 0.8


def _lose(confidence: Singles, hidden: Singles, draws: Draws, noise: NoiseModel, fps: float) -> None:
    """Joints, hidden ones sooner, and whole frames get confidence 0."""
    rate = (noise.drop_rate + noise.hidden_drop_rate * hidden**2) / fps
    lost = _bursts(draws.chance[..., :17] < rate, draws.length[..., :17])
    frames = _bursts(draws.chance[..., 19] < noise.frame_drop_rate / fps, draws.length[..., 19])
    confidence[lost | frames[..., None]] = 0.0
