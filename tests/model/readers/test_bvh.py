import numpy as np
import pytest

from model.errors import LimitExceeded, UnreadableFile
from model.named_layouts import CMU_20
from model.readers import Hints, only_track, read
from model.readers.kinematics import metres_a_unit
from model.sequence import Units

LEG = (("UpLeg", (0, 0, 0)), ("Leg", (0, -42, 0)), ("Foot", (0, -42, 0)), ("ToeBase", (0, -5, 12)))
ARM = (("Shoulder", (4, 8, 0)), ("Arm", (14, 0, 0)), ("ForeArm", (28, 0, 0)), ("Hand", (26, 0, 0)))
ROTATIONS = "CHANNELS 3 Zrotation Yrotation Xrotation"


def bvh(frames=None, frame_time="0.0333333", scale=1.0, name="{}", up="y"):
    """A body of 84 cm legs, in the naming of CMU's BVH; `frames` sets channels of joints by name, for each frame."""
    lines: list[str] = ["HIERARCHY"]
    joints: list[str] = []

    def offset(values):
        x, y, z = (v * scale for v in values)
        return f"OFFSET {x:.6f} {y:.6f} {z:.6f}" if up == "y" else f"OFFSET {x:.6f} {-z:.6f} {y:.6f}"

    def open_joint(kind, joint, at, channels=ROTATIONS):
        joints.append(joint)
        lines.extend([f"{kind} {name.format(joint)}", "{", offset(at), channels])

    def chain(parts, end):
        for joint, at in parts:
            open_joint("JOINT", joint, at)
        lines.extend(["End Site", "{", offset(end), "}", *["}"] * len(parts)])

    open_joint("ROOT", "Hips", (0, 0, 0), "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation")
    for side, sign in (("Left", 1), ("Right", -1)):
        parts = [(f"{side}{joint}", at) for joint, at in LEG]
        parts[0] = (parts[0][0], (sign * 9, -4, 0))
        chain(parts, (0, 0, 5))
    for joint, at in (("Spine", (0, 12, 0)), ("Spine1", (0, 18, 0))):
        open_joint("JOINT", joint, at)
    chain([("Neck", (0, 20, 0)), ("Head", (0, 10, 2))], (0, 14, 0))
    for side, sign in (("Left", 1), ("Right", -1)):
        chain([(f"{side}{joint}", (sign * at[0], *at[1:])) for joint, at in ARM], (sign * 8, 0, 0))
    lines.extend(["}"] * 3)
    frames = frames or [{}]
    lines.extend(["MOTION", f"Frames: {len(frames)}", f"Frame Time: {frame_time}"])
    for moved in frames:
        values = [v for joint in joints for v in moved.get(joint, (0,) * (6 if joint == "Hips" else 3))]
        lines.append(" ".join(f"{value:.6f}" for value in values))
    return "\n".join(lines).encode() + b"\n"


def place(sequence, joint, frame=0):
    return sequence.joints[frame, CMU_20.index(joint)].tolist()


def test_a_body_at_rest_stands_where_its_offsets_put_it_in_metres():
    recording = read(bvh())
    sequence = only_track(recording).sequence
    assert (recording.format, sequence.layout, sequence.units) == ("bvh", CMU_20, Units.METRES)
    assert sequence.fps == pytest.approx(30, abs=0.01)
    assert recording.notes == ("units_guessed: centimetres, from a stature of 1.71 m",)
    assert place(sequence, "left_ankle") == pytest.approx([0.09, -0.88, 0], abs=1e-5)
    assert place(sequence, "right_wrist") == pytest.approx([-0.72, 0.38, 0], abs=1e-5)
    assert place(sequence, "head") == pytest.approx([0, 0.74, 0.02], abs=1e-5)
    assert (sequence.confidence == 1).all()


def test_rotations_turn_everything_below_them():
    sequence = only_track(read(bvh([{}, {"LeftUpLeg": (0, 0, -90)}, {"Hips": (10, 100, 0, 0, 90, 0)}]))).sequence
    assert place(sequence, "left_ankle", 1) == pytest.approx([0.09, -0.04, 0.84], abs=1e-5)
    assert place(sequence, "right_ankle", 1) == pytest.approx([-0.09, -0.88, 0], abs=1e-5)
    assert place(sequence, "left_hip", 2) == pytest.approx([0.10, 0.96, -0.09], abs=1e-5)


def test_channels_apply_in_their_order():
    sequence = only_track(read(bvh([{"LeftUpLeg": (90, 0, -90)}]))).sequence
    # Z first, in the parent's frame: the leg, raised forward about x, is then swung about z.
    assert place(sequence, "left_ankle") == pytest.approx([0.09, -0.04, 0.84], abs=1e-5)
    sequence = only_track(read(bvh([{"LeftUpLeg": (90, 0, 0)}]))).sequence
    assert place(sequence, "left_ankle") == pytest.approx([0.93, -0.04, 0], abs=1e-5)


@pytest.mark.parametrize("scale", [0.01, 1.0, 10.0, 1 / 2.54, 1 / 5.6444])
def test_the_unit_is_guessed_from_the_length_of_the_legs(scale):
    recording = read(bvh(scale=scale))
    assert place(only_track(recording).sequence, "left_knee") == pytest.approx([0.09, -0.46, 0], abs=2e-3)
    assert recording.notes[0].startswith("units_guessed")


def test_legs_of_no_known_unit_give_a_body_of_usual_stature():
    assert metres_a_unit(1e7)[0] == pytest.approx(1.70 * 0.491 / 1e7)
    assert "set to" in metres_a_unit(1e7)[1]


def test_z_up_is_turned_to_y_up():
    recording = read(bvh(up="z"))
    assert "turned: z was up" in recording.notes
    assert place(only_track(recording).sequence, "left_foot") == pytest.approx([0.09, -0.93, 0.12], abs=1e-5)


def test_names_with_a_program_s_prefix_are_known():
    assert only_track(read(bvh(name="mixamorig:{}"))).sequence.confidence.all()


def test_the_caller_s_frame_rate_wins_and_that_is_said():
    recording = read(bvh(), hints=Hints(fps=60))
    assert only_track(recording).sequence.fps == 60
    assert recording.notes[0].startswith("fps_changed")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"MOTION", b"", "no MOTION"),
        (b"Frames: 1", b"Frames: 2", "values where 2 frames"),
        (b"Frames: 1", b"Frames: many", "must begin with"),
        (b"Frame Time: 0.0333333", b"Frame Time: 0", "Frame Time"),
        (b"Zrotation", b"Wrotation", "unknown channel 'Wrotation'"),
        (b"CHANNELS 3", b"CHANNELS 9", "'9' channels"),
        (b"OFFSET 9.0", b"OFFSET nine", "'nine"),
        (b"OFFSET 9.0", b"OFFSET 9e99", "out of range"),
        (b"}\nMOTION", b"MOTION", "ends early"),
        (b"}\nMOTION", b"}}\n}\nMOTION", r"'\}\}'|too many"),
        (b"UpLeg", b"Wheel", "names I do not know"),
        (b"HIERARCHY\nROOT", b"HIERARCHY\nTREE", "'TREE'"),
        (b"\n0.000000 0.000000", b"\nzero 0.000000", "MOTION"),
        (b"\n0.000000 0.000000", b"\nnan 0.000000", "frame 0 is not finite"),
    ],
)
def test_malformed_files_are_refused(old, new, message):
    assert old in bvh()
    with pytest.raises(UnreadableFile, match=message):
        read(bvh().replace(old, new))


def test_absurd_sizes_are_refused_before_memory_is_taken():
    with pytest.raises(LimitExceeded, match="frames"):
        read(bvh().replace(b"Frames: 1", b"Frames: 999999999"))
    deep = b"HIERARCHY\n" + b"ROOT a {\n" * 600
    with pytest.raises(LimitExceeded, match="joints"):
        read(deep + b"MOTION\nFrames: 1\nFrame Time: 0.03\n0")


def test_a_hierarchy_without_channels_holds_no_motion():
    with pytest.raises(UnreadableFile, match=r"0 values"):
        read(b"HIERARCHY\nROOT Hips {\nOFFSET 0 0 0\n}\nMOTION\nFrames: 200000\nFrame Time: 0.03\n")


def test_a_long_recording_is_placed_in_pieces_alike():
    turning = [{"LeftUpLeg": (0, 0, -angle % 360)} for angle in range(5000)]
    sequence = only_track(read(bvh(turning))).sequence
    assert sequence.frames == 5000
    np.testing.assert_allclose(
        place(sequence, "left_ankle", 4500), [0.09, -0.04 + 0.84 * -np.cos(np.deg2rad(4500)), 0], atol=1e-5
    )
