import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from model.named_layouts import COCO_17, H36M_17
from model.network.config import NetworkConfig, Normalisation
from model.network.inputs import FAR, HIPS, SHOULDERS, Inputs, Normalise, Streams
from tests.fakes import walking

TORSO = (*SHOULDERS, *HIPS)
SPANS = ("frame", "moving", "clip")


def _clip(frames: int = 30, subject: int = 0) -> torch.Tensor:
    sequence = walking(subject, frames=frames)
    return torch.tensor(np.concatenate([sequence.joints, sequence.confidence[..., None]], axis=-1))[None]


def _normalised(clips: torch.Tensor, centre="clip", scale="clip", window=25) -> torch.Tensor:
    normalise = Normalise(COCO_17, Normalisation(centre=centre, scale=scale, window=window))
    joints: torch.Tensor = normalise(clips.permute(0, 3, 1, 2))[0]
    return joints.permute(0, 2, 3, 1)


def _moved(clips: torch.Tensor, shift=(0.0, 0.0), scale=1.0) -> torch.Tensor:
    return torch.cat([clips[..., :2] * scale + torch.tensor(shift), clips[..., 2:]], dim=-1)


@pytest.mark.parametrize("centre", SPANS)
@pytest.mark.parametrize("scale", SPANS)
def test_place_and_size_in_the_image_change_nothing(centre, scale):
    clips = _clip()
    moved = _moved(clips, (300.0, -200.0), 3.0)
    torch.testing.assert_close(_normalised(moved, centre, scale), _normalised(clips, centre, scale), atol=1e-4, rtol=0)


def test_a_torso_is_one_long_and_lies_about_the_origin():
    joints = _normalised(_clip(), "frame", "frame")
    torso = [COCO_17.index(name) for name in TORSO]
    torch.testing.assert_close(joints[:, :, torso].mean(2), torch.zeros(1, 30, 2), atol=1e-5, rtol=0)
    length = (joints[:, :, torso[:2]].mean(2) - joints[:, :, torso[2:]].mean(2)).norm(dim=-1)
    torch.testing.assert_close(length, torch.ones(1, 30), atol=1e-4, rtol=0)


def test_a_path_through_the_image_is_kept_by_a_clips_centre_and_taken_out_by_a_frames():
    clips = _clip()
    walk = torch.arange(30.0)[None, :, None, None] * torch.tensor([10.0, 0.0, 0.0])
    torch.testing.assert_close(_normalised(clips + walk, "frame"), _normalised(clips, "frame"), atol=1e-3, rtol=0)
    assert (_normalised(clips + walk, "clip") - _normalised(clips, "clip")).abs().max() > 1


def test_a_moving_centre_follows_a_steady_walk_in_the_middle_of_a_clip():
    clips = _clip(90)
    walk = torch.arange(90.0)[None, :, None, None] * torch.tensor([10.0, 0.0, 0.0])
    difference = _normalised(clips + walk, "moving") - _normalised(clips, "moving")
    assert difference[:, 12:-12].abs().max() < 1e-3


def test_a_missing_joint_contributes_nothing_and_comes_out_as_nothing():
    clips = _clip()
    clips[:, :, 9, 2] = 0
    wild = clips.clone()
    wild[:, :, 9, :2] = 5e4
    joints = _normalised(wild, "moving", "clip")
    torch.testing.assert_close(joints, _normalised(clips, "moving", "clip"))
    assert joints[:, :, 9].abs().max() == 0


def test_without_a_torso_the_seen_joints_are_the_centre():
    clips = _clip()
    clips[:, :, [COCO_17.index(name) for name in TORSO], 2] = 0
    joints = _normalised(clips, "frame", "frame")
    seen = clips[..., 2] > 0
    mean = (joints * seen[..., None]).sum(2) / seen.sum(2, keepdim=True)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0)


@pytest.mark.parametrize("centre", SPANS)
@pytest.mark.parametrize("scale", SPANS)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.0, 1e-30, 1e-3, 1.0, 9.9e4]), kept=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_whatever_comes_in_what_goes_on_is_finite(centre, scale, seed, size, kept):
    generator = torch.Generator().manual_seed(seed)
    joints = (torch.rand(2, 12, 17, 2, generator=generator) * 2 - 1) * size
    confidence = torch.rand(2, 12, 17, 1, generator=generator)
    clips = torch.cat([joints, confidence * (confidence < kept)], dim=-1)
    out = _normalised(clips, centre, scale)
    assert out.isfinite().all()
    assert out.abs().max() <= FAR


def test_bones_are_child_minus_parent_and_nothing_where_an_end_is_missing():
    joints, confidence = torch.rand(1, 2, 8, 17), torch.ones(1, 1, 8, 17)
    elbow, shoulder = COCO_17.index("left_elbow"), COCO_17.index("left_shoulder")
    bones = Streams(COCO_17, ("bone",), False)(joints, confidence)
    torch.testing.assert_close(bones[..., elbow], joints[..., elbow] - joints[..., shoulder])
    assert bones[..., 0].abs().max() == 0  # a root is its own parent
    confidence[..., shoulder] = 0
    bones = Streams(COCO_17, ("bone",), False)(joints, confidence)
    assert bones[..., [elbow, shoulder]].abs().max() == 0


def test_motion_is_the_step_to_the_next_frame_and_nothing_where_a_frame_is_missing():
    joints, confidence = torch.rand(1, 2, 8, 17), torch.ones(1, 1, 8, 17)
    confidence[:, :, 4, 3] = 0
    motion = Streams(COCO_17, ("motion",), False)(joints, confidence)
    torch.testing.assert_close(motion[:, :, 0], joints[:, :, 1] - joints[:, :, 0])
    assert motion[:, :, 7].abs().max() == 0
    assert motion[:, :, 3:5, 3].abs().max() == 0


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("streams", [("joint",), ("bone", "motion"), ("joint", "bone", "motion")])
@pytest.mark.parametrize("confidence", [True, False])
def test_streams_and_confidence_are_channels(dims, streams, confidence):
    config = NetworkConfig(layout="h36m-17", dims=dims, streams=streams, confidence=confidence, classes=2)
    assert Inputs(H36M_17, config)(torch.rand(2, 9, 17, dims + 1)).shape == (2, config.channels, 9, 17)
