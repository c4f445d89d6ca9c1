from typing import Any

import numpy as np
import pytest

from model.clips import ClipSpec
from model.errors import InvalidDataSet, InvalidRequest, LayoutMismatch
from model.named_layouts import CASIA_14, MEDIAPIPE_33, NTU_25
from model.sequence import Floats, Units
from model.uniform import fixed_clips, official_clips
from tests.fakes import FakeClassifier, walking
from tests.training.evaluate.planted import PerfectClassifier, actions
from training.data.action_set import ActionSet, field_of
from training.data.arrays import LABELS, SequenceSet
from training.evaluate.actions import evaluate_actions

UNIFORM = ClipSpec(frames=16, minimum=1, dims=3, people=2, sampling="uniform", clips=5)


def pairs(count=6, frames=10, classes=2):
    """Recordings of NTU joints that have no names of classes, only numbers; those of odd number show two people.

    x of all joints of the main person is 0.1 for class 0, 0.2 for class 1; the second is elsewhere.
    """
    number = np.arange(count)
    lengths, people = frames + number, 1 + number % 2
    labels: dict[str, Any] = {field_of(label): np.full(count, "") for label in LABELS}
    labels |= {"subject": np.char.mod("%03d", number % 3), "sequence_name": np.char.mod("r%d", number)}
    starts = np.concatenate([[0], np.cumsum(lengths * people)])
    rows = np.ones((starts[-1], 25, 4), np.float32)
    for i in range(count):
        rows[starts[i] : starts[i + 1], :, 0] = 5.0
        rows[starts[i] :][: lengths[i], :, 0] = 0.1 * (1 + i % classes)
    return ActionSet(
        rows, starts[:-1], lengths, people, number % classes, layout=NTU_25, fps=30.0, units=Units.METRES, **labels
    )


class Watching:
    """Gives every clip the class that its main person's x says, and keeps the shapes of what it was given."""

    fingerprint, layout, clip = "watching", NTU_25, UNIFORM
    labels: tuple[str, ...] = ("000", "001")

    def __init__(self):
        self.shapes: list[tuple[int, ...]] = []

    def probabilities(self, clips):
        self.shapes.append(clips.shape)
        number = np.rint(clips[:, 0, :, :, 0].mean(axis=(1, 2)) / 0.1).astype(int) - 1
        return np.eye(2, dtype=np.float32)[number]


class Keeping(Watching):
    """Keeps the clips, too, and says the same of all. changes: of its clips' form."""

    def __init__(self, **changes):
        super().__init__()
        self.clip = ClipSpec.model_validate({**UNIFORM.model_dump(), **changes})
        self.clips: list[Floats] = []

    def probabilities(self, clips):
        self.clips.append(clips)
        return np.tile(np.array([[0.75, 0.25]], np.float32), (len(clips), 1))


def test_a_perfect_classifier_scores_exactly_one():
    result = evaluate_actions(PerfectClassifier(), actions())
    assert result.accuracy == result.mean_by_class == result.top(1) == result.top(5) == 1.0
    assert result.by_class() == {"walk": (1.0, 6, 3), "run": (1.0, 6, 3)}
    assert result.confusion.tolist() == [[6, 0], [0, 6]]


def test_one_that_always_says_the_same_is_right_as_often_as_that_is_true():
    result = evaluate_actions(FakeClassifier(), actions())
    assert result.accuracy == 0.5
    assert result.confusion.tolist() == [[6, 0], [6, 0]]


def test_labels_that_the_classifier_does_not_know_are_left_out_and_counted():
    result = evaluate_actions(PerfectClassifier(), actions(("walk", "run", "swim")))
    assert result.unknown == {"swim": 6}
    assert len(result.true) == 12
    with pytest.raises(InvalidDataSet, match="knows none of its labels"):
        evaluate_actions(PerfectClassifier(("dance", "sing")), actions())


def test_recordings_without_a_label_are_counted_too():
    data = actions()
    data.action[[0, 5]] = ""
    result = evaluate_actions(PerfectClassifier(), data)
    assert result.unknown == {"(no label)": 2}
    assert len(result.true) == 10


def test_the_results_say_how_many_people_each_class_rests_on():
    content = evaluate_actions(PerfectClassifier(), actions()).to_json()
    assert content["classes"]["run"] == {"accuracy": 1.0, "sequences": 6, "people": 3}
    assert content["interval_95"] == [1.0, 1.0]
    assert content["people"] == 3


def test_recordings_of_two_people_come_whole_and_absent_people_as_zeros():
    watching = Watching()
    result = evaluate_actions(watching, pairs(6))
    assert watching.shapes == [(6 * 5, 2, 16, 25, 4)]
    assert result.accuracy == 1.0
    assert result.names.tolist() == [f"r{i}" for i in range(6)]
    assert result.notes == ()


def test_classes_without_a_name_go_by_their_number():
    assert evaluate_actions(Watching(), pairs(4)).labels == ("000", "001")


def test_the_number_of_clips_can_be_asked_for_where_they_are_sampled():
    watching = Watching()
    evaluate_actions(watching, pairs(4), clips=2)
    assert [shape[0] for shape in watching.shapes] == [4 * 2]
    with pytest.raises(InvalidRequest, match="clips"):
        evaluate_actions(PerfectClassifier(), actions(), clips=2)


def test_many_recordings_are_taken_block_by_block():
    watching = Watching()
    steps: list[int] = []
    result = evaluate_actions(watching, pairs(120), progress=steps.append)
    assert sum(steps) == len(result.true) == 120
    assert len(watching.shapes) == 3
    assert max(shape[0] for shape in watching.shapes) <= 256
    assert result.accuracy == 1.0


def test_what_is_too_short_is_left_out_with_its_reason_and_the_others_keep_their_names():
    data = pairs(5)
    data.lengths[2] = 3
    watching = Watching()
    watching.clip = ClipSpec.model_validate({**UNIFORM.model_dump(), "minimum": 5})
    result = evaluate_actions(watching, data)
    assert [(one.index, one.reasons) for one in result.left_out] == [(2, ("too_short",))]
    assert result.names.tolist() == ["r0", "r1", "r3", "r4"]
    assert result.accuracy == 1.0


def test_nothing_that_can_be_classified_is_an_error_and_says_why():
    watching = Watching()
    watching.clip = ClipSpec.model_validate({**UNIFORM.model_dump(), "minimum": 900})
    with pytest.raises(InvalidDataSet, match=r"no recording can be classified \(too_short: 10 frames"):
        evaluate_actions(watching, pairs(2))


def test_joints_that_the_classifier_cannot_take_are_refused_and_not_left_out():
    walks = SequenceSet.of_sequences([walking(layout=CASIA_14)], action=["walk"])
    with pytest.raises(LayoutMismatch, match="20 of 33 joints cannot be had"):
        evaluate_actions(FakeClassifier(layout=MEDIAPIPE_33), walks)


def test_a_conversion_is_told_once():
    data = pairs(4, frames=30)
    spec = ClipSpec(frames=16, minimum=8, dims=3)
    model = FakeClassifier(labels=("000", "001"))
    model.clip = spec
    notes = evaluate_actions(model, data).notes
    assert notes[0] == "converted from ntu-25 to coco-17"
    assert len(notes) == len(set(notes))


def test_the_published_test_s_frames_can_be_asked_for():
    data = pairs(1, frames=40)
    data.frames[:40, :, 1] = np.arange(40)[:, None]
    ours, published = Keeping(), Keeping()
    evaluate_actions(ours, data)
    evaluate_actions(published, data, official=True)
    fixed, drawn = (each.clips[0][:, 0, :, 0, 1].astype(int) for each in (ours, published))
    assert (drawn == official_clips(40, 16, 5)).all()
    assert (fixed == fixed_clips(40, 16, 5)).all()
    assert (fixed != drawn).any()
    with pytest.raises(InvalidRequest, match="samples no clips"):
        evaluate_actions(PerfectClassifier(), actions(), official=True)
