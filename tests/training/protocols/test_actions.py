from dataclasses import replace

import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.recordings import recording
from tests.training import shapes
from tests.training.evaluate.planted import actions
from training.data.kinds import KINDS
from training.data.load import load
from training.protocols.actions import (
    PROTOCOLS,
    ActionProtocol,
    chosen,
    class_names,
    groups_of,
    labelled,
    members,
    protocol_of,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    paths = shapes.write_actions(folder)
    return {kind: load(path, cache=folder / "cache") for kind, path in paths.items()}


def test_every_official_test_can_be_asked_for_by_its_name():
    assert {each.value for each in ActionProtocol} == {"all", "test-part", *PROTOCOLS}
    assert [each for each in ActionProtocol if each.official is None] == ["all", "test-part"]


def test_the_paper_s_protocols_are_all_there():
    assert {"ntu60-xsub", "ntu60-xview", "ntu120-xsub", "ntu120-xset", "kinetics", "finegym"} <= set(PROTOCOLS)
    assert {"pku-mmd-xsub", "pku-mmd-xview", "utd-mhad", "nw-ucla", "kard", "msr-action3d", "hdm05"} <= set(PROTOCOLS)
    assert [name for name, each in PROTOCOLS.items() if each.figure == "mean-class"] == ["finegym"]


def test_the_kinds_of_every_protocol_exist():
    assert {kind for each in PROTOCOLS.values() for kind in each.kinds} <= set(KINDS)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_on_simulated_data_in_the_official_form_every_protocol_finds_its_test_and_trains_on_none_of_it(written, name):
    protocol = PROTOCOLS[name]
    for kind in protocol.kinds:
        if kind not in written:
            continue
        loaded = written[kind]
        found = chosen(loaded, ActionProtocol(name))
        assert found.name == name
        assert 0 < len(found.data) < len(loaded.data) == found.whole
        assert found.data.frames is loaded.data.frames  # which lie on disk
        assert isinstance(found.data.frames, np.memmap)
        assert np.intersect1d(loaded.splits[protocol.test], loaded.splits[protocol.train]).size == 0
        assert found.expected == loaded.report.expected.get(protocol.test)


def test_what_is_tested_comes_from_other_people_or_another_camera(written):
    for name, label in {"ntu60-xsub": "subject", "ntu60-xview": "view", "ntu120-xset": "condition"}.items():
        loaded, protocol = written[PROTOCOLS[name].kinds[0]], PROTOCOLS[name]
        tested, trained = (loaded.split(split).labels(label) for split in (protocol.test, protocol.train))
        assert not set(tested.tolist()) & set(trained.tolist()), name


def test_a_data_set_of_another_kind_is_refused_with_both_names(written):
    with pytest.raises(InvalidDataSet, match="is kard; protocol ntu60-xsub takes ntu60-pickle, ntu60-raw"):
        chosen(written["kard"], ActionProtocol.NTU60_XSUB)


def test_a_split_can_be_named_and_an_unknown_one_is_refused_with_those_there_are(written):
    loaded = written["nw-ucla"]
    found = chosen(loaded, ActionProtocol.ALL, "xview_train")
    assert (found.name, len(found.data)) == ("split xview_train", len(loaded.splits["xview_train"]))
    with pytest.raises(InvalidDataSet, match="no split 'xsub_val'; there are: xview_train, xview_test"):
        chosen(loaded, ActionProtocol.ALL, "xsub_val")


def test_a_set_may_name_its_test_part_or_be_tested_on_whole(tmp_path):
    actions().save_npz(tmp_path / "a.npz")
    loaded = load(tmp_path / "a.npz", cache=tmp_path / "cache")
    assert len(chosen(loaded, ActionProtocol.ALL).data) == 12
    assert np.unique(chosen(loaded, ActionProtocol.TEST_PART).data.subject).tolist() == ["000"]


def test_the_rule_of_a_protocol_is_applied_to_a_set_of_our_own_format(tmp_path):
    data = actions(people=4)
    data = replace(data, subject=np.char.mod("%03d", data.subject.astype(int) + 1))
    data.save_npz(tmp_path / "own.npz")
    loaded = load(tmp_path / "own.npz", cache=tmp_path / "cache")
    assert np.unique(chosen(loaded, ActionProtocol.UTD_MHAD).data.subject).tolist() == ["002", "004"]
    assert len(members(loaded, "xsub_train", ActionProtocol.UTD_MHAD)) == 8


def test_a_set_without_actions_is_refused(tmp_path):
    data = actions()
    data.action[:] = ""
    data.save_npz(tmp_path / "a.npz")
    with pytest.raises(InvalidDataSet, match="no labelled actions"):
        chosen(load(tmp_path / "a.npz", cache=tmp_path / "cache"), ActionProtocol.ALL)


def test_intervals_are_over_people_scenes_or_videos_as_far_as_they_are_known(written):
    def groups(kind, name):
        return chosen(written[kind], ActionProtocol(name)).groups.tolist()

    assert set(groups("ntu60-pickle", "ntu60-xsub")) == {"003", "006", "007", "010"}
    assert set(groups("pku-mmd-pickle", "pku-mmd-xsub")) == {"0003", "0005", "0007", "0009"}
    assert all(name.startswith("Gymnast") for name in groups("finegym-pickle", "finegym"))
    kinetics = groups("kinetics-pickle", "kinetics")
    assert len(set(kinetics)) == len(kinetics)


def test_classes_go_by_name_else_by_number(written):
    data = written["ntu60-pickle"].data
    assert class_names(data)[0] == "A001 drink water"
    bare = replace(data, action=np.full(len(data), ""))
    assert class_names(bare)[0] == "000"
    unknown = replace(bare, class_labels=np.full(len(data), -1))
    assert not labelled(unknown).any()
    assert (class_names(unknown) == "").all()


def test_the_protocol_of_a_split_is_found_and_one_that_trains_is_none():
    assert protocol_of("ntu60-raw", "xview_val") == PROTOCOLS["ntu60-xview"]
    assert protocol_of("ntu60-raw", "xview_train") is None


def test_recordings_of_nobody_known_are_groups_of_their_own(written):
    data = written["kinetics-pickle"].data
    assert len(set(groups_of(data).tolist())) == len(data)


@pytest.mark.parametrize(
    ("name", "file", "tested"),
    [
        ("nw-ucla", "nw_ucla.npz", 369),
        ("msr-action3d", "msr_action3d.npz", 275),
        ("kard", "kard.npz", 270),
    ],
)
def test_the_recordings_of_real_people_hold_what_their_protocols_expect(tmp_path, name, file, tested):
    loaded = load(recording(file), cache=tmp_path)
    found, protocol = chosen(loaded, ActionProtocol(name)), PROTOCOLS[name]
    assert not loaded.report.differing
    assert len(found.data) == found.expected == tested
    train, test = loaded.split(protocol.train), found.data
    if protocol.test.startswith("xsub"):
        assert not set(train.subject.tolist()) & set(test.subject.tolist())
    else:
        assert not set(train.view.tolist()) & set(test.view.tolist())
    assert set(class_names(test).tolist()) <= set(class_names(train).tolist())


@pytest.mark.parametrize(("kind", "split", "name"), [
    ("finegym-pickle", "val", "finegym"), ("pku-mmd-pickle", "xview_val", "pku-mmd-xview"),
])  # fmt: skip
def test_an_official_split_by_its_name_is_measured_as_by_its_protocol(kind, split, name, written):
    named, official = chosen(written[kind], ActionProtocol.ALL, split), chosen(written[kind], ActionProtocol(name))
    assert named.figure == official.figure
    assert named.groups.tolist() == official.groups.tolist()
    assert named.name == f"split {split}"
