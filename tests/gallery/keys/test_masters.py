import os
import stat
import subprocess
import sys
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from gallery.keys.masters import EnvironmentMasters, FileMasters, open_masters
from gallery.keys.sealing import new_key
from model.errors import KeyUnavailable

KEY = bytes(range(32))
TEXT = b64encode(KEY).decode()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys" / "master.key"


def written(path, content, mode=0o600):
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(mode)
    return path


def test_a_key_file_is_made_for_this_user_only(path):
    name, wrapped = FileMasters(path).wrap(b"gallery key", b"gallery 1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert FileMasters(path).unwrap(name, wrapped, b"gallery 1") == b"gallery key"
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_a_missing_file_is_not_made_to_unwrap(path):
    with pytest.raises(KeyUnavailable, match="is missing"):
        FileMasters(path).unwrap("m-1", b"x" * 60, b"")
    with pytest.raises(KeyUnavailable, match="is missing"):
        FileMasters(path, make=False).wrap(b"x", b"")
    assert not path.exists()


def test_what_is_wrapped_is_bound(path):
    masters = FileMasters(path)
    name, wrapped = masters.wrap(b"gallery key", b"gallery 1")
    with pytest.raises(KeyUnavailable, match="damaged"):
        masters.unwrap(name, wrapped, b"gallery 2")
    with pytest.raises(KeyUnavailable, match="is not in"):
        masters.unwrap("m-other", wrapped, b"gallery 1")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_may_read_is_refused(path, mode):
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        FileMasters(written(path, f"m-1 {TEXT}\n", mode))


def test_a_file_that_others_may_read_from_now_on_is_refused(path):
    masters = FileMasters(path)
    assert masters.current
    path.chmod(0o644)
    with pytest.raises(KeyUnavailable, match="chmod 600"):
        masters.wrap(b"x", b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_another_user_is_refused(path):
    os.chown(written(path, f"m-1 {TEXT}\n"), 4321, 4321)
    with pytest.raises(KeyUnavailable, match="belongs to another user"):
        FileMasters(path)


def test_a_directory_is_refused(path):
    path.mkdir(parents=True)
    with pytest.raises(KeyUnavailable):
        FileMasters(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nothing but a comment\n",
        TEXT + "\n",
        f"m-1 {TEXT[:-4]}\n",
        f"m-1 {TEXT} more\n",
        f"m-1 {TEXT}AAAA\n",
        "m-1 ~~~~\n",
        f"m/1 {TEXT}\n",
        f"m-1 {TEXT}\nm-1 {TEXT}\n",
        f"m-1 {TEXT}\nm-2\n",
        "\x00" * 50,
        "m-1 " + "A" * (2 << 20),
    ],
)
def test_a_malformed_file_is_refused_and_not_shown(path, content):
    with pytest.raises(KeyUnavailable) as caught:
        FileMasters(written(path, content))
    assert TEXT[:8] not in str(caught.value)


def test_the_last_key_is_current_and_the_others_unwrap(path):
    masters = FileMasters(path)
    old, wrapped = masters.wrap(b"gallery key", b"")
    new = masters.add()
    assert masters.current == new != old
    assert masters.names == (old, new)
    assert masters.unwrap(old, wrapped, b"") == b"gallery key"
    assert masters.wrap(b"another", b"")[0] == new


def test_a_key_that_another_process_added_is_found(path):
    mine, others = FileMasters(path), FileMasters(path)
    mine.wrap(b"x", b"")
    new = others.add()
    assert mine.unwrap(*others.wrap(b"gallery key", b""), b"") == b"gallery key"
    assert mine.current == new


def test_a_removed_key_unwraps_nothing(path):
    masters = FileMasters(path)
    old, wrapped = masters.wrap(b"gallery key", b"")
    with pytest.raises(KeyUnavailable, match="cannot be destroyed"):
        masters.remove(old)
    masters.add()
    masters.remove(old)
    assert old not in path.read_text()
    with pytest.raises(KeyUnavailable, match="is not in"):
        FileMasters(path).unwrap(old, wrapped, b"")


def test_two_who_make_the_file_at_once_agree_on_one_key(path):
    with ThreadPoolExecutor(8) as pool:
        names = set(pool.map(lambda _: FileMasters(path).current, range(8)))
    assert len(names) == 1


def test_two_processes_that_make_the_file_at_once_agree_on_one_key(path):
    program = (
        "import sys, pathlib; from gallery.keys.masters import FileMasters; "
        "print(FileMasters(pathlib.Path(sys.argv[1])).current)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = {process.communicate(timeout=60)[0].strip() for process in running}
    assert names == {FileMasters(path).current}


def test_keys_that_are_added_at_once_are_all_kept(path):
    FileMasters(path).wrap(b"x", b"")
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: FileMasters(path).add(), range(8)))
    assert set(added) < set(FileMasters(path).names)
    assert len(FileMasters(path).names) == 9


def test_a_file_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(KeyUnavailable):
        FileMasters(tmp_path / "file" / "master.key").wrap(b"x", b"")


def test_keys_come_from_the_environment(monkeypatch, tmp_path):
    other = b64encode(new_key()).decode()
    monkeypatch.setenv("OUR_KEYS", f"a:{other}, b:{TEXT}")
    masters = open_masters("env:OUR_KEYS", tmp_path)
    name, wrapped = masters.wrap(b"gallery key", b"1")
    assert name == masters.current == "b"
    assert EnvironmentMasters(f"b:{TEXT},c:{other}").unwrap("b", wrapped, b"1") == b"gallery key"


@pytest.mark.parametrize("text", ["", ",", TEXT, f"a:{TEXT[:-4]}", f"a:{TEXT},a:{TEXT}", f":{TEXT}", f"a={TEXT}"])
def test_a_malformed_environment_is_refused_and_not_shown(text):
    with pytest.raises(KeyUnavailable) as caught:
        EnvironmentMasters(text)
    assert TEXT[:8] not in str(caught.value)


def test_a_setting_names_the_masters(tmp_path):
    for spec, path in ((None, tmp_path / "master.key"), (f"file:{tmp_path}/other.key", tmp_path / "other.key")):
        open_masters(spec, tmp_path).wrap(b"x", b"")
        assert path.exists()


@pytest.mark.parametrize("spec", ["", "file:", "env:", "env:NO_SUCH_VARIABLE", "command:", "command:'", "kms:x", TEXT])
def test_a_setting_that_names_nothing_is_refused(spec, tmp_path):
    with pytest.raises(KeyUnavailable) as caught:
        open_masters(spec, tmp_path)
    assert TEXT[:8] not in str(caught.value)


def test_no_key_is_shown(path):
    for masters in (FileMasters(written(path, f"a {TEXT}\n")), EnvironmentMasters(f"a:{TEXT}")):
        assert masters.wrap(b"x", b"")
        shown = f"{masters!r} {masters} {getattr(masters, '_ring', '')!r} {getattr(masters, '_read', '')!r}"
        assert TEXT[:8] not in shown
        assert str(KEY)[:12] not in shown
