"""Several processes that train one network: each its rows of every batch, gradients averaged.

`Ranks` is a process's place among them; `launch` starts them on this machine as torchrun does (`--standalone`). A
process that torchrun itself started, on one machine or several, finds its place in the environment likewise.
"""

import json
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, distributed
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from model.errors import GaitkeeperError, InvalidRequest

PATIENCE_S = 20  # for processes to end by themselves, before they are killed
ERROR = "error-{rank}.json"
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)]

Rows = TypeVar("Rows", bound=Sequence[Any] | np.ndarray)


@dataclass(frozen=True)
class Ranks:
    """A process's place: `rank` of `world`, `local_world` of them on this machine. Alone, nothing is exchanged."""

    rank: int = 0
    world: int = 1
    local_world: int = 1

    @classmethod
    def here(cls) -> Self:
        if not distributed.is_torchelastic_launched():
            return cls()
        return cls(*(int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")))

    @property
    def first(self) -> bool:
        """Whether it is this one that writes and prints."""
        return self.rank == 0

    def rows(self, clips: Rows, labels: Rows) -> tuple[Rows, Rows]:
        """This process's rows of a batch; in the order of ranks they are the whole batch again."""
        size = len(labels) // self.world
        mine = slice(self.rank * size, (self.rank + 1) * size)
        return clips[mine], labels[mine]  # type: ignore[return-value]

    def seed(self, *numbers: int) -> int:
        """One seed from several numbers, another one in each process."""
        place = (self.rank,) if self.rank else ()
        return int(np.random.SeedSequence([*numbers, *place]).generate_state(1)[0])

    def add(self, values: Tensor) -> Tensor:
        """The sum over processes, in place."""
        if self.world > 1:
            distributed.all_reduce(values)
        return values

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Each becomes its mean over processes, in one exchange."""
        if self.world == 1 or not tensors:
            return
        flat = self.add(torch.cat([tensor.flatten() for tensor in tensors])) / self.world
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))


def check_devices(devices: int) -> None:
    """Raises `InvalidRequest` where this machine has not so many."""
    gpus, cores = torch.cuda.device_count(), os.cpu_count() or 1
    if devices > (gpus or cores):
        has = f"{gpus} GPUs" if gpus else f"{cores} cores and no GPU"
        raise InvalidRequest("--devices", f"{devices} are asked for, this machine has {has}")


def launch(worker: str, arguments: Sequence[str], devices: int) -> None:
    """`python -m worker --notes DIRECTORY arguments` in so many processes, until all are done.

    Raises what the first of them that failed had to say (`GaitkeeperError`), and `KeyboardInterrupt` on Ctrl-C, when
    all have ended.
    """
    with tempfile.TemporaryDirectory() as notes, _signals_handed_back(), _quiet(), _environment(devices):
        command = ["-P", "-m", worker, "--notes", notes, *arguments]
        try:
            elastic_launch(_config(devices), sys.executable)(*command)
        except SignalException as stop:
            if stop.sigval == signal.SIGINT:
                raise KeyboardInterrupt from stop
            raise SystemExit(128 + stop.sigval) from stop
        except ChildFailedError as failed:
            _explain(failed, Path(notes), devices)


def _config(devices: int) -> LaunchConfig:
    return LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=devices, run_id=uuid.uuid4().hex, max_restarts=0,
        rdzv_backend="c10d", rdzv_endpoint="localhost:0", local_addr="localhost", shutdown_timeout=PATIENCE_S,
    )  # fmt: skip


def _explain(failed: ChildFailedError, notes: Path, devices: int) -> NoReturn:
    for note in sorted(notes.iterdir()):
        raise GaitkeeperError(json.loads(note.read_text(encoding="utf-8"))) from failed
    rank, failure = failed.get_first_failure()
    if failure.exitcode in (128 + signal.SIGINT, -signal.SIGINT):
        raise KeyboardInterrupt from failed
    how = "was killed; is there enough memory?" if failure.exitcode == -signal.SIGKILL else "failed, as it says above"
    raise GaitkeeperError(
        f"process {rank + 1} of {devices} {how}; --resume goes on from the last whole epoch, if there is one"
    ) from failed


def note_error(notes: Path, error: Exception) -> None:
    """For the process that launched this one."""
    (notes / ERROR.format(rank=Ranks.here().rank)).write_text(json.dumps(str(error)), encoding="utf-8")


@contextmanager
def _quiet() -> Iterator[None]:
    """Each of torch's many loggers has a level of its own; what they would say is said by `_explain`."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _signals_handed_back() -> Iterator[None]:
    """The launcher takes signals over, and would keep them."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _environment(devices: int) -> Iterator[None]:
    """Cores shared out, and the loopback interface for what is exchanged: no name of this machine need resolve."""
    wanted = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // devices))}
    if Path("/sys/class/net/lo").exists():
        wanted |= {"GLOO_SOCKET_IFNAME": "lo"}
    before = dict(os.environ)
    os.environ.update({name: value for name, value in wanted.items() if name not in before})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
