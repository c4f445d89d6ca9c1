"""The files of deploy/ against the code that they start."""

import configparser
import re
import shlex
from pathlib import Path

import yaml

import gaitkeeper
from service.settings import PREFIX, Limits, Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def lines(commented: bool = False) -> dict[str, str]:
    pattern = re.compile(rf"^{'(?:# )?' if commented else ''}({PREFIX}\w+)=(.*)$", re.MULTILINE)
    return dict(pattern.findall((DEPLOY / "gaitkeeper.env").read_text()))


def test_the_environment_file_holds_the_defaults() -> None:
    assert Settings.read(lines()) == Settings()


def test_the_environment_file_names_every_setting() -> None:
    names = {name for name in Settings.model_fields if name != "limits"}
    names |= {f"limits__{name}" for name in Limits.model_fields}
    assert set(lines(commented=True)) == {f"{PREFIX}{name.upper()}" for name in names}


def test_the_image_copies_files_that_are_there_and_all_that_is_imported() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for source in shlex.split(line)[:-1]
    ]
    assert all((ROOT / source).exists() for source in copied)
    packages = {module.partition(".")[0] for module, _, _ in gaitkeeper.COMMANDS.values()}
    assert packages | {"gaitkeeper.py", "constraints.txt"} <= set(copied)
    assert re.search(r"^USER (?!root)\w+", text, re.MULTILINE)


def test_the_compose_file_confines_the_service() -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["gaitkeeper"]
    assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert (DEPLOY / service["env_file"]).is_file()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"]), "there are no keys yet"


def test_the_unit_starts_the_service_as_its_own_user() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "gaitkeeper.service")
    assert unit["Service"]["ExecStart"].endswith("gaitkeeper serve")
    assert unit["Service"]["User"] == "gaitkeeper"
    assert unit["Service"]["EnvironmentFile"].endswith("gaitkeeper.env")
