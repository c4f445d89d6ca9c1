"""What `launch` starts in tests in place of `training.worker`: no torch, so that it starts at once."""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main(notes: Path, how: str, out: Path) -> int:
    rank = int(os.environ["RANK"])
    (out / f"{rank}.json").write_text(json.dumps({"pid": os.getpid(), "environment": dict(os.environ)}))
    match how:
        case "refuse":
            (notes / f"error-{rank}.json").write_text(json.dumps(f"data set {rank}: is empty"))
            return 2
        case "killed" if rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        case "broken" if rank == 1:
            return 1
        case "interrupted" if rank == 1:
            return 130
        case "fine":
            return 0
    time.sleep(60)
    return 0


if __name__ == "__main__":
    _, _, notes, how, out = sys.argv
    sys.exit(main(Path(notes), how, Path(out)))
