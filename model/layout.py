"""A layout: the named joints of a skeleton, its bones, mirror pairs and body parts.

The named layouts are in `model/named_layouts.py`, conversion between them in `model/conversion.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

BODY_PARTS = ("head", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")


@dataclass(frozen=True, slots=True)
class Layout:
    """Named joints in order.

    parents: index of each joint's parent; a root is its own parent.
    mirror: index of each joint's mirror image; joints of the midline are their own.
    parts: body part (one of `BODY_PARTS`) to joint indices; every joint is in exactly one part.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    mirror: tuple[int, ...]
    parts: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, name: str, bones: Sequence[tuple[str, str]]) -> Self:
        """A layout from (joint, parent joint) pairs in joint order; mirrors and parts follow from the names."""
        joints = tuple(joint for joint, _ in bones)
        place = {joint: i for i, joint in enumerate(joints)}
        assert len(place) == len(joints), f"{name}: a joint is named twice"
        parents = tuple(place[parent] for _, parent in bones)
        mirror = tuple(place.get(_mirrored(joint), i) for i, joint in enumerate(joints))
        parts = {p: tuple(i for i, j in enumerate(joints) if part_of(j) == p) for p in BODY_PARTS}
        return cls(name, joints, parents, mirror, MappingProxyType(parts))

    @property
    def count(self) -> int:
        return len(self.joints)

    def index(self, joint: str) -> int:
        return self.joints.index(joint)

    def __contains__(self, joint: str) -> bool:
        return joint in self.joints

    def __hash__(self) -> int:
        return hash((self.name, self.joints))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and (self.name, self.joints) == (other.name, other.joints)


_LEG = ("hip", "knee", "ankle", "foot", "heel", "toe")
_ARM = ("shoulder", "elbow", "wrist", "hand", "thumb", "index", "pinky")
_HEAD = ("nose", "eye", "ear", "mouth", "head")


def part_of(joint: str) -> str:
    """Body part of a joint, by its name.

    >>> part_of("left_big_toe"), part_of("mid_hip"), part_of("right_eye_outer"), part_of("spine")
    ('left_leg', 'trunk', 'head', 'trunk')
    """
    if any(word in joint for word in _HEAD):
        return "head"
    side = joint.split("_", 1)[0]
    if side not in ("left", "right"):
        return "trunk"
    if any(word in joint for word in _LEG):
        return f"{side}_leg"
    assert any(word in joint for word in _ARM), f"no body part for joint {joint!r}"
    return f"{side}_arm"


def _mirrored(joint: str) -> str:
    side, _, rest = joint.partition("_")
    match side:
        case "left":
            return f"right_{rest}"
        case "right":
            return f"left_{rest}"
        case _:
            return joint
