import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import Units
from training.data.cache import INDEX, default_cache, kept
from training.data.collect import TWICE
from training.data.kind import Kind
from training.data.stream import LeftOut, Noted, SplitOf, Taken


def taken(name, people=1, length=3, seed=0, **more):
    frames = np.random.default_rng(seed).uniform(0, 1, (people, length, 17, 3)).astype(np.float16)
    return Taken(name, frames, **more)


class Source:
    """A kind whose items are given, and that counts how often it is read."""

    def __init__(self, items, file, splits=None, expected=None):
        self.given, self.file, self.passes = items, file, 0
        self.kind = Kind(
            "made", "a made set", COCO_17, 30.0, Units.PIXELS, lambda path: [path], self.items, dims=2,
            splits=splits or (lambda data: {}), expected=expected or {},
        )  # fmt: skip
        file.write_text("one")

    def items(self, path, progress):
        self.passes += 1
        yield from self.given

    def kept(self, root):
        return kept(self.kind, self.file, root)


TWO = (
    taken("a", people=2, labels={"subject": "001", "view": "1"}, class_label=3),
    taken("b", length=2, seed=1, labels={"subject": "002", "view": "2"}, class_label=0, fps=10.0),
)


@pytest.fixture
def source(tmp_path):
    return Source([*TWO, LeftOut("c", "too short"), Noted("odd"), SplitOf("train", ("b",))], tmp_path / "source")


def test_a_source_is_parsed_once_and_then_mapped(source, tmp_path):
    first, again = source.kept(tmp_path / "cache"), source.kept(tmp_path / "cache")
    assert source.passes == 1
    for loaded in (first, again):
        data = loaded.data
        assert isinstance(data.frames, np.memmap)
        assert np.array_equal(data.clip_frames(0), TWO[0].people)
        assert np.array_equal(data.clip_frames(1), TWO[1].people)
        assert data.subject.tolist() == ["001", "002"]
        assert data.sequence_name.tolist() == ["a", "b"]
        assert data.class_labels.tolist() == [3, 0]
        assert [data.fps_of(i) for i in range(2)] == [30.0, 10.0]
        assert loaded.split("train").sequence_name.tolist() == ["b"]
        assert loaded.report.left_out == {"too short": (1, ("c",))}
        assert loaded.report.notes == ("odd: 1",)
    assert first.report == again.report


def test_a_source_that_changed_is_parsed_again(source, tmp_path):
    source.kept(tmp_path)
    source.file.write_text("another length")
    source.kept(tmp_path)
    assert source.passes == 2


def test_what_was_kept_of_a_former_state_goes_and_of_other_sources_stays(source, tmp_path):
    before = source.kept(tmp_path / "cache").data
    Source(TWO, tmp_path / "other").kept(tmp_path / "cache")
    source.file.write_text("another length")
    source.kept(tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert np.array_equal(before.clip_frames(0), TWO[0].people)  # for whoever has it mapped


def test_an_interrupted_pass_leaves_nothing(tmp_path):
    source = Source(TWO, tmp_path / "source")

    def interrupted(path, progress):
        yield TWO[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(replace(source.kind, items=interrupted), source.file, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", ["frames.npy", "subject.npy", "split-0.npy", INDEX])
def test_damaged_arrays_are_noticed_and_made_again(source, tmp_path, name):
    source.kept(tmp_path / "cache")
    (place,) = (tmp_path / "cache").iterdir()
    content = bytearray((place / name).read_bytes())
    content[-3] ^= 1
    (place / name).write_bytes(content)
    assert np.array_equal(source.kept(tmp_path / "cache").data.clip_frames(0), TWO[0].people)
    assert source.passes == 2


def test_checksums_are_compared_only_where_it_is_asked_for(source, tmp_path):
    source.kept(tmp_path / "cache")
    (place,) = (tmp_path / "cache").iterdir()
    content = bytearray((place / "frames.npy").read_bytes())
    content[-3] ^= 1
    (place / "frames.npy").write_bytes(content)
    kept(source.kind, source.file, tmp_path / "cache", verify=False)
    assert source.passes == 1


def test_recordings_of_another_precision_become_the_firsts_or_are_refused(tmp_path):
    exact = taken("b").people.astype(np.float32)
    data = Source([TWO[0], Taken("b", exact)], tmp_path / "source").kept(tmp_path / "cache").data
    assert np.array_equal(data.clip_frames(1), exact)
    exact[..., 0] = 70_000
    with pytest.raises(InvalidDataSet, match="b, as float16: coordinates must be finite"):
        Source([TWO[0], Taken("b", exact)], tmp_path / "other").kept(tmp_path / "cache")


def test_an_index_of_another_version_is_made_again(source, tmp_path):
    source.kept(tmp_path / "cache")
    (place,) = (tmp_path / "cache").iterdir()
    index = json.loads((place / INDEX).read_text())
    (place / INDEX).write_text(json.dumps(index | {"format": "gaitkeeper-cache-0"}))
    source.kept(tmp_path / "cache")
    assert source.passes == 2


def test_a_source_that_breaks_half_way_leaves_nothing(tmp_path):
    broken = np.full((1, 2, 17, 3), np.nan, np.float32)
    source = Source([TWO[0], Taken("b", broken)], tmp_path / "source")
    with pytest.raises(InvalidDataSet, match="b: coordinates must be finite"):
        source.kept(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_process_that_was_faster_is_believed(source, tmp_path, monkeypatch):
    rename = Path.rename

    def slower(self, target):
        monkeypatch.setattr(Path, "rename", rename)
        source.kept(tmp_path / "cache")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", slower)
    assert len(source.kept(tmp_path / "cache").data) == 2
    assert source.passes == 2
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_name_is_taken_once(tmp_path):
    source = Source([TWO[0], taken("a", seed=5)], tmp_path / "source")
    report = source.kept(tmp_path / "cache").report
    assert report.left_out == {TWICE: (1, ("a",))}


def test_a_split_that_names_what_is_not_there_is_a_problem(tmp_path):
    source = Source([*TWO, SplitOf("train", ("a", "x", "y"))], tmp_path / "source")
    report = source.kept(tmp_path / "cache").report
    assert report.problems == ("split train names 2 recordings that are not there",)
    assert not report.as_expected


def test_a_split_that_is_not_the_official_one_is_a_problem(tmp_path):
    source = Source(
        [*TWO, SplitOf("train", ("a", "b"))], tmp_path / "source", splits=lambda data: {"train": data.view == "1"}
    )
    loaded = source.kept(tmp_path / "cache")
    assert loaded.report.problems == ("split train differs from the official rule in 1 recordings",)
    assert loaded.splits["train"].tolist() == [0, 1]


def test_counts_are_held_against_the_official_ones(tmp_path):
    expected = {"recordings": 2, "subjects": 3, "train": 7}
    report = Source(TWO, tmp_path / "source", expected=expected).kept(tmp_path / "cache").report
    assert report.differing == {"subjects": (2, 3), "train": (0, 7)}
    text = "\n".join(report.lines())
    assert "recordings                        2  ok" in text
    assert "subjects                          2  expected 3 (-1)" in text
    assert "train                          none  expected 7 (-7)" in text


def test_an_unknown_split_is_named_with_those_there_are(source, tmp_path):
    with pytest.raises(InvalidDataSet, match="no split 'val'; there are: train"):
        source.kept(tmp_path).split("val")


def test_a_source_without_recordings_is_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match="holds no recording of a made set"):
        Source([LeftOut("a", "empty")], tmp_path / "source").kept(tmp_path / "cache")


def test_the_cache_is_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("GAITKEEPER_CACHE", "/somewhere")
    assert default_cache() == Path("/somewhere")
    monkeypatch.delenv("GAITKEEPER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_cache() == Path("/caches/gaitkeeper")


SHAPES = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(-1, 5)), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(shapes=SHAPES, dtype=st.sampled_from([np.float16, np.float32]), labels=st.lists(st.text(max_size=3), max_size=6))
def test_whatever_is_kept_is_found_again(tmp_path_factory, shapes, dtype, labels):
    place = tmp_path_factory.mktemp("kept")
    plain = [label.replace("\0", "") for label in labels]  # numpy ends text at a zero
    items = [
        Taken(str(i), taken("", people, length, seed=i).people.astype(dtype), {"subject": name}, label)
        for i, ((people, length, label), name) in enumerate(zip(shapes, [*plain, *[""] * 6], strict=False))
    ]
    data = Source(items, place / "source").kept(place / "cache").data
    assert len(data) == len(items)
    for i, item in enumerate(items):
        assert np.array_equal(data.clip_frames(i), item.people)
        assert data.frames.dtype == dtype
        assert (data.subject[i], data.class_labels[i]) == (item.labels["subject"], item.class_label)
