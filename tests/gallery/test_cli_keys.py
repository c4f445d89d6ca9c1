"""`gaitkeeper keys`, as it is typed, while another process has the store open."""

import io
import json

import pytest

from gallery.library import Library
from gallery.store.rotation import rotate_gallery
from gallery.template import NewTemplate

BUNDLE, DIM = "b" * 64, 8

# What is not the database's own is tried on one kind.
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def run(tmp_path, database, monkeypatch, capsys):
    """A command line on the store of the test; gives the status and what was said."""
    import gaitkeeper

    monkeypatch.setenv("GAITKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    if database is not None:
        monkeypatch.setenv("GAITKEEPER_DATABASE", database)

    def call(*line):
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main([str(each) for each in line])
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def library(store, vectors):
    found = Library(store)
    for name, protected in (("staff", True), ("visitors", False)):
        found.create(name, fingerprint=BUNDLE, dim=DIM, protected=protected)
        found.enroll(name, [NewTemplate(f"s{n}", row) for n, row in enumerate(vectors(3))], fingerprint=BUNDLE)
    return found


def names(library, vectors):
    found = library.identify("staff", vectors(3), fingerprint=BUNDLE, threshold=0.9)
    return [one.subject for one in found]


@sqlite_only
def test_keys_are_shown_without_anything_secret(run, library, tmp_path):
    status, said, _ = run("keys", "show")
    (name, key) = (tmp_path / "data" / "master.key").read_text().splitlines()[1].split()
    assert status == 0
    assert f"master key {name}: current, wraps 5 keys" in said
    assert "gallery staff: key" in said
    assert "wraps those of 3 subjects; transform" in said
    assert "public key: " in said
    assert key not in said
    held = json.loads(run("keys", "show", "--json")[1])
    assert [each["gallery"] for each in held["galleries"]] == ["staff", "visitors"]
    assert held["masters"] == [{"id": name, "current": True, "wraps": 5}]


def test_every_key_is_exchanged_while_another_process_answers(run, library, vectors):
    before = json.loads(run("keys", "show", "--json")[1])
    assert names(library, vectors) == ["s0", "s1", "s2"]
    for line in (("--gallery", "staff"), ("--gallery", "staff", "--transform"), ("--master",)):
        status, _, error = run("keys", "rotate", *line)
        assert (status, error) == (0, "")
        library.store.secrets.forget()
        assert names(library, vectors) == ["s0", "s1", "s2"]
        library.enroll("staff", [NewTemplate("new", vectors(1, seed=len(line))[0])], fingerprint=BUNDLE)
    after = json.loads(run("keys", "show", "--json")[1])
    assert after["galleries"][0]["key"] != before["galleries"][0]["key"]
    assert after["galleries"][0]["old"] == {}
    assert after["galleries"][0]["transform"] != before["galleries"][0]["transform"]
    assert after["galleries"][1] == before["galleries"][1]
    assert after["public_key"] == before["public_key"]
    assert [each["wraps"] for each in after["masters"]] == [0, 5]
    assert run("keys", "destroy-old", "--yes")[1] == f"destroyed master keys: {before['masters'][0]['id']}\n"
    assert run("keys", "destroy-old", "--yes")[1] == "there is none to be destroyed\n"
    assert names(library, vectors) == ["s0", "s1", "s2"]


@sqlite_only
def test_an_interrupted_rotation_is_shown_and_finished(run, library):
    def die(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_gallery(library.store, "staff", die)
    assert "still wraps those of 0 subjects" in run("keys", "show")[1]
    status, said, _ = run("keys", "rotate", "--gallery", "staff")
    assert (status, "went on: key" in said, "destroyed" in said) == (0, True, True)
    assert "still wraps" not in run("keys", "show")[1]


@sqlite_only
def test_json_says_what_was_done(run, library):
    (done,) = json.loads(run("keys", "rotate", "-g", "staff", "--json")[1])["rotations"]
    assert (done["wrapped"], done["resumed"]) == (3, False)
    assert json.loads(run("keys", "rotate", "-g", "staff", "--transform", "--json")[1])["templates"] == 3
    assert json.loads(run("keys", "rotate", "--master", "--json")[1])["wrapped"] == 5
    assert len(json.loads(run("keys", "destroy-old", "--yes", "--json")[1])["destroyed"]) == 1


@pytest.mark.parametrize(
    "line",
    [
        ("rotate",),
        ("rotate", "--gallery", "staff", "--master"),
        ("rotate", "--transform"),
        ("rotate", "--master", "--transform"),
    ],
)
@sqlite_only
def test_one_kind_of_key_is_exchanged_at_a_time(run, library, line):
    assert run("keys", *line)[0] == 2


@sqlite_only
def test_what_cannot_be_done_is_one_line_and_status_2(run, library, tmp_path):
    for line, reason in (
        (("rotate", "--gallery", "nobody"), "no gallery 'nobody'"),
        (("rotate", "--gallery", "visitors", "--transform"), "not protected"),
    ):
        status, _, error = run("keys", *line)
        assert (status, error.count("\n")) == (2, 1)
        assert reason in error
    (tmp_path / "data" / "master.key").chmod(0o644)
    status, _, error = run("keys", "rotate", "--master")
    assert (status, "chmod 600" in error) == (2, True)


@sqlite_only
def test_nothing_is_destroyed_without_a_yes(run, library, monkeypatch):
    run("keys", "rotate", "--master")
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    status, _, error = run("keys", "destroy-old")
    assert (status, "nothing was changed" in error) == (1, True)
    assert len(json.loads(run("keys", "show", "--json")[1])["masters"]) == 2
