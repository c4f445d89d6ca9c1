"""The command as a stranger meets it."""

import subprocess
import sys
from pathlib import Path

import pytest

import gaitkeeper

ROOT = Path(gaitkeeper.__file__).parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "gaitkeeper", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False)


def test_help_names_every_command_and_loads_none_of_them() -> None:
    code = (
        "import sys; sys.argv = ['gaitkeeper', '--help']; import gaitkeeper\n"
        "try: gaitkeeper.main()\n"
        "except SystemExit: pass\n"
        "loaded = {'model', 'gallery', 'service', 'training', 'numpy', 'torch'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    for command in gaitkeeper.COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", list(gaitkeeper.COMMANDS))
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"gaitkeeper {command}" in done.stdout, "the help of a command shows an example of its use"


def test_an_unknown_command_ends_with_status_2() -> None:
    done = run("recognise")
    assert done.returncode == 2
    assert "recognise" in done.stderr


def test_a_missing_file_is_one_line_on_stderr_and_status_2() -> None:
    done = run("inspect", "no-such-file.json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no-such-file.json" in done.stderr
    assert "Traceback" not in done.stderr
