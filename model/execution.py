"""How a model is run on a machine: by what, in which precision, how many clips at a time.

`gaitkeeper tune` measures it and leaves what it chose in a folder, with the hardware that it was chosen on; on other
hardware it does not count. An execution is no part of a bundle and not in its fingerprint: it is chosen among those
that answer alike.
"""

import json
import os
import platform
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from model.bundle import Bundle, Task, sha256
from model.errors import InvalidBundle, InvalidRequest

FOLDER = "tuned"
MOST_CLIPS = 64  # in one run, on a GPU; more than this is memory without speed
CLIPS_ON_CPU = 8  # the same on a processor, whose caches hold no more
# What a processor may have that decides which arithmetic is fast on it.
_TELLING = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


class Execution(StrEnum):
    """onnx: ONNX Runtime in float32. int8: the same, quantised. openvino: OpenVINO in float32, or in bfloat16."""

    ONNX = "onnx"
    INT8 = "int8"
    OPENVINO = "openvino"
    OPENVINO_BF16 = "openvino-bf16"


Wanted: TypeAlias = Literal["auto", "onnx", "int8", "openvino", "openvino-bf16"]


@dataclass(frozen=True, slots=True)
class Plan:
    """clips: most in one run of the model; None: as many as are good for the device. model: an ONNX file to run
    instead of the bundle's, if any."""

    execution: Execution = Execution.ONNX
    clips: int | None = None
    model: bytes | None = field(default=None, repr=False)


class Tuned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was chosen for one model of a bundle. file: SHA-256 of the quantised model beside it, if it needs one.
    measured: a row for everything that was tried."""

    format: Literal[1] = 1
    bundle: str
    task: Literal["encoder", "classifier"]
    hardware: str
    execution: Execution
    clips: int
    file: str | None
    measured: list[dict[str, Any]]


def hardware() -> str:
    """What a choice holds for: the processor's name, what it can, and how many of it there are.

    A virtual machine may give any name to any processor, so the name alone does not tell.
    """
    text = _cpuinfo()
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    flags = set((re.search(r"^flags\s*:\s*(.+)$", text, re.MULTILINE) or ["", ""])[1].split())
    can = " ".join(each for each in _TELLING if each in flags)
    cuda = "; CUDA" if Path("/dev/nvidiactl").exists() else ""
    return f"{name[1] if name else platform.machine()}; {can or 'no vector units'}; {os.cpu_count()} processors{cuda}"


def _cpuinfo() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def plan_for(folder: Path, bundle: Bundle, task: Task, wanted: Wanted = "auto") -> Plan:
    """How to run a model of a bundle: as it was tuned into `folder` on hardware like this, else by ONNX Runtime.

    wanted: an execution, whatever was tuned. Raises `InvalidRequest` for int8 where no quantised model was made.
    """
    tuned = read_tuned(folder, bundle, task)
    chosen = None if tuned is None or tuned.hardware != hardware() else tuned
    execution = Execution(wanted) if wanted != "auto" else chosen.execution if chosen else Execution.ONNX
    clips = chosen.clips if chosen and chosen.execution == execution else None
    quantised = _quantised(folder, bundle, task, tuned) if execution is Execution.INT8 else None
    return Plan(execution, clips, quantised)


def read_tuned(folder: Path, bundle: Bundle, task: Task) -> Tuned | None:
    """What was chosen, on whatever hardware. Raises `InvalidBundle` for a file that is not one of these."""
    path = paths(folder, bundle, task)[0]
    try:
        return msgspec.json.decode(path.read_bytes(), type=Tuned)
    except (FileNotFoundError, NotADirectoryError):  # who keeps data there says what is wrong with it
        return None
    except msgspec.MsgspecError as error:
        raise InvalidBundle(str(path), f"{error}; remove it, or run `gaitkeeper tune` again") from error


def write_tuned(folder: Path, bundle: Bundle, tuned: Tuned, quantised: bytes | None) -> Path:
    """Keep what was chosen, all of it or nothing; returns the file."""
    path, model = paths(folder, bundle, tuned.task)
    path.parent.mkdir(parents=True, exist_ok=True)
    if quantised is not None:
        _replace(model, quantised)
    _replace(path, json.dumps(msgspec.to_builtins(tuned), indent=1).encode() + b"\n")
    return path


def paths(folder: Path, bundle: Bundle, task: Task) -> tuple[Path, Path]:
    """The files of a choice, and of its quantised model."""
    stem = folder / FOLDER / f"{bundle.fingerprint[:16]}-{task}"
    return stem.with_suffix(".json"), stem.with_suffix(".int8.onnx")


def _quantised(folder: Path, bundle: Bundle, task: Task, tuned: Tuned | None) -> bytes:
    path = paths(folder, bundle, task)[1]
    if tuned is None or tuned.file is None or not path.is_file():
        raise InvalidRequest("execution", f"no quantised {task} of {bundle.name} was made; run `gaitkeeper tune`")
    content = path.read_bytes()
    if sha256(content) != tuned.file:
        raise InvalidBundle(str(path), "is not the file that was tuned (wrong hash); run `gaitkeeper tune` again")
    return content


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
