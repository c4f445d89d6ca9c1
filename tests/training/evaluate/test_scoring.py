import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import unit_length
from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.evaluate.scoring import NOT_COMPARED, score, search
from training.protocols import casia_b
from training.protocols.cells import Cell, pairs_of_views

RUNS = [f"nm-{i:02d}" for i in range(1, 7)] + ["bg-01", "bg-02", "cl-01", "cl-02"]


def casia_b_set(people=5):
    rows = [(f"{75 + s:03d}", run, view) for s in range(people) for run in RUNS for view in casia_b.VIEWS]
    subject, run, view = np.array(rows).T
    frames = np.zeros((len(rows), 17, 3), np.float32)
    return SequenceSet.of(frames, np.arange(len(rows) + 1), COCO_17, 25, subject=subject, sequence=run, view=view)


def perfect(data, noise=0.0, seed=0):
    """An embedding that is the subject's own axis."""
    _, who = np.unique(data.subject, return_inverse=True)
    axes = np.eye(who.max() + 1, 32)[who]
    return unit_length((axes + np.random.default_rng(seed).normal(0, noise, axes.shape)).astype(np.float32))


def tables_of(data, embeddings, usable=None):
    usable = np.ones(len(data), bool) if usable is None else usable
    return score(embeddings, usable, data.subject, casia_b.cells(data))


def test_a_perfect_encoder_scores_exactly_one():
    data = casia_b_set()
    for table in tables_of(data, perfect(data)):
        assert table.accuracy() == 1.0
        assert set(table.by_probe_view().values()) == {1.0}
        assert (table.interval(50).low, table.interval(50).high) == (1.0, 1.0)


def test_a_random_encoder_scores_about_one_in_n():
    data = casia_b_set(50)
    random = unit_length(np.random.default_rng(0).normal(size=(len(data), 32)).astype(np.float32))
    for table in tables_of(data, random):
        # 1100 probes x 10 gallery views; the views of a probe are nearly independent here
        assert table.accuracy() == pytest.approx(1 / 50, abs=0.006)
        assert table.accuracy(5) == pytest.approx(5 / 50, abs=0.015)
        assert table.people == 50


def test_an_encoder_that_gives_everybody_the_same_embedding_scores_nothing():
    data = casia_b_set()
    assert [
        t.accuracy() for t in tables_of(data, np.tile(unit_length(np.ones((1, 8), np.float32)), (len(data), 1)))
    ] == [
        0,
        0,
        0,
    ]


def with_traps(people=4):
    """A set where every gallery view holds, under a wrong name, what every probe of that same view looks most like."""
    data = casia_b_set(people)
    views = np.eye(11, dtype=np.float32)[[casia_b.VIEWS.index(v) for v in data.view]]
    views[np.isin(data.sequence_name, casia_b.GALLERY)] = 0
    honest = unit_length(np.concatenate([perfect(data), 2 * views], axis=1))
    view = np.repeat(casia_b.VIEWS, people)
    subject = np.tile(np.unique(data.subject), 11)
    traps = unit_length(
        np.concatenate([np.zeros((len(view), 32)), np.eye(11)[np.repeat(np.arange(11), people)]], axis=1)
    )
    planted = SequenceSet.of(
        np.zeros((len(data) + len(traps), 17, 3), np.float32), np.arange(len(data) + len(traps) + 1), COCO_17, 25,
        subject=np.concatenate([data.subject, subject]), view=np.concatenate([data.view, view]),
        sequence=np.concatenate([data.sequence_name, np.full(len(traps), "nm-01")]),
    )  # fmt: skip
    return planted, np.concatenate([honest, traps.astype(np.float32)])


def test_pairs_of_the_same_view_planted_as_traps_change_nothing():
    data, embeddings = with_traps()
    assert [table.accuracy() for table in tables_of(data, embeddings)] == [1.0, 1.0, 1.0]


def test_the_traps_would_bite_if_the_same_view_were_searched():
    data, embeddings = with_traps()
    gallery, probes = np.isin(data.sequence_name, casia_b.GALLERY), data.sequence_name == "nm-05"
    cells = pairs_of_views(data, "same", gallery, probes, same=True, across=False)
    assert score(embeddings, np.ones(len(data), bool), data.subject, cells)[0].accuracy() == 0.0


def test_the_figure_is_the_mean_over_gallery_views_then_over_probe_views():
    data = casia_b_set(6)
    table = tables_of(data, perfect(data, noise=0.5))[0]
    cells = table.matrix
    by_hand = np.mean([[cells[g, p] for g in range(11) if g != p] for p in range(11)])
    assert 0 < table.accuracy() < 1
    assert table.accuracy() == pytest.approx(by_hand, abs=1e-12)
    assert np.isnan(np.diag(cells)).all()


def test_the_nearest_of_the_four_templates_decides():
    subject = np.array(["a", "a", "b", "b", "a"])
    vectors = unit_length(np.array([[1, 0], [0, 1], [0.9, 0.1], [0.9, 0.2], [0.1, 1]], dtype=np.float32))
    scores, names = search(vectors, subject, np.arange(4), np.array([4]))
    assert names.tolist() == ["a", "b"]
    assert scores[0, 0] == pytest.approx(float(vectors[4] @ vectors[1]))
    assert scores[0, 1] == pytest.approx(float(vectors[4] @ vectors[3]))


def test_a_probe_whose_subject_is_not_in_a_gallery_is_not_recognised_there():
    data = casia_b_set(4)
    usable = ~((data.subject == "075") & (data.view == "000") & (data.sequence_name < "nm-05"))
    # bg and cl sort before nm: only the gallery runs of that view are to go
    usable |= np.char.startswith(data.sequence_name, "bg") | np.char.startswith(data.sequence_name, "cl")
    table = tables_of(data, perfect(data), usable)[0]
    assert table.matrix[0, 1:].tolist() == [0.75] * 10
    assert table.matrix[1:, :][~np.isnan(table.matrix[1:, :])].min() == 1.0


def test_probes_left_out_are_not_counted_and_empty_cells_are_no_zeros():
    data = casia_b_set(3)
    usable = ~((data.view == "090") & np.isin(data.sequence_name, ["nm-05", "nm-06"]))
    table = tables_of(data, perfect(data), usable)[0]
    assert len(table.probes) == 3 * 2 * 10
    assert np.isnan(table.by_probe_view().get("090", np.nan))
    assert table.accuracy() == 1.0


def test_a_gallery_view_that_holds_nothing_is_not_compared():
    cells = [
        Cell("t", "a", "b", np.array([], np.int64), np.array([1])),
        Cell("t", "b", "a", np.array([0]), np.array([2])),
    ]
    table = score(np.eye(3, dtype=np.float32), np.ones(3, bool), np.array(["x", "y", "x"]), cells)[0]
    assert (table.rank == NOT_COMPARED).sum() == 3


def test_the_interval_widens_with_fewer_people():
    wide, narrow = (tables_of(d, perfect(d, noise=0.5))[0].interval(200) for d in (casia_b_set(4), casia_b_set(24)))
    assert wide.low <= wide.value <= wide.high
    assert wide.high - wide.low > narrow.high - narrow.low


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_neither_the_order_of_the_sequences_nor_the_axes_of_the_space_matter(seed):
    rng = np.random.default_rng(seed)
    data = casia_b_set(3)
    embeddings = perfect(data, noise=0.4, seed=seed)
    order = rng.permutation(len(data))
    axes = np.linalg.qr(rng.normal(size=(32, 32)))[0].astype(np.float32)
    shuffled = tables_of(data.select(order), unit_length(embeddings[order] @ axes))
    for before, after in zip(tables_of(data, embeddings), shuffled, strict=True):
        # Rounding may turn a probe whose two best scores are within 1e-6; each is worth 1/660.
        assert after.accuracy() == pytest.approx(before.accuracy(), abs=2 / 660)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0, 1))
def test_every_figure_is_a_share_and_rank_5_is_never_below_rank_1(seed, noise):
    data = casia_b_set(6)
    for table in tables_of(data, perfect(data, noise=noise, seed=seed)):
        assert 0 <= table.accuracy() <= table.accuracy(5) <= table.accuracy(6) == 1
