import numpy as np
import pytest

from model.errors import InvalidDataSet, InvalidRequest, LayoutMismatch
from model.named_layouts import KINECT_20
from tests.recordings import recording
from tests.training.evaluate.planted import PerfectEncoder, RandomEncoder, casia_b_walks
from training.data.casia_b import WALKERS_FILE
from training.evaluate.gait import evaluate_gait
from training.evaluate.results import to_text
from training.evaluate.sources import GaitProtocol, People, Source, open_source
from training.protocols import casia_b
from training.protocols.casia_b import Training


def source_of(data):
    return Source(data, casia_b.cells(data), found=casia_b.found(data))


def test_a_perfect_encoder_scores_exactly_100_through_the_whole_path():
    result = evaluate_gait(PerfectEncoder(), source_of(casia_b_walks()), draws=20)
    assert [table.name for table in result.tables] == ["NM", "BG", "CL"]
    assert [table.accuracy() for table in result.tables] == [1.0, 1.0, 1.0]
    assert result.mean == 1.0
    assert result.people == 3
    assert result.left_out == ()


def test_a_random_encoder_scores_about_one_in_n_through_the_whole_path():
    result = evaluate_gait(RandomEncoder(), source_of(casia_b_walks(10)), draws=20)
    assert result.mean == pytest.approx(0.1, abs=0.04)


def test_sequences_too_short_for_a_clip_are_left_out_and_named():
    data = casia_b_walks(short=[0, 60])
    result = evaluate_gait(PerfectEncoder(), source_of(data), draws=20)
    assert [result.name_of(item.index) for item in result.left_out] == ["075-nm-01-000", "075-nm-06-090"]
    assert {item.reasons for item in result.left_out} == {("too_short",)}
    assert result.tables[0].accuracy() == 1.0
    assert len(result.tables[0].probes) == 3 * 2 * 11 - 1
    content = result.to_json()
    assert content["sequences"]["left_out"] == 2
    assert content["left_out"][0]["sequence"] == "075-nm-01-000"


def test_a_figure_without_probes_is_no_figure_and_spoils_no_other():
    data = casia_b_walks(2)
    short = np.flatnonzero(data.condition == "cl")
    result = evaluate_gait(PerfectEncoder(), source_of(casia_b_walks(2, short=short)), draws=5)
    assert [table.accuracy() for table in result.tables[:2]] == [1.0, 1.0]
    assert np.isnan(result.tables[2].accuracy())
    assert '"rank1": null' in to_text(result.to_json())


def test_data_of_which_nothing_can_be_embedded_are_refused():
    data = casia_b_walks(2, short=range(220))
    with pytest.raises(InvalidDataSet, match="no sequence can be embedded"):
        evaluate_gait(PerfectEncoder(), source_of(data))


def test_the_results_say_how_many_people_and_what_simple_features_reach():
    content = evaluate_gait(PerfectEncoder(), source_of(casia_b_walks()), draws=20).to_json()
    table = content["tables"][0]
    assert (table["people_probing"], table["people_in_gallery"], table["probes"]) == (3, 3, 66)
    assert table["interval_95"] == [1.0, 1.0]
    assert list(content["simple_features_rank1"]) == ["bones", "motion"]
    assert content["simulator_check"] is None
    assert content["sequences"]["NM"] == {"found": 66, "expected": 66}


def test_progress_counts_every_sequence():
    done: list[int] = []
    data = casia_b_walks(2)
    evaluate_gait(PerfectEncoder(), source_of(data), progress=done.append, draws=5)
    assert sum(done) == 2 * len(data)  # embedded, and described by simple features


def test_an_encoder_of_another_layout_is_refused_where_nothing_leads_to_it():
    encoder = PerfectEncoder()
    encoder.clip = encoder.clip.model_copy(update={"dims": 3})
    encoder.layout = KINECT_20
    with pytest.raises(LayoutMismatch):
        evaluate_gait(encoder, source_of(casia_b_walks(2)))


def test_the_test_split_is_what_casia_b_is_evaluated_on(tmp_path):
    data = casia_b_walks(2)
    data.subject[data.subject == "075"] = "074"
    data.save_npz(tmp_path / WALKERS_FILE)
    assert np.unique(open_source(tmp_path, GaitProtocol.CASIA_B).data.subject).tolist() == ["076"]
    assert len(np.unique(open_source(tmp_path, GaitProtocol.CASIA_B, People.ALL).data.subject)) == 2


@pytest.mark.parametrize(
    ("training", "tested"), [("lt", ["076"]), ("mt", ["063", "076"]), ("st", ["025", "063", "076"])]
)
def test_the_medium_and_small_splits_test_more_people(tmp_path, training, tested):
    data = casia_b_walks(4)
    for number, name in (("075", "024"), ("077", "025"), ("078", "063")):
        data.subject[data.subject == number] = name
    data.save_npz(tmp_path / WALKERS_FILE)
    source = open_source(tmp_path, GaitProtocol.CASIA_B, training=Training(training))
    assert np.unique(source.data.subject).tolist() == tested
    assert source.found["NM"] == (22 * len(tested), 22 * len(tested))
    everybody = open_source(tmp_path, GaitProtocol.CASIA_B, People.ALL, training=Training(training))
    assert len(np.unique(everybody.data.subject)) == 4


def test_a_split_of_casia_b_is_none_of_another_protocol(tmp_path):
    with pytest.raises(InvalidRequest, match="split"):
        open_source(tmp_path, GaitProtocol.UCALGARY, training=Training.MT)


def test_data_without_anything_to_search_are_refused(tmp_path):
    data = casia_b_walks(2)
    data.select(data.sequence_name == "nm-05").save_npz(tmp_path / "x.npz")
    with pytest.raises(InvalidDataSet, match="nothing that protocol casia-b could search"):
        open_source(tmp_path / "x.npz", GaitProtocol.CASIA_B)


@pytest.mark.parametrize(
    ("name", "protocol", "people", "count"),
    [
        ("cbkings34_mediapipe_gait.npz", GaitProtocol.CBKINGS34, None, 34),
        ("cbkings34_mediapipe_gait.npz", GaitProtocol.CBKINGS34, People.TEST, 17),
        ("ucalgary_kinect2_gait.npz", GaitProtocol.UCALGARY, None, 27),
    ],
)
def test_recordings_go_the_same_way(name, protocol, people, count):
    source = open_source(recording(name), protocol, people)
    assert len(np.unique(source.data.subject)) == count
    few = Source(source.data, tuple(c for c in source.cells if c.table == source.cells[0].table))
    result = evaluate_gait(RandomEncoder(), few, draws=5)
    assert result.people == count
    assert result.tables[0].accuracy() < 0.35
    assert max(scores[result.tables[0].name] for scores in result.simple.values()) > 0.3
