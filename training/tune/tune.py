"""Try every execution of a model: how fast it is, what it loses; and choose the fastest that loses nothing."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, TypeAlias

from model.bundle import Bundle, Task, sha256
from model.errors import GaitkeeperError
from model.execution import Execution, Plan, Tuned, hardware
from model.runtime import OnnxClassifier, OnnxEncoder
from model.sequence import Floats
from training.tune.exams import Exam
from training.tune.quantise import quantised, shown_to

MOST_LOST = 0.002
"""Share of right answers that an execution may lose on any set: 0.2 points."""
AT_ONCE = (1, 2, 4, 8, 16, 32)
ROUNDS = 7
CLIPS = 32

# What is to be fast: a request that comes alone, many that come at once, or both alike.
Prefer: TypeAlias = Literal["both", "alone", "many"]
Run = Callable[[Floats], Floats]
Told = Callable[[str], object]


@dataclass(slots=True)
class Tried:
    """An execution. alone: seconds of one clip by itself; each: of a clip in calls of so many; right: by exam.
    why_not: why it cannot be chosen; None if it can."""

    execution: Execution
    alone: float = 0.0
    each: dict[int, float] = field(default_factory=dict)
    right: dict[str, float] = field(default_factory=dict)
    why_not: str | None = None

    @property
    def clips(self) -> int:
        """How many in a call are the fastest."""
        return min(self.each, key=lambda clips: self.each[clips])

    @property
    def fastest(self) -> float:
        return self.each[self.clips]

    def cost(self, prefer: Prefer) -> float:
        """What is to be small: seconds of a clip alone, of one among many, or the geometric mean of both."""
        return {"alone": self.alone, "many": self.fastest, "both": math.sqrt(self.alone * self.fastest)}[prefer]

    def to_json(self) -> dict[str, Any]:
        speed = {"clips": self.clips, "clips_a_second": round(1 / self.fastest, 1)} if self.each else {}
        right = {name: round(100 * share, 2) for name, share in self.right.items()}
        alone = {"alone_ms": round(1000 * self.alone, 3)} if self.each else {}
        return {"execution": str(self.execution), **alone, **speed, "right": right, "why_not": self.why_not}


@dataclass(frozen=True, slots=True)
class Choice:
    tuned: Tuned
    tried: tuple[Tried, ...]
    quantised: bytes | None


def tune(
    bundle: Bundle,
    task: Task,
    exams: Sequence[Exam],
    *,
    threads: int | None = None,
    prefer: Prefer = "both",
    tell: Told = lambda _: None,
) -> Choice:
    """Measure a bundle's model in each execution, by turns, so that all meet the same machine; and choose."""
    model = runner(bundle, task, Plan(), threads)
    small = quantised(bundle.model(task), shown_to(model))
    runs: dict[Execution, Run] = {}
    plans = [Plan(execution, model=small if execution is Execution.INT8 else None) for execution in Execution]
    tried = [_opened(bundle, task, plan, threads, runs) for plan in plans]
    tell("timing")
    _time(tried, runs, exams[0].clips[:CLIPS])
    for each in tried:
        if each.why_not is None:
            for exam in exams:
                tell(f"{each.execution} on {exam.name}")
                each.right[exam.name] = exam.taken_by(runs[each.execution])
    chosen = choose(tried, prefer)
    kept = small if chosen.execution is Execution.INT8 else None
    tuned = Tuned(
        bundle=bundle.fingerprint, task=task, hardware=hardware(), execution=chosen.execution, clips=chosen.clips,
        file=None if kept is None else sha256(kept), measured=[each.to_json() for each in tried],
    )  # fmt: skip
    return Choice(tuned, tuple(tried), kept)


def runner(bundle: Bundle, task: Task, plan: Plan, threads: int | None) -> OnnxEncoder | OnnxClassifier:
    """A bundle's model, run by a plan."""
    kind = OnnxEncoder if task == "encoder" else OnnxClassifier
    return kind(bundle, threads=threads, plan=plan)


def run_of(model: OnnxEncoder | OnnxClassifier) -> Run:
    return model.embed_clips if isinstance(model, OnnxEncoder) else model.probabilities


def _opened(bundle: Bundle, task: Task, plan: Plan, threads: int | None, runs: dict[Execution, Run]) -> Tried:
    """Opens a model into `runs`, or says why it cannot be had."""
    tried = Tried(plan.execution)
    if plan.execution is Execution.INT8 and plan.model is None:
        tried.why_not = "the package onnx is not installed"
        return tried
    try:
        runs[plan.execution] = run_of(runner(bundle, task, plan, threads))
    except GaitkeeperError as error:
        tried.why_not = str(error)
    return tried


def _time(tried: Sequence[Tried], runs: dict[Execution, Run], clips: Floats) -> None:
    """Medians over rounds in which all take turns; a first round is not counted."""
    there = [each for each in tried if each.why_not is None]
    seconds: dict[tuple[Execution, int], list[float]] = {(t.execution, n): [] for t in there for n in AT_ONCE}
    for turn in range(ROUNDS + 1):
        for (execution, at_once), kept in seconds.items():
            began = time.perf_counter()
            for start in range(0, len(clips), at_once):
                runs[execution](clips[start : start + at_once])
            if turn:
                kept.append((time.perf_counter() - began) / len(clips))
    for each in there:
        each.each = {n: median(seconds[each.execution, n]) for n in AT_ONCE}
        each.alone = each.each[1]


def choose(tried: Sequence[Tried], prefer: Prefer = "both") -> Tried:
    """The fastest that answers as well as ONNX Runtime in float32 does, which is always there; says of the others that
    lose too much what they lose."""
    base = next(each for each in tried if each.execution is Execution.ONNX)
    for each in tried:
        if each.why_not is None:
            each.why_not = _lost(each, base)
    return min((each for each in tried if each.why_not is None), key=lambda each: each.cost(prefer))


def _lost(each: Tried, base: Tried) -> str | None:
    for name, share in each.right.items():
        if base.right[name] - share > MOST_LOST + 1e-9:
            return f"loses {100 * (base.right[name] - share):.2f} points on {name}"
    return None
