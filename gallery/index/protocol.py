"""What an index is to those who search it."""

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

if TYPE_CHECKING:
    from gallery.index.recall import Recall
    from gallery.index.view import View

Ids: TypeAlias = NDArray[np.int64]
Kind: TypeAlias = Literal["flat", "coarse", "compact", "gpu"]


class VectorIndex(Protocol):
    """Finds, for each probe, the templates with the highest inner product.

    Any number of threads may search while one writes; a search takes no lock and sees the state before or after a
    write, never between. Nothing else than its own answer changes when an id is removed.
    """

    @property
    def dim(self) -> int: ...

    @property
    def count(self) -> int:
        """How many ids can be found."""

    @property
    def kind(self) -> Kind:
        """How it searches now: `flat` compares with every row; the others choose rows, which they compare."""

    @property
    def recall(self) -> "Recall | None":
        """What comparing its answers with exact ones has found; None where none are compared."""

    @property
    def memory_bytes(self) -> int:
        """Bytes of all its arrays."""

    def frozen(self) -> "View":
        """What it holds now; later writes do not show there."""

    def settle(self) -> None:
        """Wait until what is done beside (training, taking in what came) is done."""

    def add(self, vectors: Floats, ids: Ids) -> None:
        """Add rows (n, dim), float32, under ids (n,) that are not there yet."""

    def remove(self, ids: Ids) -> None:
        """Remove these ids; those that are not there are passed by."""

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ids]:
        """The k best of each probe (q, dim): scores and ids (q, min(k, count)), best first, equal scores by id."""

    def search_within(self, vectors: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        """As `search`, exact, among these ids (distinct) only; those that are not there are passed by."""

    def vectors_of(self, ids: Ids) -> Floats:
        """The rows (n, dim) of these ids, float32: as they were added, or rounded if it is compact.

        Rows of ids that are not there (another thread may just have removed them) are NaN.
        """
