import pytest

from model.errors import UnknownLayout
from model.layout import BODY_PARTS, Layout
from model.named_layouts import (
    BODY_25,
    CASIA_14,
    CMU_20,
    COCO_17,
    KINECT_20,
    LAYOUTS,
    NTU_25,
    OPENPOSE_18,
    layout_named,
)

ALL = list(LAYOUTS.values())


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_every_bone_leads_to_one_root(layout: Layout) -> None:
    for joint in range(layout.count):
        seen = {joint}
        while (parent := layout.parents[joint]) != joint:
            assert parent not in seen
            seen.add(parent)
            joint = parent
        assert layout.parents[joint] == joint


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_mirror_is_its_own_inverse_and_swaps_the_sides(layout: Layout) -> None:
    for joint, image in enumerate(layout.mirror):
        assert layout.mirror[image] == joint
        sided = layout.joints[joint].split("_")[0] in ("left", "right")
        assert (image != joint) == sided


@pytest.mark.parametrize("layout", ALL, ids=lambda layout: layout.name)
def test_every_joint_is_in_exactly_one_body_part(layout: Layout) -> None:
    assert tuple(layout.parts) == BODY_PARTS
    assert sorted(i for part in layout.parts.values() for i in part) == list(range(layout.count))


# Orders as their sources publish them, against a slip of the finger in ours.
@pytest.mark.parametrize(
    ("layout", "mirror"),
    [
        (COCO_17, [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]),
        (OPENPOSE_18, [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]),
        (BODY_25, [0, 1, 5, 6, 7, 2, 3, 4, 8, 12, 13, 14, 9, 10, 11, 16, 15, 18, 17, 22, 23, 24, 19, 20, 21]),
        (NTU_25, [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 20, 23, 24, 21, 22]),
        (KINECT_20, [0, 1, 2, 3, 8, 9, 10, 11, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15]),
        (CASIA_14, [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10]),
    ],
    ids=lambda value: value.name if isinstance(value, Layout) else "",
)
def test_mirror_pairs_are_those_of_the_source(layout: Layout, mirror: list[int]) -> None:
    assert list(layout.mirror) == mirror


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownLayout, match="coco-17") as caught:
        layout_named("coco-18")
    assert caught.value.known == tuple(LAYOUTS)


def test_layouts_are_equal_by_name_and_joints() -> None:
    assert layout_named("cmu-20") == CMU_20
    assert CMU_20 != COCO_17
    assert len({*ALL, *LAYOUTS.values()}) == len(LAYOUTS)
