import contextlib
import os
import pickle
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from training.data.pickled import _Streaming, entries, object_of

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def write(tmp_path, content, protocol=2):
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


def listed(path):
    return [value for key, value in entries(path) if key is None]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("key", ["annotations", "annos"])
@pytest.mark.parametrize("count", [1, 2, 2500])
def test_each_element_of_the_annotations_is_handed_out_in_order(tmp_path, protocol, key, count):
    array = np.arange(6, dtype=np.float16).reshape(2, 3)
    content = {"split": {"train": ["0", "1"]}, key: [{"name": str(i), "array": array + i} for i in range(count)]}
    path = write(tmp_path, content, protocol)
    found = listed(path)
    assert [item["name"] for item in found] == [str(i) for i in range(count)]
    assert all(np.array_equal(found[i]["array"].values, array + i) for i in range(0, count, 300))
    assert [(k, v) for k, v in entries(path) if k is not None] == [("split", {"train": ["0", "1"]})]


def test_what_stands_before_the_annotations_is_handed_out_before_them(tmp_path):
    path = write(tmp_path, {"split": {"a": []}, "annotations": [1, 2], "more": 3})
    assert list(entries(path)) == [("split", {"a": []}), (None, 1), (None, 2), ("more", 3)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_list_is_handed_out_element_by_element_and_a_dict_item_by_item(tmp_path, protocol):
    assert listed(write(tmp_path, [1, [2, 3], {"a": [4]}], protocol)) == [1, [2, 3], {"a": [4]}]
    assert list(entries(write(tmp_path, {"a": {"b": 1}, "c": [2]}, protocol))) == [("a", {"b": 1}), ("c", [2])]


def test_lists_named_like_annotations_further_inside_are_left_whole(tmp_path):
    content = [{"annotations": [1, 2]}, {"annotations": [3]}]
    assert listed(write(tmp_path, content)) == content


def test_what_was_handed_out_is_forgotten(tmp_path, monkeypatch):
    path = write(tmp_path, {"annotations": [np.zeros(1000) for _ in range(3000)]})
    machines: list[Any] = []
    start = _Streaming.__init__

    def started(self, *rest):
        machines.append(self)
        start(self, *rest)

    monkeypatch.setattr(_Streaming, "__init__", started)
    for _ in entries(path):
        assert len(machines[0]._memo) < 20
        assert len(machines[0]._stack) <= 4


def test_what_appears_twice_is_the_same_both_times(tmp_path):
    name = "the same"
    path = write(tmp_path, {"split": {"train": [name]}, "annotations": [{"n": name}, {"n": name}]})
    assert [item["n"] for item in listed(path)] == [name, name]


def test_a_dict_that_numpy_saved_is_read(tmp_path):
    path = tmp_path / "ids.npy"
    saved: Any = {1: [0, 2], 7: [1]}
    np.save(path, saved, allow_pickle=True)
    found = [value for _, value in entries(path, objects=True, skip=128)]
    assert object_of(found[-1]) == {1: [0, 2], 7: [1]}


def test_objects_are_read_only_where_they_are_asked_for(tmp_path):
    with pytest.raises(InvalidDataSet, match=r"x\.pkl: is a pickle that holds an array of 'O8'"):
        listed(write(tmp_path, np.array([{}], dtype=object)))


class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/never",)


@pytest.mark.parametrize("objects", [False, True])
def test_nothing_that_a_pickle_names_is_run(tmp_path, objects):
    path = write(tmp_path, {"annotations": [Evil()]})
    with pytest.raises(InvalidDataSet, match=r"names (posix|nt)\.system"):
        list(entries(path, objects=objects))


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x80\x04", b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f" + b"x."])
def test_broken_pickles_are_one_line(tmp_path, data):
    path = tmp_path / "x.pkl"
    path.write_bytes(data)
    with pytest.raises(InvalidDataSet, match=r"x\.pkl: is a broken pickle") as error:
        list(entries(path))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InvalidDataSet, match="no such file"):
        list(entries(tmp_path / "x.pkl"))


def test_progress_is_told_every_byte_once(tmp_path):
    path = write(tmp_path, {"annotations": list(range(5000))})
    told: list[int] = []
    list(entries(path, progress=told.append))
    assert sum(told) == path.stat().st_size


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400), flip=st.integers(0, 255), protocol=st.sampled_from(list(PROTOCOLS)))
def test_a_damaged_pickle_is_refused_or_read_and_never_more(tmp_path_factory, cut, flip, protocol):
    path = tmp_path_factory.getbasetemp() / f"damaged-{os.getpid()}.pkl"
    data = bytearray(pickle.dumps({"annotations": [{"a": np.ones(3)}, {"b": "text"}]}, protocol=protocol))
    data[cut % len(data)] = flip
    path.write_bytes(data)
    with contextlib.suppress(InvalidDataSet):
        list(entries(path))


def test_reading_needs_no_module_of_the_pickle(tmp_path):
    path = write(tmp_path, {"annotations": [1]})
    before = set(sys.modules)
    list(entries(path))
    assert set(sys.modules) == before
