from itertools import pairwise

import pytest

from model.errors import UnreadableFile
from model.named_layouts import CMU_20, HDM05_27
from model.readers import Hints, only_track, read
from model.sequence import Units

LEG = (
    ("hipjoint", (0.6, -0.8, 0), 2.5, ""),
    ("femur", (0, -1, 0), 7.4, "rx ry rz"),
    ("tibia", (0, -1, 0), 7.4, "rx"),
    ("foot", (0, -0.4, 0.9), 2.2, "rx rz"),
    ("toes", (0, 0, 1), 1.1, "rx"),
)
TRUNK = (("lowerback", 2.0), ("upperback", 2.0), ("thorax", 2.1), ("lowerneck", 1.6), ("upperneck", 1.6), ("head", 1.7))
ARM = (
    ("clavicle", 3.6, ""),
    ("humerus", 5.0, "rx ry rz"),
    ("radius", 3.2, "rx"),
    ("wrist", 1.7, "ry"),
    ("hand", 0.7, ""),
)


def asf(length="0.45", angle="deg", femur_axis="0 0 0"):
    """A skeleton in Acclaim's format with CMU's bones; thigh and shank 0.418 m each at length 0.45."""
    bones, hierarchy = [], ["root lowerback lhipjoint rhipjoint"]
    for side, sign in (("l", 1), ("r", -1)):
        names = [f"{side}{bone}" for bone, *_ in LEG]
        hierarchy += [f"{a} {b}" for a, b in pairwise(names)]
        bones += [(f"{side}{b}", (sign * d[0], *d[1:]), n, dof) for b, d, n, dof in LEG]
        names = ["thorax", *(f"{side}{bone}" for bone, *_ in ARM)]
        hierarchy += [f"{a} {b}" for a, b in pairwise(names)]
        bones += [(f"{side}{b}", (sign, 0, 0), n, dof) for b, n, dof in ARM]
    hierarchy += [f"{a[0]} {b[0]}" for a, b in pairwise(TRUNK)]
    bones += [(b, (0, 1, 0), n, "") for b, n in TRUNK]
    lines = ["# AST/ASF file", ":version 1.10", ":name VICON", ":units", "  mass 1.0", f"  length {length}"]
    lines += [f"  angle {angle}", ":documentation", "   made for a test", ":root", "   order TX TY TZ RX RY RZ"]
    lines += ["   axis XYZ", "   position 0 0 0", "   orientation 0 0 0", ":bonedata"]
    for i, (name, direction, size, dof) in enumerate(bones, 1):
        axis = femur_axis if name == "lfemur" else "0 0 0"
        lines += ["  begin", f"     id {i}", f"     name {name}", f"     direction {' '.join(map(str, direction))}"]
        lines += [f"     length {size}", f"     axis {axis} XYZ"]
        lines += [f"    dof {dof}", "    limits (-160.0 20.0)", "           (-70.0 70.0)"] if dof else []
        lines.append("  end")
    return "\n".join([*lines, ":hierarchy", "  begin", *(f"    {line}" for line in hierarchy), "  end"]) + "\n"


def amc(frames, first=1, head=":FULLY-SPECIFIED\n:DEGREES\n"):
    text = "#!OML:ASF H:/skeleton.ASF\n" + head
    for i, moved in enumerate(frames, first):
        text += f"{i}\nroot {moved.get('root', '0 17 0 0 0 0')}\n"
        text += "".join(f"{bone} {moved[bone]}\n" for bone in ("lfemur", "ltibia", "rfemur") if bone in moved)
    return text


STILL = {"lfemur": "0 0 0", "ltibia": "0"}


def files(folder, motion, skeleton=None, name="07_01", beside="07"):
    folder.mkdir(exist_ok=True)
    (folder / f"{beside}.asf").write_text(skeleton if skeleton is not None else asf())
    (folder / f"{name}.amc").write_text(motion)
    return folder / f"{name}.amc"


def place(sequence, joint, frame=0):
    return sequence.joints[frame, sequence.layout.index(joint)].tolist()


UNIT = 0.0254 / 0.45


def test_a_body_at_rest_stands_where_its_bones_end_in_metres(tmp_path):
    recording = read(files(tmp_path, amc([STILL] * 2)))
    track = only_track(recording)
    assert (recording.format, recording.notes) == ("asf-amc", ("fps_unknown: assumed 120",))
    assert (track.name, track.first_frame, track.sequence.layout) == ("07_01", 1, CMU_20)
    assert track.sequence.units is Units.METRES
    assert track.sequence.confidence.all()
    assert place(track.sequence, "mid_hip") == pytest.approx([0, 17 * UNIT, 0], abs=1e-5)
    assert place(track.sequence, "left_ankle") == pytest.approx([1.5 * UNIT, 0.2 * UNIT, 0], abs=1e-5)
    assert place(track.sequence, "neck") == pytest.approx([0, (17 + 9.3) * UNIT, 0], abs=1e-5)


def test_a_bone_s_turn_carries_its_own_end_and_those_below(tmp_path):
    moved = {"lfemur": "-90 0 0", "ltibia": "0"}
    sequence = only_track(read(files(tmp_path, amc([moved])))).sequence
    assert place(sequence, "left_knee") == pytest.approx([1.5 * UNIT, 15 * UNIT, 7.4 * UNIT], abs=1e-5)
    assert place(sequence, "left_ankle") == pytest.approx([1.5 * UNIT, 15 * UNIT, 14.8 * UNIT], abs=1e-5)
    assert place(sequence, "right_knee") == pytest.approx([-1.5 * UNIT, 7.6 * UNIT, 0], abs=1e-5)


def test_a_bone_turns_about_its_own_axes(tmp_path):
    moved = {"lfemur": "-90 0 0", "ltibia": "0"}
    sequence = only_track(read(files(tmp_path, amc([moved]), asf(femur_axis="0 90 0")))).sequence
    # Its x axis points along -z: the thigh, hanging down, swings sideways.
    assert place(sequence, "left_knee") == pytest.approx([(1.5 + 7.4) * UNIT, 15 * UNIT, 0], abs=1e-5)


def test_x_turns_before_y_before_z(tmp_path):
    sequence = only_track(read(files(tmp_path, amc([{"lfemur": "-90 90 0", "ltibia": "0"}])))).sequence
    assert place(sequence, "left_knee") == pytest.approx([(1.5 + 7.4) * UNIT, 15 * UNIT, 0], abs=1e-5)


def test_radians_are_understood(tmp_path):
    moved = {"lfemur": "-1.5707963 0 0", "ltibia": "0"}
    path = files(tmp_path, amc([moved], head=":FULLY-SPECIFIED\n:RADIANS\n"))
    assert place(only_track(read(path)).sequence, "left_knee")[2] == pytest.approx(7.4 * UNIT, abs=1e-5)


def test_hdm05_s_joints_are_read_where_asked_for(tmp_path):
    sequence = only_track(read(files(tmp_path, amc([STILL])), hints=Hints(layout="hdm05-27", fps=120))).sequence
    assert sequence.layout == HDM05_27
    assert sequence.confidence.all()


def test_a_skeleton_whose_unit_gives_no_person_is_guessed(tmp_path):
    recording = read(files(tmp_path, amc([STILL]), asf(length="1.0")))
    assert any(note.startswith("units_guessed") for note in recording.notes)
    assert place(only_track(recording).sequence, "left_ankle")[1] == pytest.approx(0.2 * UNIT, abs=1e-4)


def test_missing_frames_keep_their_time(tmp_path):
    motion = amc([STILL] * 2) + amc([STILL], first=6, head="")
    track = only_track(read(files(tmp_path, motion)))
    assert track.sequence.confidence[:, 0].tolist() == [1, 1, 0, 0, 0, 1]


def test_a_folder_or_a_skeleton_gives_every_motion_as_a_track(tmp_path):
    files(tmp_path, amc([STILL]))
    files(tmp_path, amc([STILL] * 3), name="07_02")
    for source in (tmp_path, tmp_path / "07.asf"):
        found = [(track.name, track.sequence.frames) for track in read(source).tracks]
        assert found == [("07_01", 1), ("07_02", 3)]


def test_a_motion_without_its_skeleton_is_refused(tmp_path):
    path = files(tmp_path, amc([STILL]))
    (tmp_path / "07.asf").rename(tmp_path / "12.asf")
    (tmp_path / "13.asf").write_text(asf())
    with pytest.raises(UnreadableFile, match="needs its ASF"):
        read(path)
    path.unlink()
    with pytest.raises(UnreadableFile, match="without motion"):
        read(tmp_path / "12.asf")
    with pytest.raises(UnreadableFile, match="two files"):
        read(amc([STILL]).encode(), name="07_01.amc")


@pytest.mark.parametrize(
    ("motion", "message"),
    [
        (amc([{"lfemur": "0 0"}]), "lfemur 0 0"),
        (amc([{"lfemur": "0 0 x"}]), "bone lfemur"),
        (amc([{"lfemur": "0 0 nan"}]), "finite"),
        (amc([STILL, {}]), "lfemur moves in 1 of 2"),
        (amc([STILL]) + amc([STILL], head=""), "frame 1 comes after frame 1"),
        (":FULLY-SPECIFIED\n", "no frames"),
        (":FULLY-SPECIFIED\nroot 0 0 0 0 0 0\n", "its beginning"),
        (amc([STILL]) + "tail 1 2 3\n", "frame 1: 'tail 1 2 3'"),
    ],
)
def test_malformed_motions_are_refused(tmp_path, motion, message):
    with pytest.raises(UnreadableFile, match=message):
        read(files(tmp_path, motion))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":hierarchy", ":nothing", "no skeleton"),
        ("direction 0 -1 0", "direction 0 -1", "bone|lfemur"),
        ("    ltibia lfoot", "    ltibia lwing", "'lwing'"),
        ("    ltibia lfoot", "    ltibia lfoot lfemur", "hangs on two"),
        ("dof rx ry rz", "dof rw", "degree of freedom 'rw'"),
        ("XYZ\n    dof", "XXZ\n    dof", "axis order"),
        ("length 0.45", "length 0", "length 0 is not"),
        ("name lfemur", "name rfemur", "no name of its own"),
        ("femur", "fluff", "names I do not know"),
    ],
)
def test_malformed_skeletons_are_refused(tmp_path, old, new, message):
    skeleton = asf()
    assert old in skeleton
    with pytest.raises(UnreadableFile, match=message):
        read(files(tmp_path, amc([{}]), skeleton.replace(old, new)))
