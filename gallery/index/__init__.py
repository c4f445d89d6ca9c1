"""The index: a cache of the store's embeddings that finds the nearest templates. FAISS lives in this package only."""

from gallery.index.flat import FlatIndex
from gallery.index.policy import IndexPolicy, build_index
from gallery.index.protocol import Ids, Kind, VectorIndex

__all__ = ["FlatIndex", "Ids", "IndexPolicy", "Kind", "VectorIndex", "build_index"]
