from pathlib import Path

import numpy as np
import pytest

from model.errors import InvalidRecipe
from model.named_layouts import layout_named
from training.augment import refuse
from training.data.kinds import kind_named
from training.data.published import DROP_SHARE, FLIP, FLIP_SHARE, PART_DROP, ROTATION, SETTINGS, STREAMS
from training.recipe import load_recipe
from training.streams import STREAMS as NAMES
from training.streams import stream_settings

PUBLISHED = Path(__file__).resolve().parents[2] / "training" / "recipes" / "published"
PEOPLE = ("casia-b", "casia-b-reid")


def recipe(name, *settings):
    return load_recipe(PUBLISHED / f"{name}.toml", settings)


def test_every_data_set_of_the_paper_has_a_recipe_and_no_other_has():
    assert {file.stem for file in PUBLISHED.glob("*.toml")} == {*SETTINGS, *PEOPLE}


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_recipe_says_what_is_published(name):
    found, published = recipe(name), SETTINGS[name]
    assert found.name == name
    assert found.network.layout == published.layout
    assert found.clip.frames == published.frames
    assert (found.clip.sampling, found.clip.clips, found.clip.people) == ("uniform", 10, 2)
    assert (found.sampler.kind, found.sampler.batch, found.optim.lr_batch) == (
        "plain",
        published.batch,
        published.batch,
    )
    assert found.optim.lr == published.lr
    assert (found.optim.kind, found.optim.momentum, found.optim.weight_decay) == ("sgd", 0.9, 5e-4)
    assert (found.optim.schedule, found.optim.warmup, found.optim.epochs) == ("cosine", 0, published.epochs)
    assert found.loss.intra.bank == published.bank
    assert found.network.widths == (96,) * 4 + (192,) * 3 + (384,) * 3
    assert (found.network.normalisation.centre, found.network.normalisation.scale) == ("none", "none")


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_clips_of_space_begin_at_the_spine_and_those_of_images_stay_where_they_are(name):
    found = recipe(name)
    solid = found.network.layout == "ntu-25"
    assert found.clip.dims == (3 if solid else 2)
    assert found.clip.origin == ("spine" if solid else "given")
    assert np.deg2rad(found.augment.turn) == pytest.approx(ROTATION if solid else 0)
    assert found.network.channels == 3  # x, y, z, or x, y, score


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_each_stream_has_its_own_changes(name, stream):
    found, changes = recipe(name, *stream_settings(name, stream)), SETTINGS[name].changes[stream]
    assert found.network.streams == (NAMES[stream],)
    assert found.augment.mirror == (FLIP_SHARE if FLIP in changes else 0)
    assert found.augment.part_drop == (DROP_SHARE if PART_DROP in changes else 0)
    others = found.augment.model_dump(exclude={"mirror", "part_drop", "turn"})
    assert not any(others.values())
    refuse(found, layout_named(found.network.layout))


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_a_recipe_as_it_stands_is_that_of_the_joints(name):
    assert recipe(name) == recipe(name, *stream_settings(name, "j"))


@pytest.mark.parametrize("name", [*sorted(SETTINGS), *PEOPLE])
def test_a_recipe_fits_the_kind_of_data_it_names(name):
    found = recipe(name)
    assert found.data.kind is not None
    kind = kind_named(found.data.kind)
    assert kind.dims == found.clip.dims
    assert found.data.split != found.test.split
    assert found.validation.on == "held-out"
    refuse(found, layout_named(found.network.layout))


def test_gait_is_trained_with_gaitgraphs_changes_on_74_people():
    found = recipe("casia-b")
    change = found.augment
    assert (change.mirror, change.reverse, change.point, change.joint) == (0.5, 0.5, 0.05, 0.25)
    assert (found.clip.frames, found.clip.minimum, found.network.channels) == (60, 60, 3)
    assert found.data.validation == {"subject": ("060-074",)}
    assert (found.test.split, found.test.protocol) == ("test", "casia-b")


def test_re_identification_takes_windows_of_40_frames_of_14_joints():
    found = recipe("casia-b-reid")
    assert (found.clip.frames, found.clip.minimum, found.network.layout) == (40, 40, "casia-14")
    assert found.test.protocol == "reid"


def test_an_unknown_stream_is_refused_with_those_there_are():
    with pytest.raises(InvalidRecipe, match="no stream 'x'; there are: j, b, k, jm, bm, km"):
        stream_settings("ntu60-xsub", "x")
