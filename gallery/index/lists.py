"""The rows' codes in lists, as FAISS scans them; made from arrays in memory, searched by any number of threads."""

from typing import Any, Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.protocol import Kind
from gallery.index.quantiser import BLOCK, Codes, Quantiser
from model.sequence import Floats

# Of few lists, so many are looked through for a probe.
LEAST_LISTS = 16


class Chooser(Protocol):
    """Names the rows that are worth an exact look."""

    @property
    def kind(self) -> Kind: ...

    @property
    def bytes(self) -> int:
        """Of memory, the device's too."""

    def choose(self, probes: Floats, count: int, share: float) -> NDArray[np.int64]:
        """Slots (q, count) of the rows that seem best for each probe (q, dim), -1 where there are fewer.

        share: of all rows, how many may be looked at for it.
        """


class Lists:
    """Codes of rows, by list; a row's number is its slot. Nothing of it changes."""

    kind: Kind = "coarse"

    def __init__(self, quantiser: Quantiser, codes: Codes) -> None:
        self._quantiser = quantiser
        self._index = quantiser.empty()
        # Numbers of 16 bits are sorted by their digits, 15 times as fast.
        numbers = codes.lists.astype(np.uint16) if quantiser.lists <= 1 << 16 else codes.lists
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(codes.lists[order], np.arange(quantiser.lists + 1))
        packer = self._index.get_CodePacker()
        for number in range(quantiser.lists):
            slots = order[ends[number] : ends[number + 1]]
            if len(slots):
                packed = _packed(packer, codes.codes[slots])
                self._index.invlists.add_entries(number, len(slots), faiss.swig_ptr(slots), faiss.swig_ptr(packed))
        self._index.ntotal = len(order)

    @property
    def bytes(self) -> int:
        return int(self._index.ntotal) * (self._quantiser.code_bytes + 8) + self._quantiser.bytes

    def choose(self, probes: Floats, count: int, share: float) -> NDArray[np.int64]:
        lists = self._quantiser.lists
        probed = min(lists, max(LEAST_LISTS, round(share * lists)))
        asked = faiss.SearchParametersIVF(nprobe=probed)  # type: ignore[call-arg]
        found: NDArray[np.int64] = self._index.search(self._quantiser.turned(probes), count, params=asked)[1]
        return found


def _packed(packer: Any, codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Codes (n, bytes) in FAISS's blocks of 32 rows, the last one filled up with zeros."""
    blocks = -(-len(codes) // BLOCK)
    filled = np.zeros((blocks * BLOCK, codes.shape[1]), np.uint8)
    filled[: len(codes)] = codes
    packed = np.zeros((blocks, packer.block_size), np.uint8)
    for number in range(blocks):
        packer.pack_all(faiss.swig_ptr(filled[number * BLOCK :]), faiss.swig_ptr(packed[number]))
    return packed
