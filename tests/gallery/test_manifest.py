from datetime import UTC, datetime
from pathlib import Path

import pytest

from gallery.manifest import read_manifest
from gallery.template import Consent
from model.errors import UnreadableFile


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_columns_it_knows_are_for_reading_and_others_are_labels(tmp_path: Path) -> None:
    path = written(
        tmp_path, "file,subject,track,fps,aspect,view,coat\na.json,ann,left,25,16:9,090,\n/b.json,bob,,,,000,yes\n"
    )
    first, second = read_manifest(path)
    assert (first.line, first.file, first.subject, first.track, first.fps) == (
        2,
        tmp_path / "a.json",
        "ann",
        "left",
        25,
    )
    assert first.aspect == pytest.approx(16 / 9)
    assert first.labels == {"view": "090"}
    assert (second.file, second.track, second.fps, second.aspect) == (Path("/b.json"), None, None, None)
    assert second.labels == {"view": "000", "coat": "yes"}


def test_consent_has_columns_of_its_own_and_an_empty_field_says_nothing(tmp_path: Path) -> None:
    lines = "file,subject,consent,purpose,expires,view\na,ann,A-1,access,2100-01-01,090\nb,bob,,,never,\nc,eve,,,,\n"
    ann, bob, eve = read_manifest(written(tmp_path, lines))
    assert ann.consent == Consent("A-1", "access", datetime(2100, 1, 1, tzinfo=UTC))
    assert (ann.labels, bob.consent, eve.consent) == ({"view": "090"}, Consent(), None)
    given = {"consent": "B-2", "expires": "2090-01-01"}
    ann, bob, eve = read_manifest(tmp_path / "people.csv", given)
    assert ann.consent == Consent("A-1", "access", datetime(2100, 1, 1, tzinfo=UTC))
    assert (bob.consent, eve.consent) == (Consent("B-2"), Consent("B-2", None, datetime(2090, 1, 1, tzinfo=UTC)))


def test_a_byte_order_mark_and_quoted_commas_are_understood(tmp_path: Path) -> None:
    (entry,) = read_manifest(written(tmp_path, '\ufefffile,subject\r\n"a, b.json",ann\r\n'))
    assert entry.file.name == "a, b.json"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "first line"),
        ("file,subject\n", "no lines"),
        ("file,person\na,b\n", "columns file and subject"),
        ("file,subject,subject\na,b,c\n", "none twice"),
        ("file,subject\na.json\n", "line 2: .*fields"),
        ("file,subject\na.json,ann,more\n", "line 2: .*fields"),
        ("file,subject\n,ann\n", "line 2: no file"),
        ("file,subject\na.json,\n", "line 2: subject"),
        ("file,subject,fps\na.json,ann,fast\n", "line 2: .*fast"),
        ("file,subject,expires\na.json,ann,2001-01-01\n", "line 2: expires: .*past"),
        ("file,subject,expires\na.json,ann,soon\n", "line 2: expires: 'soon' is none of"),
        ('file,subject\n"a.json,ann\n', "unexpected end"),
        (b"file,subject\na.json,\xff\xfe\n", "utf-8"),
    ],
)
def test_a_manifest_that_is_not_one_is_refused_with_its_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(UnreadableFile, match=said):
        read_manifest(written(tmp_path, text))


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="No such file"):
        read_manifest(tmp_path / "none.csv")
