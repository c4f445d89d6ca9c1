"""`python -m training.worker`: one of the processes of `gaitkeeper train --devices N`."""

import argparse
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

INTERRUPTED = 130
PATIENCE_S = 20  # for the main thread to end by itself
_LOOK_EVERY_S = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Status 0; 2 for an error that is noted for the launcher; 130 if it was interrupted."""
    options = _parser().parse_args(arguments)
    end_with_launcher()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # seconds of imports, in which there is nothing to keep
    from model.errors import GaitkeeperError
    from training.distributed import note_error
    from training.fit import fit
    from training.recipe import load_recipe

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        fit(load_recipe(options.recipe), options.out, resume=options.resume, until=options.until)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (GaitkeeperError, OSError) as error:
        note_error(options.notes, error)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.worker", description=__doc__)
    parser.add_argument("--notes", type=Path, required=True, help="where errors are written for the launcher")
    parser.add_argument("--recipe", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--until", type=int)
    return parser


def end_with_launcher() -> None:
    """Interrupt this process when the one that started it is gone, however it went; nobody trains on unseen."""
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(_LOOK_EVERY_S)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(PATIENCE_S)
        os._exit(INTERRUPTED)  # an exchange with a process that is gone may wait for ever

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    status = main()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)  # all is written; to take an interpreter full of torch apart takes seconds
