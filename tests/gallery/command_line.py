"""The command line as it is typed, and files for it."""

import json
from collections.abc import Callable
from pathlib import Path

from gallery.calibration import Calibration
from model.sequence import SkeletonSequence
from tests.fakes import walking

TABLE = [{"subjects": n, "fpir": f, "threshold": 0.9} for n in (1, 100) for f in (0.01, 0.05)]
CALIBRATION = Calibration.from_json({"id": "made-up", "made_on": "x", "subjects": 100, "table": TABLE})

Run = Callable[..., int]


def written(path: Path, *sequences: SkeletonSequence) -> Path:
    each = [
        {
            "layout": s.layout.name,
            "fps": s.fps,
            "units": str(s.units),
            "joints": s.joints.tolist(),
            "confidence": s.confidence.tolist(),
        }
        for s in sequences
    ]
    several = {"tracks": [{"name": f"person-{i}", "sequence": one} for i, one in enumerate(each)]}
    path.write_text(json.dumps(each[0] if len(each) == 1 else several))
    return path


def manifest(folder: Path, people: int, takes: int = 2, more: str = "") -> Path:
    lines = ["file,subject,view"]
    for person in range(people):
        for take in range(takes):
            name = written(folder / f"{person}-{take}.json", walking(person, seed=take)).name
            lines.append(f"{name},s{person},0{take}0")
    path = folder / "people.csv"
    path.write_text("\n".join(lines) + "\n" + more)
    return path
