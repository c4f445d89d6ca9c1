"""One track's last frames, cut into the windows that a model takes, as soon as each is whole."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from model.clips import ClipSpec
from model.following import Seen
from model.sequence import Floats


class Windows:
    """Windows of a track at the rate of its source, placed as `model.clips.window_places` places them: one every
    stride, and at the end one that is aligned to it. It holds no more frames than two windows have.

    spec: of the model. fps: of the frames that come in.
    """

    def __init__(self, spec: ClipSpec, fps: float) -> None:
        # As many frames as are left as `spec.frames` after resampling (`model.clips.resample`).
        self.length = math.ceil((spec.frames - 1) * fps / spec.fps - 1e-9) + 1
        self._stride = max(1, min(round(spec.stride * fps / spec.fps), self.length))
        self._frames: list[Floats] = []
        # Of the first frame held and of the next window, counted from the frame number `_origin`.
        self._start = self._next = self._origin = 0

    @property
    def held(self) -> int:
        """Frames in memory."""
        return len(self._frames)

    def add(self, seen: Sequence[Seen]) -> Iterator[tuple[int, Floats]]:
        """Take frames in; gives the windows that they complete: number of the first frame, and frames (n, joints,
        channels). Frames that are left out in between are missing, all zero; after a hole of more than a window it
        begins anew."""
        for number, pose in seen:
            hole = number - self._origin - self._start - len(self._frames)
            if not self._frames or hole > self.length:
                yield from filter(None, [self.rest()])
                self._frames, self._start, self._next, self._origin = [], 0, 0, number
                hole = 0
            self._frames += [*[np.zeros_like(pose)] * hole, pose]
            yield from self._whole()

    def _whole(self) -> Iterator[tuple[int, Floats]]:
        while self._start + len(self._frames) >= self._next + self.length:
            # The one before this may still be needed for the last window; nothing older is.
            keep = self._next - self._stride
            drop = max(0, keep - self._start)
            del self._frames[:drop]
            self._start += drop
            first = self._next - self._start
            yield self._window(first, first + self.length)
            self._next += self._stride

    def rest(self) -> tuple[int, Floats] | None:
        """The last window, aligned to the end, if there are frames that were in none; shorter where the track is."""
        end = self._start + len(self._frames)
        covered = self._next - self._stride + self.length if self._next else 0
        if not self._frames or end <= covered:
            return None
        return self._window(max(0, len(self._frames) - self.length), len(self._frames))

    def _window(self, first: int, last: int) -> tuple[int, Floats]:
        return self._origin + self._start + first, np.stack(self._frames[first:last])
