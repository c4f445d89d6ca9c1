"""Arrays recorded from the published modules; tests that need them skip without them."""

import numpy as np
import pytest

from tests.recordings import VARIABLE, recordings_dir


def recorded(name):
    path = recordings_dir() / "reference" / "parity" / name
    if not path.exists():
        pytest.skip(f"no {name} in {path.parent} (set {VARIABLE})")
    return np.load(path, allow_pickle=False)
