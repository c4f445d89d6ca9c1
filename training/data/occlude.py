"""Action data of which something is not seen: the parts and the spans of time that robustness is tested with.

The sets of joints are those of RA-GCN (Song et al., "Richly Activated Graph Convolutional Network", 2019), which PDGCN
and ACLNet (Table IX) follow; for NTU RGB+D's joints they are exactly its lists, for other layouts the same parts of the
body. Nothing of the data is copied: a recording loses its joints when it is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from model.layout import Layout
from model.sequence import Floats
from training.data.action_set import ActionSet
from training.data.arrays import Frames

FRAMES_OF = 100
"""RA-GCN hides so many of 100 frames."""


class Part(StrEnum):
    """What is hidden, in the order of Table IX."""

    LEFT_ARM = "left-arm"
    RIGHT_ARM = "right-arm"
    TWO_HANDS = "two-hands"
    TWO_LEGS = "two-legs"
    TRUNK = "trunk"


_OF_LAYOUT: Mapping[Part, tuple[str, ...]] = {
    Part.LEFT_ARM: ("left_arm",),
    Part.RIGHT_ARM: ("right_arm",),
    Part.TWO_LEGS: ("left_leg", "right_leg"),
    Part.TRUNK: ("trunk", "head"),
}
_HANDS = (("hand_tip", "thumb", "index", "pinky"), ("hand",), ("wrist",))


def joints_of(layout: Layout, part: Part) -> tuple[int, ...]:
    """Numbers of the joints that are hidden.

    Two hands are what lies beyond the hand's joint; where a layout has nothing there, the hands; and where it has none,
    the wrists. The trunk has the head with it.

    >>> from model.named_layouts import COCO_17, NTU_25
    >>> joints_of(NTU_25, Part.LEFT_ARM), joints_of(NTU_25, Part.TWO_HANDS), joints_of(NTU_25, Part.TRUNK)
    ((4, 5, 6, 7, 21, 22), (21, 22, 23, 24), (0, 1, 2, 3, 20))
    >>> [COCO_17.joints[i] for i in joints_of(COCO_17, Part.TWO_HANDS)]
    ['left_wrist', 'right_wrist']
    """
    if part is not Part.TWO_HANDS:
        return tuple(sorted(i for name in _OF_LAYOUT[part] for i in layout.parts[name]))
    arms = (*layout.parts["left_arm"], *layout.parts["right_arm"])
    found: list[tuple[int, ...]] = [
        tuple(sorted(i for i in arms if layout.joints[i].split("_", 1)[1] in words)) for words in _HANDS
    ]
    return next((joints for joints in found if joints), ())


def span_of(length: int, hidden: int) -> slice:
    """The middle frames that are hidden: `hidden` of each 100.

    >>> span_of(100, 20), span_of(50, 20), span_of(7, 0)
    (slice(40, 60, None), slice(20, 30, None), slice(3, 3, None))
    """
    assert 0 <= hidden <= FRAMES_OF, f"of {FRAMES_OF} frames {hidden} cannot be hidden"
    count = round(length * hidden / FRAMES_OF)
    start = (length - count) // 2
    return slice(start, start + count)


@dataclass(frozen=True, eq=False)
class OccludedSet(ActionSet):
    """An `ActionSet` whose recordings lack joints and frames: coordinates and confidence are 0, of all people."""

    hidden: tuple[int, ...] = ()
    frames_hidden: int = 0

    @classmethod
    def over(cls, data: ActionSet, hidden: tuple[int, ...] = (), frames_hidden: int = 0) -> Self:
        """What is hidden already stays hidden."""
        values: dict[str, Any] = {each.name: getattr(data, each.name) for each in fields(ActionSet)}
        if isinstance(data, OccludedSet):
            hidden = tuple(sorted({*data.hidden, *hidden}))
            frames_hidden = max(data.frames_hidden, frames_hidden)
        return cls(**values, hidden=hidden, frames_hidden=frames_hidden)

    def clip_frames(self, i: int) -> Frames:
        """Recording i, (people, T, joints, dims + 1), in an array of its own."""
        frames = super().clip_frames(i).copy()
        frames[:, :, list(self.hidden)] = 0
        frames[:, span_of(frames.shape[1], self.frames_hidden)] = 0
        return frames


def occlude(data: ActionSet, part: Part) -> OccludedSet:
    """The same recordings without the joints of a part, as they lie in the file: before anything is centred."""
    return OccludedSet.over(data, hidden=joints_of(data.layout, part))


def occlude_frames(data: ActionSet, hidden: int) -> OccludedSet:
    """The same recordings without the middle frames, `hidden` of each 100."""
    return OccludedSet.over(data, frames_hidden=hidden)


def hide_joints(clips: Floats, joints: tuple[int, ...]) -> Floats:
    """Clips (..., T, V, C) without those joints: what centring and sampling have made keeps its place."""
    out = clips.copy()
    out[..., list(joints), :] = 0
    return out


def hide_frames(clips: Floats, hidden: int) -> Floats:
    """Clips (..., T, V, C) without the middle frames, `hidden` of each 100."""
    out = clips.copy()
    out[..., span_of(clips.shape[-3], hidden), :, :] = 0
    return out
