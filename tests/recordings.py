"""Where the recordings of real people are, which are never committed; tests that need them skip without them."""

import os
from pathlib import Path

import pytest

VARIABLE = "GAITKEEPER_RECORDINGS"


def recordings_dir() -> Path:
    """The folder that holds `data/`: what the environment names, or `../shared` beside the repository."""
    return Path(os.environ.get(VARIABLE) or Path(__file__).resolve().parents[2] / "shared")


def recording(name: str) -> Path:
    """A recording by its name below `data/`; skips the test, saying why, where it is absent."""
    path = recordings_dir() / "data" / name
    if not path.exists():
        pytest.skip(f"no recording {name} in {recordings_dir()} (set {VARIABLE})")
    return path
