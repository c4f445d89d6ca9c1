"""One service for all, with the bundles that ship; every test has a gallery of its own."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gaitkeeper
from tests.e2e.command import Service, serving


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("served") / "data") as running:
        yield running


@pytest.fixture
def gallery(service: Service, request: pytest.FixtureRequest) -> str:
    """The name of an empty gallery of the service."""
    name = re.sub(r"\W+", "-", request.node.name)[:128]
    assert service.http.post("/galleries", json={"name": name}).status_code == 201
    return name


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", folder], check=True)


Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run a command line in this process, in an empty directory, which is quicker than a process each; gives the
    status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("GAITKEEPER_DATA", raising=False)

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run
