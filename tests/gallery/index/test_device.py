from collections.abc import Callable
from types import SimpleNamespace

import faiss
import numpy as np
import pytest

from gallery.index import CoarseIndex, FlatIndex, IndexPolicy, build_index, device
from model.sequence import Floats

Vectors = Callable[..., Floats]
DIM = 16


def with_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """FAISS as it is on a machine with so many GPUs, as far as the index uses it; its arithmetic is the processor's."""
    gpu = SimpleNamespace(
        get_num_gpus=lambda: count,
        StandardGpuResources=lambda: "resources",
        GpuIndexFlatIP=lambda resources, dim: faiss.IndexFlatIP(dim),
    )
    monkeypatch.setattr(device, "faiss", gpu)


def test_resources_without_a_gpu_are_no_gpu(monkeypatch: pytest.MonkeyPatch, vectors: Vectors) -> None:
    with_gpus(monkeypatch, 0)
    index = build_index(vectors(1000, DIM), np.arange(1000), IndexPolicy("coarse"))
    assert isinstance(index, CoarseIndex)
    index.settle()
    assert index.kind == "coarse"


def test_a_build_of_faiss_that_knows_no_gpus_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "faiss", SimpleNamespace())
    assert device.gpus() == 0


def test_a_gpu_gives_the_same_answers(monkeypatch: pytest.MonkeyPatch, vectors: Vectors) -> None:
    with_gpus(monkeypatch, 1)
    rows, probes = vectors(3000, DIM), vectors(20, DIM, seed=1)
    index = build_index(rows[:2500], np.arange(2500), IndexPolicy("coarse", audited=0))
    assert isinstance(index, CoarseIndex)
    index.settle()
    assert index.kind == "gpu"
    index.add(rows[2500:], np.arange(2500, 3000))
    index.remove(np.arange(0, 700, 2))
    flat = FlatIndex.of(rows, np.arange(3000))
    flat.remove(np.arange(0, 700, 2))
    for k in (1, 10, 300, 2000):
        scores, wanted = flat.search(probes, k)
        found_scores, found = index.search(probes, k)
        assert np.allclose(found_scores, scores, atol=1e-6)
        assert (found == wanted).mean() > 0.999
    index.add(rows[:2] * 0.5, np.array([9000, 9001]))
    index.remove(np.arange(1000, 2600))
    index.settle()
    assert index.kind == "gpu"
    assert index.frozen().tail.count == 0
