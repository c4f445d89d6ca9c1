from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet, InvalidRecipe
from tests.training.of_people import recordings
from tests.training.shapes import write_finegym, write_kinetics, write_ntu60, write_pku_mmd
from tests.training.shapes_of_people import write_casia_b, write_recording, write_transg
from tests.training.small import small_recipe, small_set
from training.batches import Batches
from training.choose import held_out_mask, names_of, share_of_each, spread
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet
from training.data.cache import VARIABLE
from training.pool import Pool
from training.recipe import load_recipe
from training.sections import DataConfig
from training.split import load_test_data, load_training_data, split
from training.streamed import Streamed

PUBLISHED = Path(__file__).resolve().parents[2] / "training" / "recipes" / "published"
CLIP = {"frames": 12, "minimum": 1, "dims": 3, "people": 2, "sampling": "uniform", "clips": 3, "origin": "spine"}
NETWORK = {"layout": "ntu-25", "dims": 3, "people": 2}
ACTIONS = {"label": "action", "validation_subjects": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))


def acted(**sections):
    """A recipe of recordings of two people."""
    base: dict[str, Any] = {"clip": CLIP, "network": NETWORK, "augment": {"speed": 0.0}, "data": ACTIONS}
    return small_recipe(**{name: {**base.get(name, {}), **sections.get(name, {})} for name in {*base, *sections}})


WRITERS: dict[str, Any] = {
    "ntu60-xsub": write_ntu60, "ntu60-xview": write_ntu60, "pku-mmd-xsub": write_pku_mmd, "kinetics": write_kinetics,
    "finegym": write_finegym, "casia-b": write_casia_b, "casia-b-reid": write_transg,
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_a_published_recipe_goes_from_its_files_to_batches_and_its_test_holds_none_of_what_is_trained_on(
    name, tmp_path
):
    path = WRITERS[name](tmp_path / name)
    recipe = load_recipe(PUBLISHED / f"{name}.toml", [f'data.paths=["{path}"]', "sampler.classes=4"])
    data = load_training_data(recipe)
    assert isinstance(data.pool, Streamed)
    layout = data.pool.layout
    clips, labels = Batches(data.pool, layout, recipe).make(0, 0)
    people = (2,) if recipe.clip.people == 2 else ()
    assert clips.shape == (4, *people, recipe.clip.frames, layout.count, recipe.clip.channels)
    assert np.isfinite(clips).all()
    assert labels.max() < len(data.labels)
    assert data.held_out is not None
    test = load_test_data(recipe)
    used = {*data.pool.data.sequence_name, *data.held_out.data.sequence_name}
    assert isinstance(test, ActionSet)
    if recipe.data.label == "subject":
        assert not {*data.pool.data.subject, *data.held_out.data.subject} & {*test.subject}
        assert not {*data.pool.data.subject} & {*data.held_out.data.subject}
    else:
        assert not used & {*test.sequence_name}
        assert {*names_of(test, "action")} <= {*data.labels}


def test_chosen_on_the_test_all_of_the_training_side_is_trained_on(tmp_path):
    path = write_ntu60(tmp_path)
    name = PUBLISHED / "ntu60-xsub.toml"
    honest = load_training_data(load_recipe(name, [f'data.paths=["{path}"]']))
    chosen = load_training_data(load_recipe(name, [f'data.paths=["{path}"]', "validation.on=test"]))
    test = load_test_data(load_recipe(name, [f'data.paths=["{path}"]']))
    assert honest.held_out is not None
    assert chosen.held_out is not None
    assert len(chosen.pool) == len(honest.pool) + len(honest.held_out.pool)
    assert chosen.held_out.data.sequence_name.tolist() == test.sequence_name.tolist()
    assert not {*honest.held_out.data.sequence_name} & {*test.sequence_name}


def test_a_set_of_single_people_is_read_in_memory_and_tested_by_keep(tmp_path):
    path = write_recording(tmp_path, "utd_mhad")
    sections = {
        "data": {"paths": [str(path)], **ACTIONS, "keep": {"subject": ["001", "003"]}},
        "network": {"layout": "kinect-20", "dims": 3}, "clip": {"dims": 3},
        "test": {"keep": {"subject": ["002", "004"]}},
    }  # fmt: skip
    recipe = small_recipe(**sections)
    data, test = load_training_data(recipe), load_test_data(recipe)
    assert isinstance(data.pool, Pool)
    assert isinstance(test, SequenceSet)
    assert {*test.subject} == {"002", "004"}


def test_the_parts_of_a_set_of_ours_are_its_splits(tmp_path):
    data = small_set()
    parts = np.where(np.isin(data.subject, ("005", "006")), "test", "train")
    replace(data, part=parts).save_npz(tmp_path / "set.npz")
    recipe = small_recipe(
        data={"paths": [str(tmp_path / "set.npz")], "split": "train", "validation_subjects": 1}, test={"split": "test"}
    )
    assert load_training_data(recipe).labels == ("001", "002", "003")
    assert {*load_test_data(recipe).subject} == {"005", "006"}


def test_a_test_that_names_nothing_or_leaves_nothing_is_refused(tmp_path):
    path = str(write_ntu60(tmp_path))
    with pytest.raises(InvalidRecipe, match=r"\[test\] names no paths, split, keep or protocol"):
        load_test_data(acted(data={"paths": [path], "split": "xsub_train"}))
    with pytest.raises(InvalidDataSet, match="leaves nothing to test on"):
        load_test_data(acted(data={"paths": [path]}, test={"split": "xsub_val", "keep": {"subject": ["900-999"]}}))
    with pytest.raises(InvalidDataSet, match="has no split 'nope'; there are: xsub_train"):
        load_training_data(acted(data={"paths": [path], "split": "nope"}))
    with pytest.raises(InvalidRecipe, match="is one path, got 2"):
        load_training_data(acted(data={"paths": [path, path], "split": "xsub_train"}))


def test_classes_without_names_have_their_numbers():
    data = recordings([(1, 12, 7), (2, 12, 11), (1, 12, 7)], action=np.full(3, ""))
    assert split(data, acted()).labels == ("007", "011")
    assert split(data, acted(data={"keep": {"action": ["007"]}})).labels == ("007",)
    unnumbered = replace(data, class_labels=np.array([7, -1, 7]))
    with pytest.raises(InvalidDataSet, match="no label 'action'"):
        split(unnumbered, acted())


def test_held_out_actions_that_nobody_trains_are_left_out():
    data = recordings([(1, 12, 0), (1, 12, 1), (1, 12, 2), (1, 12, 0)], subject=np.array(["1", "1", "2", "2"]))
    found = split(data, acted(data={"validation": {"subject": ["2"]}}))
    assert found.labels == ("A000", "A001")
    assert found.held_out is not None
    assert found.held_out.pool.labels.tolist() == [0]
    assert found.held_out.data.sequence_name.tolist() == ["0003"]


def test_uniform_clips_of_a_set_in_memory_come_by_the_same_way_as_recordings():
    recipe = small_recipe(clip={"sampling": "uniform", "clips": 2}, augment={"speed": 0.0})
    data = split(small_set(), recipe)
    assert isinstance(data.pool, Streamed)
    assert data.labels == ("001", "002", "003", "004")
    assert data.pool.fixed(np.array([0]), 2).shape == (2, 16, 17, 3)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.floats(0.01, 0.99), st.integers(0, 5))
def test_a_share_is_taken_of_each_class_and_never_all_of_it(names, share, seed):
    given_names = np.array(names)
    taken = share_of_each(given_names, share, seed)
    assert len(set(taken.tolist())) == len(taken)
    for name in set(names):
        count, of = int((given_names[taken] == name).sum()), names.count(name)
        assert min(1, of - 1) <= count < of
        assert abs(count - share * of) <= 1
    assert np.array_equal(taken, share_of_each(given_names, share, seed))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=60), st.integers(1, 70), st.integers(0, 5))
def test_a_smaller_dose_is_spread_over_the_classes(names, limit, seed):
    given_names = np.array(names)
    taken = given_names[spread(given_names, limit, seed)]
    assert len(taken) == min(limit, len(names))
    counts = {name: int((taken == name).sum()) for name in set(names)}
    short = [name for name, count in counts.items() if count < names.count(name)]
    assert all(counts[name] >= max(counts.values()) - 1 for name in short)


def test_a_limit_lessens_what_is_trained_on_and_neither_its_classes_nor_what_is_held_out():
    data = recordings([(1, 12, i % 4) for i in range(40)])
    whole, less = (split(data, acted(data={"validation_share": 0.2, "limit": limit})) for limit in (None, 6))
    assert (len(whole.pool), len(less.pool)) == (32, 6)
    assert less.labels == whole.labels
    assert np.bincount(less.pool.labels).tolist() in ([1, 2, 2, 1], [2, 2, 1, 1], [1, 1, 2, 2], [2, 1, 1, 2],
                                                      [2, 1, 2, 1], [1, 2, 1, 2])  # fmt: skip
    assert whole.held_out is not None
    assert less.held_out is not None
    assert less.held_out.data.sequence_name.tolist() == whole.held_out.data.sequence_name.tolist()


def test_of_few_people_at_most_half_are_held_out_and_of_one_none():
    config = DataConfig.model_validate({"paths": ["x"], "validation_subjects": 12})
    data = recordings([(1, 12, 0)] * 15)
    assert {*data.subject[held_out_mask(data, config)]} == {"004", "005"}
    alone = data.select(data.subject == "001")
    assert not held_out_mask(alone, config).any()


def test_another_seed_holds_out_other_recordings():
    config = DataConfig.model_validate({"paths": ["x"], "label": "action", "validation_share": 0.3})
    data = recordings([(1, 12, 0)] * 50)
    assert held_out_mask(data, config, 1).sum() == held_out_mask(data, config, 2).sum() == 15
    assert not np.array_equal(held_out_mask(data, config, 1), held_out_mask(data, config, 2))


def test_a_recipe_that_is_official_is_so_in_training_and_in_what_is_held_out():
    data = recordings([(2, 12, i % 2) for i in range(10)])
    for official in (False, True):
        found = split(data, acted(augment={"official": official}, data={"validation_subjects": 1}))
        assert found.held_out is not None
        for source in (found.pool, found.held_out.pool):
            assert isinstance(source, Streamed)
            assert source.official is official


def test_whoever_chooses_on_the_test_may_not_train_on_it(tmp_path):
    small_set().save_npz(tmp_path / "set.npz")
    about = {"data": {"paths": [str(tmp_path / "set.npz")]}, "test": {"keep": {"subject": ["002", "004"]}}}
    with pytest.raises(InvalidRecipe, match=r"are trained on, too; keep them out by \[data.keep\] or a split"):
        load_training_data(small_recipe(**about, validation={"on": "test"}))
    about["data"] |= {"validation_subjects": 0, "keep": {"subject": ["001", "003"]}}
    assert load_training_data(small_recipe(**about, validation={"on": "test"})).labels == ("001", "003")
