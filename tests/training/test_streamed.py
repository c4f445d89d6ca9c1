import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import ClipSpec, to_clips
from model.errors import InvalidDataSet, LayoutMismatch
from model.named_layouts import CASIA_14, COCO_17, COCO_20, KINECT_20, NTU_25
from model.prepare import prepare_people
from model.sequence import Units
from model.uniform import official_clips
from tests.training.of_people import recordings
from tests.training.small import small_recipe, small_set
from training.batches import Batches
from training.data.action_set import ActionSet
from training.pool import Pool
from training.streamed import Remembered, Streamed

PAIRS = ClipSpec(frames=12, fps=30, minimum=4, dims=3, people=2, origin="spine")
UNIFORM = PAIRS.model_copy(update={"sampling": "uniform", "minimum": 1, "clips": 3})
SHAPES = [(2, 20, 0), (1, 12, 1), (2, 40, 1), (1, 5, 0), (2, 24, 0)]


def served(data, i, clip, layout):
    """Clips of recording i as a model in service is given them."""
    people = [data.sequence(i, person) for person in range(int(data.people[i]))]
    return to_clips(prepare_people(people, layout, clip).sequences, clip, layout)


def streamed(data, clip, layout=NTU_25, **more):
    return Streamed.of(data, data.class_labels, layout, clip, **more)


@pytest.mark.parametrize("people", [1, 2])
def test_uniform_clips_of_training_are_those_of_serving(people):
    data, clip = recordings(SHAPES), UNIFORM.model_copy(update={"people": people})
    clips = streamed(data, clip).fixed(np.array([2, 0, 3]), 3)
    assert np.array_equal(clips, np.concatenate([served(data, i, clip, NTU_25) for i in (2, 0, 3)]))


@pytest.mark.parametrize("fps", [30.0, 20.0, 45.0])
@pytest.mark.parametrize("people", [1, 2])
def test_windows_of_training_are_those_of_serving(people, fps):
    clip = PAIRS.model_copy(update={"people": people, "fps": fps, "stride": 1})
    data = recordings(SHAPES)
    source = streamed(data, clip)
    clips = source.fixed(np.arange(len(source)))
    for i, one in zip(source.kept, clips, strict=True):
        assert any(np.allclose(one, window, atol=1e-6) for window in served(data, i, clip, NTU_25))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_random_clip_is_made_of_frames_that_serving_would_see(seed):
    data = recordings([(2, 30, 0), (1, 9, 1)])
    clips = streamed(data, UNIFORM).draw(np.array([0, 1]), 0.0, np.random.default_rng(seed))
    for i, clip in enumerate(clips):
        every = streamed(data, UNIFORM).frames_of(i)
        places = [np.flatnonzero((every == clip[:, [t]]).all(axis=(0, 2, 3))) for t in range(12)]
        assert all(len(place) for place in places)
    assert np.array_equal(clips, streamed(data, UNIFORM).draw(np.array([0, 1]), 0.0, np.random.default_rng(seed)))


def test_single_people_streamed_are_what_they_are_in_memory():
    single = small_set(frames=30)
    clip = ClipSpec(frames=16, minimum=8, fps=20.0)
    labels, which = np.zeros(len(single), np.int64), np.array([3, 0, 11])
    pool = Pool.of(single, labels, COCO_17, clip)
    stream = Streamed.of(ActionSet.of_sequences(single), labels, COCO_17, clip)
    assert np.array_equal(stream.kept, pool.kept)
    for count in (1, 4):
        assert np.array_equal(stream.fixed(which, count), pool.fixed(which, count))
    for speed in (0.0, 0.2):
        ours, theirs = (source.draw(which, speed, np.random.default_rng(3)) for source in (stream, pool))
        assert np.array_equal(ours, theirs)


def test_both_people_get_the_same_turn_the_same_mirror_and_lose_the_same_limb():
    data = recordings([(2, 12, 0)] * 8)
    twins = data.frames.copy()
    for start in data.starts:
        twins[start + 12 : start + 24] = twins[start : start + 12]
    data = replace(data, frames=twins)
    change = {"mirror": 0.5, "turn": 30, "part_drop": 0.5, "scale": 0.2, "yaw": 20, "drop_limb": 0.5, "speed": 0.0}
    recipe = small_recipe(
        clip=PAIRS.model_dump(), network={"layout": "ntu-25", "dims": 3, "people": 2},
        augment={**change, "noise": 0.0},
    )  # fmt: skip
    batches = Batches(streamed(data, PAIRS), NTU_25, recipe)
    clips, _ = batches.make(0, 0)
    assert clips.shape == (8, 2, 12, 25, 4)
    assert np.array_equal(clips[:, 0], clips[:, 1])
    plain = streamed(data, PAIRS).fixed(np.arange(8))
    assert not np.allclose(clips, plain, atol=0.05)


def test_a_hundred_thousand_recordings_are_never_in_memory(tmp_path):
    count, length, joints = 100_000, 40, 25
    place = tmp_path / "frames.npy"
    frames = np.lib.format.open_memmap(place, mode="w+", dtype=np.float16, shape=(2 * count * length, joints, 4))
    frames[-2 * length :] = 1  # the file is sparse: nothing else is written
    del frames
    data = recordings(np.tile([2, length, 0], (count, 1)), frames=np.load(place, mmap_mode="r"))
    whole = place.stat().st_size
    assert whole > 1e9
    tracemalloc.start()
    source = streamed(data, UNIFORM)
    clips = source.draw(np.array([0, 5, count - 1]), 0.0, np.random.default_rng(0))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(source) == count
    assert clips[-1].any()
    assert peak < 200 * count  # labels and numbers: nothing that grows with frames, let alone lists of them


def test_what_is_too_short_is_left_out_by_its_length_alone():
    data = recordings(SHAPES)
    source = streamed(data, PAIRS.model_copy(update={"minimum": 13}))
    assert source.kept.tolist() == [0, 2, 4]
    assert source.labels.tolist() == [0, 1, 0]
    at_half = streamed(data, PAIRS.model_copy(update={"minimum": 13, "fps": 15.0}))
    assert at_half.kept.tolist() == [2]
    each = replace(data, fps_each=np.array([30.0, 10.0, 60.0, 30.0, 30.0]))
    assert streamed(each, PAIRS.model_copy(update={"minimum": 21})).kept.tolist() == [1, 4]
    with pytest.raises(InvalidDataSet, match="no recording has 41 frames at 30 fps"):
        streamed(data, PAIRS.model_copy(update={"minimum": 41}))
    with pytest.raises(InvalidDataSet, match=r"no recording has 41 frames$"):
        streamed(data, UNIFORM.model_copy(update={"minimum": 41}))


def test_keypoints_of_images_become_the_layout_of_the_network_and_know_their_width():
    data = recordings(SHAPES, layout=COCO_17, dims=2, units=Units.PIXELS, sizes=np.array([(340, 256)] * 4 + [(0, 0)]))
    clip = ClipSpec(frames=12, minimum=1, dims=2, people=2, sampling="uniform", clips=2)
    source = streamed(data, clip, COCO_20)
    clips = source.fixed(np.array([4, 1]), 2)
    assert clips.shape == (4, 2, 12, 20, 3)
    assert np.array_equal(clips, np.concatenate([served(data, i, clip, COCO_20) for i in (4, 1)]))
    assert source.widths(np.array([4, 1])).tolist() == [0, 340]
    assert streamed(recordings(SHAPES), PAIRS).widths(np.array([0])) is None


def test_people_in_space_are_seen_by_one_camera_where_the_network_takes_images():
    data, clip = recordings(SHAPES), ClipSpec(frames=12, minimum=1, dims=2, people=2, sampling="uniform", clips=1)
    clips = streamed(data, clip, COCO_17).fixed(np.array([0, 2]))
    assert np.array_equal(clips, np.concatenate([served(data, i, clip, COCO_17) for i in (0, 2)]))


def test_a_layout_that_cannot_be_had_is_refused_before_the_first_batch():
    with pytest.raises(LayoutMismatch, match="3-D"):
        streamed(recordings(SHAPES, layout=COCO_17, dims=2, units=Units.PIXELS), PAIRS, KINECT_20)
    with pytest.raises(LayoutMismatch, match="spine"):
        streamed(recordings(SHAPES), PAIRS, CASIA_14)


def test_officially_only_frames_with_the_main_person_are_used():
    data = recordings([(2, 20, 0)])
    frames = data.frames.copy()
    frames[5:7], frames[30:40] = 0, 0  # the first is gone for 2 frames, the second for 10 others
    data = replace(data, frames=frames)
    assert streamed(data, UNIFORM).frames_of(0).shape[1] == 20
    official = streamed(data, UNIFORM, official=True).frames_of(0)
    assert official.shape[1] == 18
    assert np.array_equal(official, np.delete(streamed(data, UNIFORM).frames_of(0), (5, 6), axis=1))


def test_several_fixed_windows_go_from_start_to_end():
    data = recordings([(1, 40, 0)])
    source = streamed(data, PAIRS.model_copy(update={"origin": "given"}))
    clips = source.fixed(np.array([0]), 3)
    every = source.frames_of(0)
    assert np.array_equal(clips, np.stack([every[:, start : start + 12] for start in (0, 14, 28)]))
    assert np.array_equal(source.fixed(np.array([0]))[0], every[:, 14:26])


@pytest.mark.parametrize("length", [7, 20, 60])
def test_officially_the_frames_of_the_published_test_are_taken(length):
    source = streamed(recordings([(1, length, 0)]), UNIFORM, official=True)
    every = source.frames_of(0)
    at = official_clips(length, 12, 3)
    assert np.array_equal(source.fixed(np.array([0]), 3), every[:, at].swapaxes(0, 1))


def test_a_recording_is_prepared_once_as_long_as_there_is_room():
    made = []

    def make(i):
        made.append(i)
        return np.full((10, 3, 4), i, np.float32)

    remembered = Remembered(room=1000)  # two of 480 bytes
    for i in (0, 1, 2, 0, 1, 2):
        assert (remembered.get(i, make) == i).all()
    assert made == [0, 1, 2, 2]


def test_what_was_read_before_is_the_same_again():
    data = recordings(SHAPES)
    source, fresh = streamed(data, PAIRS), replace(streamed(data, PAIRS), read_before=Remembered(0))
    which = np.array([0, 2, 0, 3])
    for seed in (1, 1, 2):
        ours, theirs = (one.draw(which, 0.2, np.random.default_rng(seed)) for one in (source, fresh))
        assert np.array_equal(ours, theirs)


def test_a_batch_is_mirrored_inside_the_image_it_was_seen_in():
    data = recordings([(2, 12, 0)] * 8, layout=COCO_17, dims=2, units=Units.PIXELS, sizes=np.full((8, 2), 340))
    clip = ClipSpec(frames=12, minimum=1, dims=2, people=2, sampling="uniform")
    recipe = small_recipe(
        clip=clip.model_dump(), network={"people": 2},
        augment={"mirror": 1.0, "speed": 0.0, "noise": 0.0, "drop_limb": 0.0},
    )  # fmt: skip
    source = streamed(data, clip, COCO_17)
    clips, _ = Batches(source, COCO_17, recipe).make(0, 0)
    seen = clips[..., 2] > 0
    assert clips[seen][:, 0].min() > 340 - 2.1  # joints lie between 1 and 2 from the left
    assert clips[seen][:, 0].max() < 340 - 0.9
