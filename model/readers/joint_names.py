"""What joints are called elsewhere, in our words."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from model.layout import Layout
from model.named_layouts import CMU_20, HDM05_27, KARD_15, LAYOUTS

ENDS_OF_BONES: Mapping[str, str] = MappingProxyType(
    {
        **{"root": "mid_hip", "lowerback": "spine", "upperback": "chest", "thorax": "mid_shoulder"},
        **{"lowerneck": "neck", "upperneck": "upper_neck", "head": "head"},
        **{
            f"{letter}{bone}": f"{side}_{joint}"
            for letter, side in (("l", "left"), ("r", "right"))
            for bone, joint in (
                *(("hipjoint", "hip"), ("femur", "knee"), ("tibia", "ankle"), ("foot", "foot"), ("toes", "big_toe")),
                *(("clavicle", "shoulder"), ("humerus", "elbow"), ("radius", "wrist")),
                *(("wrist", "hand"), ("hand", "hand_tip")),
            )
        },
    }
)
"""Bones of an Acclaim skeleton (CMU, HDM05), by the joint at their far end."""

CMU_FROM_ENDS: Mapping[str, str] = MappingProxyType(
    {**{bone: joint for bone, joint in ENDS_OF_BONES.items() if joint in CMU_20 and joint != "neck"}}
    | {"upperneck": "neck"}
)
"""CMU-20 has one joint of the neck, the upper."""

_TRACKERS: Mapping[str, str] = MappingProxyType(
    {
        **{"mouth_left": "left_mouth", "mouth_right": "right_mouth"},
        **{"left_foot_index": "left_foot", "right_foot_index": "right_foot"},
        **{"HipCenter": "mid_hip", "SpineBase": "mid_hip", "hip_center": "mid_hip", "pelvis": "mid_hip"},
        **{"ShoulderCenter": "mid_shoulder", "shoulder_center": "mid_shoulder", "thorax": "mid_shoulder"},
        **{"SpineMid": "spine", "Torso": "spine"},
    }
)
_MSR: Mapping[str, str] = MappingProxyType(
    {
        f"{joint}_{number}": f"{'left' if number in left else 'right'}_{joint}"
        for left in [{1, 5, 8, 10, 12, 14, 16, 18}]
        for joint, numbers in {
            **{"shoulder": (1, 2), "hip": (5, 6), "elbow": (8, 9), "wrist": (10, 11)},
            **{"hand": (12, 13), "knee": (14, 15), "ankle": (16, 17), "foot": (18, 19)},
        }.items()
        for number in numbers
    }
)


def ours(name: str) -> str:
    """A tracker's name for a joint, in our words.

    >>> ours("ShoulderLeft"), ours("HipCenter"), ours("elbow_8"), ours("left_knee")
    ('left_shoulder', 'mid_hip', 'left_elbow', 'left_knee')
    """
    if known := _TRACKERS.get(name) or _MSR.get(name):
        return known
    sided = re.fullmatch(r"([A-Z][a-z]+)(Left|Right)", name)
    return f"{sided[2]}_{sided[1]}".lower() if sided else name.lower()


def layout_by_names(names: Sequence[str]) -> tuple[Layout, list[int]] | None:
    """The layout whose joints these are, and the place in `names` of each of its joints; None for an unknown set."""
    plain = [ours(name) for name in names]
    kard = [
        re.sub("_hand$", "_wrist", re.sub("_foot$", "_ankle", joint)) if len(names) == KARD_15.count else joint
        for joint in plain
    ]
    bones = [ENDS_OF_BONES.get(name, name) for name in names] if len(names) == HDM05_27.count else plain
    for candidate in (plain, kard, bones):
        for layout in LAYOUTS.values():
            if sorted(layout.joints) == sorted(candidate):
                return layout, [candidate.index(joint) for joint in layout.joints]
    return None
