"""Tables VI and VII from reports, and the test that writes them, through export and gallery."""

from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from model.errors import InvalidDataSet, InvalidRecipe
from model.named_layouts import NTU_25
from model.sequence import SkeletonSequence, Units
from tests.fakes import walking
from tests.training.random_runs import random_recipe, random_run
from tests.training.reproduce import left_runs, made_up
from tests.training.shapes import write_casia_b, write_transg
from training.data.arrays import SequenceSet
from training.reproduce import paper
from training.reproduce.choices import Choices
from training.reproduce.identity import measured, searched_by
from training.reproduce.identity_tables import table_6, table_7
from training.reproduce.report_pictures import pictures_of
from training.torch_runtime import TorchEncoder

QUIET = Console(quiet=True)


def left(folder, *reports):
    """Reports in their places, and the choices that find them."""
    for report in reports:
        place = folder / "runs" / report.recipe / report.variant / f"seed-{report.seed}"
        place.mkdir(parents=True)
        (place / "report.json").write_text(report.model_dump_json())
    return Choices(data=folder / "data", runs=folder / "runs", only_report=True, seeds=(1, 2))


def row_of(table, name):
    return next(row for row in table.rows if row.name == name)


def means(row):
    return [None if cell is None else round(cell.mean, 4) for cell in row.ours]


def test_gait_stands_at_the_papers_own_row_with_its_mean(tmp_path):
    write_casia_b(tmp_path / "data" / "casia-b", subjects=(1, 60, 75), views=(0,))
    choices = left(tmp_path, made_up.gait(nm=0.9), made_up.gait(nm=0.8, seed=2))
    (table,) = table_6(choices, QUIET).tables
    row = row_of(table, paper.OURS)
    assert means(row) == pytest.approx([85, 60, 50, 65])
    assert row.ours[0].values == pytest.approx({1: 90, 2: 80})
    assert table.difference(row, 0) == pytest.approx(85 - 94.7)
    assert all(other.ours == () for other in table.rows if other.name != paper.OURS)


def test_re_identification_stands_at_the_papers_own_row_as_published_and_all_of_it_below(tmp_path):
    write_transg(tmp_path / "data" / "casia-b-reid", windows=1)
    report = made_up.reid()
    for row in report.figures["settings"]:
        row.update(rank5=0.9, rank10=1.0, map=0.5, minp=None)
    made = table_7(left(tmp_path, report), QUIET)
    assert means(row_of(made.tables[0], paper.OURS)) == [82, 68, 67, 25, 46]
    rows = {row.name: means(row) for row in made.tables[1].rows}
    assert rows["N-N published"] == [82, 90, 100, 50, None]
    assert rows["N-N strict"] == [41, 90, 100, 50, None]
    assert len(rows) == 10


def test_poses_of_the_image_are_not_compared_with_poses_in_space(tmp_path):
    write_transg(tmp_path / "data" / "casia-b-reid", windows=1)
    report = made_up.reid()
    for row in report.figures["settings"]:
        row.update(rank5=0.9, rank10=1.0, map=0.5, minp=0.5)
    for kind, comparable in (("casia-b-transg", True), ("casia-b-gaitgraph", False)):
        there = report.model_copy(update={"data": report.data.model_copy(update={"kind": kind})})
        choices = left(tmp_path / kind, there)
        table = table_7(replace(choices, data=tmp_path / "data"), QUIET).tables[0]
        assert (table.difference(row_of(table, paper.OURS), 0) is not None) is comparable


def test_without_a_report_our_cells_are_empty(tmp_path):
    write_transg(tmp_path / "data" / "casia-b-reid", windows=1)
    choices = left(tmp_path, made_up.reid())
    (tmp_path / "runs/casia-b-reid/full/seed-1/report.json").unlink()
    made = table_7(choices, QUIET)
    assert means(row_of(made.tables[0], paper.OURS)) == [None] * 5
    assert (len(made.tables), made.reports) == (1, ())


@pytest.mark.parametrize(("make", "needs"), [(table_6, "one of gait"), (table_7, "'reid'")])
def test_a_table_of_people_refuses_actions_before_it_trains(tmp_path, make, needs):
    recipe = left_runs.recipe_of(tmp_path)
    with pytest.raises(InvalidRecipe, match=f"has no protocol in .test., and Table VII? needs {needs}"):
        make(left_runs.choices_of(tmp_path, recipe, only_report=False), QUIET)
    assert not (tmp_path / "runs").exists()


def test_another_set_has_its_own_columns_and_a_verdict_and_none_of_the_papers_figures(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, test={"protocol": "cbkings34"})
    for variant, share in (("baseline", 0.5), ("full", 0.7)):
        report = made_up.gait(nm=share, variant=variant)
        report.figures["mean_rank1"] = None
        report.figures["tables"] = [{"name": "run 3, same view", "rank1": share}]
        left_runs.leave_report(tmp_path, recipe, report)
    (table,) = table_6(left_runs.choices_of(tmp_path, recipe), QUIET).tables
    assert table.columns == ("run 3, same view",)
    assert {row.name: means(row) for row in table.rows} == {"baseline": [50], "full": [70]}
    assert not table.comparable
    assert "full: +20.0 points over the baseline, 1 seed" in table.conclusion[0]


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    return write_casia_b(tmp_path_factory.mktemp("walkers"), subjects=(1, 75, 76), views=(0, 90))


def gait_recipe(walked, **test):
    test = {"protocol": "casia-b", **test}
    return random_recipe(data={"paths": [str(walked)], "kind": "casia-b-gaitgraph"}, test=test)


def test_what_is_kept_of_a_gait_test_can_be_drawn(walked, tmp_path):
    recipe = gait_recipe(walked, split="test")
    found = measured(TorchEncoder(random_run(tmp_path, recipe)), searched_by(recipe))
    report = made_up.report("gait", found.figures, recipe="casia-b")
    assert [picture.name for picture in pictures_of([report])] == ["views-casia-b", "cmc-casia-b"]


def test_a_run_is_re_identified_by_the_windows_of_the_people_who_are_tested(tmp_path):
    place = write_transg(tmp_path / "transg", windows=3)
    recipe = random_recipe(
        data={"paths": [str(place)], "kind": "casia-b-transg"},
        test={"protocol": "reid", "keep": {"part": ["test"]}},
        network={"layout": "casia-14", "dims": 3, "confidence": False},
        clip={"frames": 40, "stride": 40, "minimum": 40, "dims": 3},
    )
    found = measured(TorchEncoder(random_run(tmp_path, recipe)), searched_by(recipe))
    assert (found.task, found.figures["people"], found.figures["frames"]) == ("reid", 3, 40)
    assert {row["setting"] for row in found.figures["settings"]} == {"N-N", "B-B", "C-C", "C-N", "B-N"}


def test_a_recipe_that_names_no_protocol_tells_nobody_apart(walked, tmp_path):
    with pytest.raises(InvalidRecipe, match="names no protocol"):
        searched_by(gait_recipe(walked, protocol=None))


def test_people_are_looked_for_in_one_set(walked, tmp_path):
    with pytest.raises(InvalidRecipe, match="in one data set, and its \\[test\\] has 2"):
        searched_by(gait_recipe(walked, paths=[str(walked), str(walked)]))


def test_a_test_that_leaves_nobody_to_be_searched_says_so(walked, tmp_path):
    with pytest.raises(InvalidDataSet, match="nothing that protocol casia-b could search"):
        searched_by(gait_recipe(walked, keep={"condition": ["bg"]}))


def test_without_a_split_the_people_are_the_protocols_own(walked):
    recipe = random_recipe(data={"paths": [str(walked)]}, test={"protocol": "casia-b"})
    assert set(searched_by(recipe).data.subject) == {"075", "076"}


def _in_space(flat):
    """Three metres in front of the camera."""
    joints = np.concatenate([flat.joints / 100, np.full((*flat.joints.shape[:2], 1), 3.0)], axis=-1)
    return SkeletonSequence(joints, flat.confidence, flat.layout, 30.0, Units.METRES)


def test_people_in_space_are_seen_by_a_camera_where_the_encoder_wants_images(tmp_path):
    data = SequenceSet.of_sequences(
        [_in_space(walking(subject, 30, layout=NTU_25)) for subject in (1, 1, 2, 2)],
        subject=["1", "1", "2", "2"], sequence=["normal-01", "normal-02"] * 2, view=["front"] * 4,
    )  # fmt: skip
    data.save_npz(tmp_path / "people.npz")
    test = {"protocol": "ucalgary", "keep": {"view": ["front"]}}
    found = searched_by(random_recipe(data={"paths": [str(tmp_path / "people.npz")]}, test=test))
    assert (found.data.units, found.data.dims) == (Units.PIXELS, 2)
    in_space = random_recipe(
        data={"paths": [str(tmp_path / "people.npz")]}, test=test, network={"dims": 3}, clip={"dims": 3}
    )
    assert searched_by(in_space).data.units is Units.METRES
