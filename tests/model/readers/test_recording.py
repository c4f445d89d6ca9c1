import pytest

from model.errors import InvalidRequest, SeveralTracks, UnknownLayout, UnreadableFile
from model.readers import Hints, Recording, Track, only_track
from tests.fakes import walking


def recording(*names):
    return Recording("test", tuple(Track(name, walking()) for name in names), source="walk.json")


def test_the_only_track_needs_no_name():
    assert only_track(recording("ann")).name == "ann"


def test_several_tracks_need_a_choice():
    assert only_track(recording("ann", "bea"), "bea").name == "bea"
    with pytest.raises(SeveralTracks, match=r"walk\.json holds 2 people \(ann, bea\)"):
        only_track(recording("ann", "bea"))
    with pytest.raises(InvalidRequest, match="no track 'cat' in walk.json; there are ann, bea"):  # noqa: RUF043
        only_track(recording("ann", "bea"), "cat")


def test_names_are_unique_and_printable():
    names = [track.name for track in recording("a", "a", "a-2", "b\x1b[31m\n", "").tracks]
    assert names == ["a", "a-3", "a-2", "b?[31m?", "unnamed"]


def test_a_recording_holds_somebody():
    with pytest.raises(UnreadableFile, match="no person"):
        Recording("test", ())


def test_the_aspect_ratio_follows_from_width_and_height():
    assert Hints(width=1920, height=1080).ratio == pytest.approx(16 / 9)
    assert Hints(aspect=1.5, width=1920, height=1080).ratio == 1.5
    assert Hints(width=1920).ratio is None


def test_a_layout_nobody_knows_is_refused_also_where_the_file_says_its_own():
    with pytest.raises(UnknownLayout, match="coco-71"):
        Hints(layout="coco-71")


def test_the_caller_s_frame_rate_wins_then_the_file_s_then_a_guess_that_is_said():
    assert Hints(fps=50).rate(50) == (50, ())
    assert Hints().rate(30) == (30, ())
    assert Hints().rate() == (25, ("fps_unknown: assumed 25",))
