"""`gaitkeeper gallery export` and `import`, as they are typed: from SQLite into PostgreSQL, and back."""

import json
import os
import signal
import threading
from contextlib import contextmanager

import pytest

from gallery.library import Library
from gallery.progress import counted
from gallery.store import open_store
from gallery.template import NewTemplate

BUNDLE, DIM = "b" * 64, 8


@pytest.fixture
def run(monkeypatch, capsys):
    """A command line on a data directory and a database; gives the status and what was said."""
    import gaitkeeper

    monkeypatch.setenv("COLUMNS", "300")

    def call(data, url, *line):
        monkeypatch.setenv("GAITKEEPER_DATABASE", url or "")
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main([*(str(each) for each in line), "--data", str(data)])
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "backup.key"
    path.write_bytes(bytes(range(32)))
    path.chmod(0o600)
    return path


@pytest.fixture
def sqlite(tmp_path, vectors):
    """A data directory with a gallery `staff` in SQLite."""
    store = open_store(tmp_path / "sqlite")
    library = Library(store)
    library.create("staff", fingerprint=BUNDLE, dim=DIM, protected=True)
    library.enroll("staff", [NewTemplate(f"s{n % 9}", row) for n, row in enumerate(vectors(30))], fingerprint=BUNDLE)
    library.close()
    return tmp_path / "sqlite"


def answers(store, gallery, probes):
    found = Library(store).identify(gallery, probes, fingerprint=BUNDLE, threshold=0.9)
    return [(one.outcome, one.subject, [(each.subject, each.score) for each in one.candidates]) for one in found]


def test_a_gallery_moves_from_one_store_to_another_and_back(run, sqlite, store, database, tmp_path, secret, vectors):
    file, data = tmp_path / "staff.gka", tmp_path / "data"
    status, said, _ = run(sqlite, None, "gallery", "export", "staff", file, "--recipient-key", secret)
    assert (status, f"exported gallery staff to {file}: 9 subjects, 30 templates" in said) == (0, True)
    key = said.splitlines()[-1].split()[-1]
    take = ("gallery", "import", file, "--recipient-key", secret)
    status, _, error = run(data, database, *take)
    assert (status, f"--trust {key}" in error, error.count("\n")) == (2, True, 1)
    status, said, _ = run(data, database, *take, "--trust", key, "--as", "copy")
    assert (status, said) == (0, "imported gallery copy: 9 subjects, 30 templates\n")
    back = ("--passphrase-file", tmp_path / "phrase")
    (tmp_path / "phrase").write_text("a long enough passphrase\n")
    (tmp_path / "phrase").chmod(0o600)
    status, said, _ = run(data, database, "gallery", "export", "copy", tmp_path / "back.gka", *back, "--json")
    made = json.loads(said)
    assert (status, made["templates"], made["file"]) == (0, 30, str(tmp_path / "back.gka"))
    line = ("gallery", "import", tmp_path / "back.gka", *back, "--trust", made["public_key"], "--json")
    assert json.loads(run(sqlite, None, *line)[1])["gallery"] == "copy"
    probes = vectors(40)
    first = open_store(sqlite)
    assert answers(first, "staff", probes) == answers(store, "copy", probes) == answers(first, "copy", probes)
    first.close()


def test_what_cannot_be_done_is_one_line_and_status_2(run, sqlite, tmp_path, secret):
    file, key = tmp_path / "staff.gka", ("--recipient-key", secret)
    assert run(sqlite, None, "gallery", "export", "staff", file, *key)[0] == 0
    content = file.read_bytes()
    (tmp_path / "damaged.gka").write_bytes(content[:-40] + bytes(40))
    (tmp_path / "open.key").write_bytes(bytes(32))
    (tmp_path / "open.key").chmod(0o644)
    for line, reason in (
        (("export", "staff", file, *key), "--force replaces it"),
        (("export", "nobody", tmp_path / "n.gka", *key), "no gallery 'nobody'"),
        (("export", "staff", tmp_path / "no" / "n.gka", *key), "cannot be written"),
        (("export", "staff", tmp_path / "n.gka", "--recipient-key", tmp_path / "open.key"), "chmod 600"),
        (("import", file, *key), "exists already"),
        (("import", tmp_path / "damaged.gka", *key), "is damaged"),
        (("import", tmp_path / "nothing.gka", *key), "no such file"),
        (("import", secret, *key), "is not an archive"),
        (("import", file, "--passphrase-file", secret), "--recipient-key"),
        (("import", file, *key, "--trust", "nonsense"), "public key"),
    ):
        status, _, error = run(sqlite, None, "gallery", *line)
        assert (status, error.count("\n"), reason in error) == (2, 1, True), error
    assert run(sqlite, None, "gallery", "export", "staff", file, *key, "--passphrase-file", secret)[0] == 2
    assert run(sqlite, None, "gallery", "export", "staff", file, *key, "--force")[0] == 0
    assert not list(tmp_path.glob(".*"))


def test_ctrl_c_ends_an_export_and_leaves_nothing(run, sqlite, tmp_path, secret, monkeypatch):
    monkeypatch.setattr("gallery.archive.exporting.CHUNK_BYTES", 500)
    seen = threading.Event()

    @contextmanager
    def interrupting(what):
        with counted(what) as told:

            def told_and_interrupted(done, of):
                told(done, of)
                if not seen.is_set():
                    seen.set()
                    os.kill(os.getpid(), signal.SIGINT)

            yield told_and_interrupted

    monkeypatch.setattr("gallery.progress.counted", interrupting)
    line = ("gallery", "export", "staff", tmp_path / "staff.gka", "--recipient-key", secret)
    status, _, error = run(sqlite, None, *line)
    assert (status, seen.is_set(), "interrupted" in error) == (130, True, True)
    assert not list(tmp_path.glob("*.gka"))
    assert not list(tmp_path.glob(".*"))


def test_a_passphrase_is_asked_for(run, sqlite, tmp_path, monkeypatch):
    monkeypatch.setattr("typer.prompt", lambda *_, **options: "a long enough passphrase")
    assert run(sqlite, None, "gallery", "export", "staff", tmp_path / "staff.gka")[0] == 0
    status, said, _ = run(sqlite, None, "gallery", "import", tmp_path / "staff.gka", "--as", "copy")
    assert (status, "imported gallery copy" in said) == (0, True)
    monkeypatch.setattr("typer.prompt", lambda *_, **options: "another passphrase")
    status, _, error = run(sqlite, None, "gallery", "import", tmp_path / "staff.gka", "--as", "other")
    assert (status, "not its passphrase" in error) == (2, True)
