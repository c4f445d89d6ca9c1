"""FAISS on a GPU, where there is one: it names the best rows, which are then compared on the processor, so that the
answers are the same. It has not run on a GPU yet; the tests use a fake of the few calls that are made.
"""

import threading
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.effort import Effort
from gallery.index.parts import Parts
from gallery.index.protocol import Kind
from model.sequence import Floats

# FAISS selects no more than this many on a GPU.
MOST_ROWS = 2048


def gpus() -> int:
    """How many GPUs FAISS can use. `StandardGpuResources()` can be made without any, so it tells nothing."""
    count = getattr(faiss, "get_num_gpus", None)
    return 0 if count is None else int(count())


def gpu_rows(parts: Parts) -> "GpuRows | None":
    """The rows on a GPU; None where there is none."""
    return GpuRows(parts) if gpus() > 0 else None


class GpuRows:
    """All rows on the first GPU, in float32."""

    kind: Kind = "gpu"
    # It compares all rows: a few more than are wanted make up for another order of rounding.
    effort = Effort(64, 1.0)

    def __init__(self, parts: Parts) -> None:
        self._resources: Any = faiss.StandardGpuResources()
        self._index: Any = faiss.GpuIndexFlatIP(self._resources, parts.dim)
        for _, rows in parts.blocks():
            self._index.add(np.ascontiguousarray(rows))
        self.bytes = 4 * parts.count * parts.dim
        # One search at a time: FAISS's GPU indexes cannot be shared by threads.
        self._searching = threading.Lock()

    def choose(self, probes: Floats, count: int, share: float) -> NDArray[np.int64]:  # noqa: ARG002
        with self._searching:
            found: NDArray[np.int64] = self._index.search(probes, min(count, MOST_ROWS))[1]
        return found
