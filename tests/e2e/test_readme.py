"""What the READMEs tell a stranger to type works as it is written."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gaitkeeper
from tests.e2e.command import COMMAND, ROOT, Service, call, environment, walk, walk_file

READMES = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*/README.md"), *ROOT.glob("training/*/README.md"))
    if path.name != "CHANGELOG.md"
)
BLOCK = re.compile(r"^```\w*\n(.*?)^```|((?:^    .*\n)+)", re.MULTILINE | re.DOTALL)


def blocks(readme: Path) -> list[str]:
    """What is set as code in a README: fenced or indented."""
    text = (ROOT / readme).read_text()
    return [fenced or re.sub("^    ", "", indented, flags=re.MULTILINE) for fenced, indented in BLOCK.findall(text)]


def commands(readme: Path) -> list[list[str]]:
    """Every line of its code that calls gaitkeeper, in words."""
    text = "\n".join(blocks(readme))
    if readme.suffix == ".toml":  # a recipe begins with the commands that use it
        text = re.sub("^# *", "", (ROOT / readme).read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("gaitkeeper ")]


def block_with(readme: str, text: str) -> str:
    return next(block for block in blocks(Path(readme)) if text in block)


RECIPES = sorted(path.relative_to(ROOT) for path in ROOT.glob("training/recipes/*.toml"))
ALL_COMMANDS = [(path, line) for path in (*READMES, *RECIPES) for line in commands(path)]


@pytest.mark.parametrize(("readme", "line"), ALL_COMMANDS, ids=lambda value: str(value) if value else "")
def test_every_command_that_is_written_down_has_these_options(readme: Path, line: list[str]) -> None:
    command: Any = gaitkeeper._load(line[1])
    rest = [word for word in line[2:] if word != "&"]
    if hasattr(command, "commands"):
        command = command.get_command(None, rest.pop(0))
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in rest if word.startswith("-")} <= known
    mentioned = [word for word in rest if word.startswith(("training/recipes/", "service/samples/", "deploy/"))]
    assert all((ROOT / path).exists() for path in mentioned)


def test_there_are_commands_to_check() -> None:
    assert len(ALL_COMMANDS) > 20


def shell(script: str, cwd: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run a block in a shell whose `gaitkeeper` and `python` are ours; it ends at the first line that fails."""
    python = shlex.quote(sys.executable)
    ours = f'gaitkeeper() {{ {shlex.join(COMMAND)} "$@"; }}\npython() {{ {python} "$@"; }}\n'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", ours + script],
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the READMEs call by name."""
    for name, file in {
        "walk.json": walk_file(1),
        "walk-monday.json": walk_file(1),
        "walk-tuesday.json": walk_file(2),
        "walk-friday.json": walk_file(1, 3),
        "a.json": walk_file(3),
    }.items():
        shutil.copy(file, tmp_path / name)
    (tmp_path / "people.csv").write_text("file,subject,view\nwalk-monday.json,ada,036\nwalk-tuesday.json,ben,036\n")
    return tmp_path


def test_an_own_keypoint_file_is_answered(desk: Path) -> None:
    block = block_with("README.md", "walk-friday.json").replace("source .venv/bin/activate\n", "")
    done = shell(block, desk)
    assert done.returncode == 0, done.stderr
    assert "match: this is subject ada" in done.stdout
    assert "walk\n" in done.stdout
    thousands = re.search(r"`(gaitkeeper enroll --manifest \S+)`", (ROOT / "README.md").read_text())
    assert thousands
    done = call(*thousands[1].split()[1:], cwd=desk)
    assert done.returncode == 0, done.stderr


def test_the_commands_of_the_gallery_work_one_after_another(desk: Path) -> None:
    done = shell(block_with("gallery/README.md", "enroll --manifest"), desk)
    assert done.returncode == 0, done.stderr
    assert "2 enrolled, 0 there already, 0 refused" in done.stdout
    assert "erased subject ann from gallery default" in done.stdout


@pytest.fixture
def known(service: Service) -> Iterator[Service]:
    """The service with somebody in its gallery `default`, as a stranger has it who follows the READMEs."""
    assert service.enroll("ada", walk(1)).status_code == 201
    yield service
    assert service.http.delete("/galleries/default/subjects/ada").status_code == 200


def test_the_request_in_python_is_answered(known: Service) -> None:
    block = block_with("README.md", "GaitkeeperClient")
    done = shell(block.replace("http://127.0.0.1:8000", str(known.http.base_url).rstrip("/")), ROOT)
    assert done.returncode == 0, done.stderr
    assert "outcome='match'" in done.stdout
    assert "subject='ada'" in done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_request_by_curl_is_answered(known: Service, desk: Path) -> None:
    block = block_with("service/README.md", "curl ")
    done = shell(block.replace("http://127.0.0.1:8000", str(known.http.base_url).rstrip("/")), desk)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["subject"] == "ada"


def test_every_file_and_folder_that_a_readme_links_to_is_there() -> None:
    for readme in READMES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / readme).read_text()):
            if "://" not in target:
                assert (ROOT / readme.parent / target).exists(), f"{readme} links to {target}"
