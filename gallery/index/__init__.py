"""The index: a cache of the store's embeddings that finds the nearest templates. FAISS lives in this package only."""

from gallery.index.coarse import CoarseIndex
from gallery.index.flat import FlatIndex
from gallery.index.policy import IndexPolicy, build_index
from gallery.index.protocol import Ids, Kind, VectorIndex
from gallery.index.recall import Recall
from gallery.index.snapshot import Loaded, SnapshotHeader, read_snapshot, write_snapshot

__all__ = [
    "CoarseIndex",
    "FlatIndex",
    "Ids",
    "IndexPolicy",
    "Kind",
    "Loaded",
    "Recall",
    "SnapshotHeader",
    "VectorIndex",
    "build_index",
    "read_snapshot",
    "write_snapshot",
]
