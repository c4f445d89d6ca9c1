import numpy as np
import pytest
import torch
from pydantic import ValidationError

from model.named_layouts import COCO_17, COCO_20, NTU_25, OPENPOSE_18
from model.network.aclnet import AclNet
from model.network.config import NetworkConfig
from model.network.inputs import Inputs
from model.network.streams import OfficialStreams, Streams, grandparents

SIX = ("joint", "bone", "k-bone", "motion", "bone-motion", "k-bone-motion")

# From ACLNet's JointToKB, a child at its place: (0, 20), (1, 1), ... of nturgb+d, and so on.
PUBLISHED_GRANDPARENTS = {
    NTU_25: [20, 1, 2, 20, 4, 20, 4, 5, 8, 20, 8, 9, 1, 0, 12, 13, 1, 0, 16, 17, 20, 7, 6, 11, 10],
    OPENPOSE_18: [0, 1, 2, 1, 2, 5, 1, 5, 1, 2, 8, 1, 5, 11, 1, 1, 0, 0],
    COCO_17: [0, 1, 2, 0, 0, 5, 6, 0, 0, 5, 6, 11, 12, 0, 0, 11, 12],
    COCO_20: [0, 19, 19, 0, 0, 5, 6, 19, 19, 5, 6, 18, 18, 17, 17, 11, 12, 19, 18, 19],
}


@pytest.mark.parametrize("layout", PUBLISHED_GRANDPARENTS, ids=lambda layout: layout.name)
def test_long_bones_are_the_published_ones(layout):
    assert grandparents(layout.parents) == PUBLISHED_GRANDPARENTS[layout]


def test_a_long_bone_reaches_the_parents_parent_and_a_child_of_the_root_has_none():
    joints, confidence = torch.rand(1, 2, 8, 17), torch.ones(1, 1, 8, 17)
    wrist, shoulder = COCO_17.index("left_wrist"), COCO_17.index("left_shoulder")
    bones = Streams(COCO_17, ("k-bone",), False)(joints, confidence)
    torch.testing.assert_close(bones[..., wrist], joints[..., wrist] - joints[..., shoulder])
    assert bones[..., [0, shoulder]].abs().max() == 0


@pytest.mark.parametrize(("stream", "of"), [("bone-motion", "bone"), ("k-bone-motion", "k-bone")])
def test_a_motion_of_bones_is_their_step_to_the_next_frame(stream, of):
    joints, confidence = torch.rand(1, 3, 8, 25), torch.ones(1, 1, 8, 25)
    motion = Streams(NTU_25, (stream,), False)(joints, confidence)
    bones = Streams(NTU_25, (of,), False)(joints, confidence)
    torch.testing.assert_close(motion[:, :, :-1], bones[:, :, 1:] - bones[:, :, :-1])
    assert motion[:, :, -1].abs().max() == 0


def _published(stream: str, clip: np.ndarray, layout: str, parents: tuple[int, ...]) -> np.ndarray:
    """Written down from the published code's description: clips (T, V, 3) of x, y and score, score by score."""
    frames, joints, _ = clip.shape
    made = clip.copy()
    if stream.startswith(("bone", "k-bone")):
        for joint in range(joints):
            above = parents[joint]
            if stream.startswith("k"):
                above = joint if parents[above] == above else parents[above]
            made[:, joint] = clip[:, joint] - clip[:, above]
            if stream.startswith("bone") or layout != "coco-20":
                made[:, joint, 2] = (clip[:, joint, 2] + clip[:, above, 2]) / 2
    if not stream.endswith("motion"):
        return made
    step = np.zeros_like(made)
    for frame in range(frames - 1):
        step[frame] = made[frame + 1] - made[frame]
        if layout != "coco-20":
            step[frame, :, 2] = (made[frame + 1, :, 2] + made[frame, :, 2]) / 2
    return step


@pytest.mark.parametrize("stream", SIX)
@pytest.mark.parametrize("layout", [COCO_17, COCO_20], ids=lambda layout: layout.name)
def test_official_scores_are_what_the_published_code_makes_of_them(stream, layout):
    clip = np.random.default_rng(0).uniform(0.1, 1, (9, layout.count, 3)).astype(np.float32)
    planes = torch.from_numpy(clip).permute(2, 0, 1)[None]
    ours = OfficialStreams(layout, (stream,))(planes[:, :2], planes[:, 2:])
    expected = _published(stream, clip, layout.name, layout.parents)
    np.testing.assert_allclose(ours[0].permute(1, 2, 0).numpy(), expected, atol=1e-6)


def test_official_scores_are_a_channel_of_each_stream_and_a_network_can_be_built_with_them():
    config = NetworkConfig(
        layout="coco-20", streams=SIX, scores="official", widths=(16,), strides=(1,), dim=4, classes=2
    )
    clips = torch.rand(2, 9, 20, 3)
    assert Inputs(COCO_20, config)(clips).shape == (2, 18, 9, 20) == (2, config.channels, 9, 20)
    assert AclNet(config)(clips).logits.isfinite().all()


def _multi_input(clip: np.ndarray, parents: tuple[int, ...], root: int) -> dict[str, np.ndarray]:
    """GaitGraph2's inputs for clips (T, V, 2), written down from the description, one value at a time."""
    made = {name: np.zeros_like(clip) for name in ("relative", "long-motion", "angle")}
    for frame in range(len(clip)):
        for joint, above in enumerate(parents):
            bone = clip[frame, joint] - clip[frame, above]
            made["relative"][frame, joint] = clip[frame, joint] - clip[frame, root]
            made["angle"][frame, joint] = np.arccos(bone / (np.hypot(*bone) + 0.0001))
            if frame < len(clip) - 2:
                made["long-motion"][frame, joint] = clip[frame + 2, joint] - clip[frame, joint]
    return made


@pytest.mark.parametrize("stream", ["relative", "long-motion", "angle"])
@pytest.mark.parametrize(("layout", "root"), [(COCO_17, 0), (OPENPOSE_18, 1)])
def test_gaitgraphs_inputs_are_what_its_authors_meant(stream, layout, root):
    clip = np.random.default_rng(0).uniform(0, 1, (9, layout.count, 2)).astype(np.float32)
    planes = torch.from_numpy(clip).permute(2, 0, 1)[None]
    ours = Streams(layout, (stream,), False)(planes, torch.ones(1, 1, 9, layout.count))
    expected = _multi_input(clip, layout.parents, root)[stream]
    np.testing.assert_allclose(ours[0].permute(1, 2, 0).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("stream", ["relative", "long-motion", "angle"])
def test_gaitgraphs_inputs_are_nothing_where_an_end_is_missing(stream):
    joints, confidence = torch.rand(1, 2, 9, 17), torch.ones(1, 1, 9, 17)
    elbow, shoulder = COCO_17.index("left_elbow"), COCO_17.index("left_shoulder")
    confidence[:, :, 4, [0, elbow]] = 0
    made = Streams(COCO_17, (stream,), False)(joints, confidence)
    assert made[:, :, 4, elbow].abs().max() == 0
    assert made.isfinite().all()
    if stream == "relative":
        assert made[:, :, 4, shoulder].abs().max() == 0
    if stream == "long-motion":
        assert made[:, :, 2, elbow].abs().max() == 0


@pytest.mark.parametrize("changes", [{"dims": 3}, {"confidence": False}])
def test_official_scores_need_scores(changes):
    with pytest.raises(ValidationError, match="official scores are those of two-dimensional joints"):
        NetworkConfig.model_validate({"scores": "official", "classes": 2} | changes)


def test_official_scores_are_of_the_published_streams_only():
    with pytest.raises(ValidationError, match="ACLNet's six streams"):
        NetworkConfig(scores="official", streams=("joint", "angle"), classes=2)
