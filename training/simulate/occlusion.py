"""How much of each joint the body itself hides from the camera, from 0 to 1."""

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

# COCO-17 indices of a limb's ends and its radius in metres; the trunk runs from mid-shoulder to mid-hip.
_LIMBS: tuple[tuple[int, int, float], ...] = ((5, 7, 0.05), (6, 8, 0.05), (7, 9, 0.045), (8, 10, 0.045))
_LIMBS += ((11, 13, 0.085), (12, 14, 0.085), (13, 15, 0.06), (14, 16, 0.06))
_TRUNK_RADIUS = 0.125
# Depth (metres) behind a limb's axis where a joint begins to be hidden, and over which it becomes wholly so.
_BEHIND, _BEHIND_RAMP = 0.05, 0.12


def occlusion(pixels: Singles, depth: Singles, scale: Singles, points: Singles, camera: Singles) -> Singles:
    """Share hidden (..., T, 17).

    pixels: (..., T, 17, 2), depth: (..., T, 17) metres from the camera, scale: (..., T) pixels a metre at the body,
    points: (..., T, 17, 3) metres, camera: (..., 3) its position.
    """
    hidden = np.zeros(depth.shape, dtype=np.float32)
    joints = np.arange(5, 17)
    for first, last, radius in _LIMBS:
        rest = joints[(joints != first) & (joints != last)]
        ends = (pixels[..., first, :], pixels[..., last, :], depth[..., first], depth[..., last])
        _hide(hidden, rest, pixels, depth, ends, radius * scale)
    trunk = (
        pixels[..., 5:7, :].mean(axis=-2),
        pixels[..., 11:13, :].mean(axis=-2),
        depth[..., 5:7].mean(axis=-1),
        depth[..., 11:13].mean(axis=-1),
    )
    _hide(hidden, joints, pixels, depth, trunk, _TRUNK_RADIUS * scale)
    # The far shoulder and hip are covered by the trunk, whose outline still gives them away.
    hidden[..., [5, 6, 11, 12]] *= 0.55
    hidden[..., :5] = _face(points, camera)
    return hidden


def _hide(
    hidden: Singles,
    joints: NDArray[np.intp],
    pixels: Singles,
    depth: Singles,
    ends: tuple[Singles, Singles, Singles, Singles],
    radius: Singles,
) -> None:
    """Raise `hidden` of `joints` by the limb between two ends."""
    start, stop, near, far = ends
    along = stop - start
    square = np.maximum((along**2).sum(axis=-1), 1e-3)[..., None]
    offset = pixels[..., joints, :] - start[..., None, :]
    part = np.clip((offset[..., 0] * along[..., None, 0] + offset[..., 1] * along[..., None, 1]) / square, 0, 1)
    dx = offset[..., 0] - part * along[..., None, 0]
    dy = offset[..., 1] - part * along[..., None, 1]
    away = np.sqrt(dx * dx + dy * dy) / radius[..., None]
    behind = depth[..., joints] - (near[..., None] + part * (far - near)[..., None])
    share = np.clip((1.25 - away) / 0.5, 0, 1) * np.clip((behind - _BEHIND) / _BEHIND_RAMP, 0, 1)
    hidden[..., joints] = np.maximum(hidden[..., joints], share)


def _face(points: Singles, camera: Singles) -> Singles:
    """Nose, eyes and ears hide behind the head when they look away from the camera."""
    middle = points[..., 3:5, :].mean(axis=-2)
    ahead = points[..., 0, :] - middle
    left = points[..., 3, :] - points[..., 4, :]
    to_camera = camera[..., None, :] - middle
    front, side = _cosine(ahead, to_camera), _cosine(left, to_camera)
    facing = np.stack([front + 0.35, front + 0.45 * side, front - 0.45 * side, side + 0.25, -side + 0.25], axis=-1)
    return np.clip(0.5 - facing / 0.5, 0, 1).astype(np.float32)


def _cosine(a: Singles, b: Singles) -> Singles:
    length = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine: Singles = (a * b).sum(axis=-1) / np.maximum(length, 1e-6)
    return cosine
