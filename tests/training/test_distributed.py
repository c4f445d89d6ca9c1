import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.multiprocessing.spawn import spawn

from model.errors import GaitkeeperError, InvalidRecipe, InvalidRequest
from tests.training import ranks_fit
from tests.training.small import small_recipe, small_set
from training.distributed import Ranks, check_devices, launch
from training.run import finished, load_run, read_about
from training.toml import to_toml
from training.trainer import check_machine

ROOT = Path(__file__).resolve().parents[2]
WORLD = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes that trained together: `whole` without a stop, `stopped` and resumed; what each held at last."""
    folder = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn(ranks_fit.work, args=(WORLD, port, folder), nprocs=WORLD)
    return folder


def held(folder, name, rank):
    return torch.load(folder / f"{name}-{rank}.pt", weights_only=True)


def differing(ours, theirs):
    assert ours.keys() == theirs.keys()
    return [name for name in ours if not torch.equal(ours[name], theirs[name])]


def test_two_processes_hold_the_same_weights_averages_statistics_and_loss_state(folder):
    first, second = (held(folder, "whole", rank) for rank in range(WORLD))
    assert any(name.startswith("averaged.") for name in first["state"])
    assert any(name.endswith("running_mean") for name in first["state"])
    assert any(name.startswith("objective.") for name in first["state"])
    assert differing(first["state"], second["state"]) == []
    assert first["scores"] == second["scores"]


def test_a_run_of_two_processes_that_was_stopped_ends_as_one_that_was_not(folder):
    assert differing(held(folder, "whole", 0)["state"], held(folder, "stopped", 0)["state"]) == []
    ours, theirs = (read_about(folder / name) for name in ("stopped", "whole"))
    assert ours["epochs"] == theirs["epochs"]
    assert ours["best"] == theirs["best"]


def test_what_is_kept_is_what_the_processes_held_and_says_how_many_they_were(folder):
    kept = load_run(folder / "whole", epoch=4).network.state_dict()
    last = held(folder, "whole", 1)["state"]
    assert [name for name in kept if not torch.equal(kept[name], last[f"averaged.{name}"])] == []
    assert read_about(folder / "whole")["devices"] == WORLD
    assert finished(folder / "whole")


def test_figures_of_held_out_sequences_are_those_of_one_process(folder):
    from tests.training.ranks_fit import SECTIONS
    from training.split import split

    recipe = small_recipe(**SECTIONS)
    held_out = split(small_set(), recipe).held_out
    assert held_out is not None
    assert len(held_out.batches()) % WORLD == 1, "one process has a batch more than the other"
    network = load_run(folder / "whole", epoch=4).network
    with torch.no_grad():
        each = [
            held_out.over_clips(network(torch.from_numpy(held_out.make(number))).embedding.numpy())
            for number in range(len(held_out.batches()))
        ]
    alone = held_out.score(torch.cat([torch.from_numpy(values) for values in each]).numpy())
    assert alone == pytest.approx(held(folder, "whole", 0)["scores"], abs=1e-6)


def test_the_rows_of_all_processes_are_the_batch():
    clips, labels = torch.arange(12).reshape(6, 2).numpy(), torch.arange(6).numpy()
    parts = [Ranks(rank, 3).rows(clips, labels) for rank in range(3)]
    assert [label for _, part in parts for label in part] == list(range(6))
    assert [clip.tolist() for part, _ in parts for clip in part] == clips.tolist()


def test_dropout_differs_between_processes_and_is_that_of_one_in_the_first():
    assert Ranks(1, 2).seed(1, 2, 3) != Ranks(0, 2).seed(1, 2, 3) == Ranks().seed(1, 2, 3)


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(InvalidRecipe, match="a batch of 8 clips cannot be shared evenly by 3 devices"):
        check_machine(small_recipe(), 3)


def test_more_devices_than_there_are_is_an_error():
    with pytest.raises(InvalidRequest, match="this machine has"):
        check_devices(100_000)


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def start(how):
        launch("tests.training.pretended_worker", [how, str(tmp_path)], WORLD)

    return start


def said(folder, rank):
    return json.loads((folder / f"{rank}.json").read_text())


def test_each_process_is_told_its_place_and_its_share_of_the_cores(pretend, tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = dict(os.environ), signal.getsignal(signal.SIGINT)
    pretend("fine")
    for rank in range(WORLD):
        environment = said(tmp_path, rank)["environment"]
        assert environment["RANK"] == str(rank)
        assert environment["WORLD_SIZE"] == environment["LOCAL_WORLD_SIZE"] == "2"
        assert environment["OMP_NUM_THREADS"] == str(max(1, (os.cpu_count() or 1) // 2))
    assert (dict(os.environ), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("refuse", "^data set [01]: is empty$"),
        ("killed", "process 2 of 2 was killed; is there enough memory.*--resume"),
        ("broken", "process 2 of 2 failed, as it says above.*--resume"),
    ],
)
def test_what_one_process_had_to_say_is_said_once_and_the_others_end(pretend, tmp_path, how, message, capfd):
    with pytest.raises(GaitkeeperError, match=message):
        pretend(how)
    assert all(gone(said(tmp_path, rank)["pid"]) for rank in range(WORLD))
    assert capfd.readouterr().err == ""


def test_an_interrupted_process_interrupts_all(pretend, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        pretend("interrupted")
    assert all(gone(said(tmp_path, rank)["pid"]) for rank in range(WORLD))


def gone(pid):
    """Whether a process has ended (or waits, ended, for its parent to ask)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def recipe(tmp_path):
    small_set().save_npz(tmp_path / "set.npz")
    values = small_recipe(optim={"epochs": 1000, "keep_epochs": [1]}).model_dump(mode="json")
    values["data"]["paths"] = [str(tmp_path / "set.npz")]
    (tmp_path / "recipe.toml").write_text(to_toml(values))
    return tmp_path / "recipe.toml"


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_ctrl_c_ends_all_processes_and_leaves_a_run_that_can_be_resumed(recipe, tmp_path):
    from training.fit import fit
    from training.recipe import load_recipe

    out = tmp_path / "run"
    command = [sys.executable, "-P", "-m", "gaitkeeper", "train", recipe, "--out", out, "--devices", str(WORLD)]
    with subprocess.Popen([str(part) for part in command], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if line.startswith("epoch 2/1000"):
                break
        workers = processes_about(out)
        assert len(workers) == WORLD + 1, "".join(lines)
        process.send_signal(signal.SIGINT)
        rest = process.communicate()[1]
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "interrupted; what was acknowledged is kept"
    assert "with --resume goes on from the last whole epoch" in rest
    assert "Traceback" not in rest
    assert processes_about(out) == []
    assert not list(out.rglob(".*"))
    done = len(load_run(out).about["epochs"])
    assert done >= 2
    fit(load_recipe(recipe), out, resume=True, until=done + 1)
    assert len(read_about(out)["epochs"]) == done + 1


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_processes_end_when_the_one_that_started_them_is_killed(recipe, tmp_path):
    script = (
        "import os, signal, subprocess, sys, time\n"
        "from training.worker import end_with_launcher\n"
        "end_with_launcher()\n"
        "print(os.getpid(), flush=True)\n"
        "time.sleep(60)\n"
    )
    starter = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {script!r}])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", starter], stdout=subprocess.PIPE, text=True, env=environment) as one:
        assert one.stdout is not None
        child = int(one.stdout.readline())
        one.kill()
    patience = time.monotonic() + 30
    while not gone(child) and time.monotonic() < patience:
        time.sleep(0.05)
    assert gone(child)


def processes_about(out):
    """Command lines of the processes that name a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(out).encode() in line.split(b"\0"):
                found.append(line)
    return found
