"""What the project's files promise about its packages, its layers and its commands."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
PINNED = {
    line.partition("==")[0].lower().replace("_", "-"): line.strip().partition("==")[2]
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[=<>\[ ]", requirement)[0].lower() for requirement in requirements}


def test_cpu_and_gpu_are_two_builds_of_the_same_two_packages() -> None:
    assert names(EXTRAS["cpu"]) == {"onnxruntime", "faiss-cpu"}
    assert names(EXTRAS["gpu"]) == {"onnxruntime-gpu", "faiss-gpu"}
    for extra in ("train", "dev"):
        assert not names(EXTRAS[extra]) & (names(EXTRAS["cpu"]) | names(EXTRAS["gpu"])), "an extra chooses no engine"


def test_this_environment_holds_one_build_of_each_engine() -> None:
    installed = {(found.metadata["Name"] or "").lower() for found in distributions()}
    assert not {"onnxruntime", "onnxruntime-gpu"} <= installed
    assert not {"faiss-cpu", "faiss-gpu"} <= installed


def test_serving_never_needs_torch() -> None:
    assert not names(PROJECT["dependencies"]) & {"torch", "lightning", "torchmetrics", "onnx"}


def test_every_dependency_is_pinned() -> None:
    wanted = names(PROJECT["dependencies"]).union(*(names(EXTRAS[extra]) for extra in EXTRAS))
    assert wanted <= set(PINNED), f"not in constraints.txt: {sorted(wanted - set(PINNED))}"
    assert PINNED["torch"] == "2.13.0", "no local label: the registry chooses the build"


@pytest.mark.parametrize("module", ["service.app", "gallery.library", "model.runtime", "model.readers"])
def test_what_serves_leaves_torch_out(module: str) -> None:
    code = f"import sys, {module}; sys.exit(any(name in sys.modules for name in ('torch', 'lightning')))"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("module", ["training.simulate.cli", "training.evaluate.cli", "training.data.casia_b"])
def test_simulating_and_evaluating_leave_torch_out(module: str) -> None:
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", code], check=False, timeout=60).returncode == 0


def test_shipped_bundles_are_small() -> None:
    for bundle in (ROOT / "model" / "bundles").iterdir():
        size = sum(path.stat().st_size for path in bundle.iterdir())
        assert size < 8 * 2**20, f"{bundle.name} has {size / 2**20:.1f} MiB"


def test_every_folder_of_the_map_has_a_readme() -> None:
    for folder in ("service", "model", "training", "gallery", "tests", "deploy"):
        assert (ROOT / folder / "README.md").is_file(), folder


def test_no_file_loads_a_pickle_unrestricted() -> None:
    loads = re.compile(r"(?<!\w)(pickle|cloudpickle|joblib|dill)\.loads?\(|allow_pickle=True|weights_only=False")
    for folder in ("service", "model", "training", "gallery"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not loads.search(path.read_text()), path
