"""The layouts of pose estimators and data sets, joint order as their sources write it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

from model.errors import UnknownLayout
from model.layout import Layout


def _layout(name: str, joints: str, parents: Sequence[int]) -> Layout:
    names = joints.split()
    return Layout.of(name, [(joint, names[parent]) for joint, parent in zip(names, parents, strict=True)])


COCO_17 = _layout(
    "coco-17",
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
    [0, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 0, 0, 11, 12, 13, 14],
)
COCO_20 = _layout(
    "coco-20",
    f"{' '.join(COCO_17.joints)} mid_hip spine mid_shoulder",
    [19, 0, 0, 1, 2, 19, 19, 5, 6, 7, 8, 17, 17, 11, 12, 13, 14, 18, 19, 19],
)
"""COCO's joints and the trunk between them: ACLNet trains Kinetics and FineGYM so. Conversion makes it of COCO-17."""
OPENPOSE_18 = _layout(
    "openpose-18",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear",
    [1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15],
)
BODY_25 = _layout(
    "body-25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist mid_hip "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
    "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel",
    [1, 1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 19, 14, 11, 22, 11],
)
NTU_25 = _layout(
    "ntu-25",
    "mid_hip spine neck head left_shoulder left_elbow left_wrist left_hand "
    "right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle left_foot "
    "right_hip right_knee right_ankle right_foot mid_shoulder "
    "left_hand_tip left_thumb right_hand_tip right_thumb",
    [1, 20, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 20, 22, 7, 24, 11],
)
KINECT_20 = _layout(
    "kinect-20",
    "mid_hip spine mid_shoulder head left_shoulder left_elbow left_wrist left_hand "
    "right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle left_foot "
    "right_hip right_knee right_ankle right_foot",
    [1, 1, 1, 2, 2, 4, 5, 6, 2, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18],
)
MEDIAPIPE_33 = _layout(
    "mediapipe-33",
    "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear right_ear "
    "left_mouth right_mouth left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_pinky right_pinky left_index right_index left_thumb right_thumb left_hip right_hip "
    "left_knee right_knee left_ankle right_ankle left_heel right_heel left_foot right_foot",
    [
        0,
        0,
        1,
        2,
        0,
        4,
        5,
        3,
        6,
        0,
        0,
        0,
        0,
        11,
        12,
        13,
        14,
        15,
        16,
        15,
        16,
        15,
        16,
        11,
        12,
        23,
        24,
        25,
        26,
        27,
        28,
        29,
        30,
    ],
)
H36M_17 = _layout(
    "h36m-17",
    "mid_hip right_hip right_knee right_ankle left_hip left_knee left_ankle spine mid_shoulder nose head "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist",
    [0, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15],
)
CASIA_14 = _layout(
    "casia-14",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle",
    [1, 1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12],
)
CMU_20 = _layout(
    "cmu-20",
    "mid_hip left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot "
    "spine chest mid_shoulder neck head left_shoulder left_elbow left_wrist "
    "right_shoulder right_elbow right_wrist",
    [0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 12, 11, 14, 15, 11, 17, 18],
)
UCALGARY_18 = _layout(
    "ucalgary-18",
    "left_foot left_ankle left_knee left_hip right_foot right_ankle right_knee right_hip mid_hip spine neck head "
    "left_shoulder right_shoulder left_wrist right_wrist left_elbow right_elbow",
    [1, 2, 3, 8, 5, 6, 7, 8, 8, 8, 9, 10, 10, 10, 16, 17, 12, 13],
)
KARD_15 = _layout(
    "kard-15",
    "head neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist spine "
    "right_hip right_knee right_ankle left_hip left_knee left_ankle",
    [1, 1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 10, 8, 12, 13],
)
HDM05_27 = _layout(
    "hdm05-27",
    "mid_hip left_hip left_knee left_ankle left_foot left_big_toe "
    "right_hip right_knee right_ankle right_foot right_big_toe spine chest mid_shoulder "
    "neck upper_neck head left_shoulder left_elbow left_wrist left_hand left_hand_tip "
    "right_shoulder right_elbow right_wrist right_hand right_hand_tip",
    [0, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 15, 13, 17, 18, 19, 20, 13, 22, 23, 24, 25],
)

LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            COCO_17,
            COCO_20,
            OPENPOSE_18,
            BODY_25,
            NTU_25,
            KINECT_20,
            MEDIAPIPE_33,
            H36M_17,
            CASIA_14,
            CMU_20,
            UCALGARY_18,
            KARD_15,
            HDM05_27,
        )
    }
)


def layout_named(name: str) -> Layout:
    """The layout of that name; raises `UnknownLayout` with the names there are.

    >>> layout_named("coco-17").count
    17
    """
    try:
        return LAYOUTS[name]
    except KeyError:
        raise UnknownLayout(name, tuple(LAYOUTS)) from None


def _known(name: str) -> str:
    try:
        return layout_named(name).name
    except UnknownLayout as error:
        raise ValueError(str(error)) from error


KnownLayout: TypeAlias = Annotated[str, AfterValidator(_known)]
"""The name of a layout, as a field of a manifest or a recipe; an unknown one is refused with the names there are."""
