"""Sample files for the demo: simulated people to enroll, probes of them and of strangers, and actions.

The samples are a world of their own (`SEED`, of the test range): nobody trained on or calibrated with is among them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import numpy as np

from model.readers.recording import Track
from model.sequence import SkeletonSequence
from model.writing import to_json, write
from training.data.arrays import SequenceSet
from training.simulate.actions import simulate_actions
from training.simulate.walkers import simulate_walkers

SEED = 900
ENROLLED = 12
STRANGERS = 12
FRAMES = 75
ENROLLED_WALKS = (("nm-01", "036"), ("nm-02", "090"), ("nm-03", "126"))
PROBE_WALKS = ("nm-05", "nm-06", "bg-01", "nm-05", "cl-01", "nm-06")
PROBE_VIEWS = ("036", "054", "072", "090", "108", "126", "144")
MANIFEST = "samples.json"


@dataclass(frozen=True, slots=True)
class Sample:
    """One entry of the manifest, as `service/samples.py` reads it; `sequence` goes into the file."""

    file: str
    source: str
    role: str
    sequence: SkeletonSequence
    subject: str | None = None
    action: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


def walker_samples() -> list[Sample]:
    """Three walks of each enrolled person, one probe of each, and one of each stranger."""
    views = [int(view) for view in PROBE_VIEWS]
    made = simulate_walkers(ENROLLED + STRANGERS, seed=SEED, views=views, walks={"nm": 6, "bg": 1, "cl": 1})
    samples = [
        _walker(made, number, walk, view, "enroll")
        for number in range(1, ENROLLED + 1)
        for walk, view in ENROLLED_WALKS
    ]
    for number in range(1, ENROLLED + STRANGERS + 1):
        walk, view = PROBE_WALKS[number % len(PROBE_WALKS)], PROBE_VIEWS[number % len(PROBE_VIEWS)]
        samples.append(_walker(made, number, walk, view, "probe"))
    return samples


def _walker(made: SequenceSet, number: int, walk: str, view: str, role: str) -> Sample:
    chosen = (made.labels("subject") == f"{number:03d}") & (made.labels("sequence") == walk)
    place = int(np.flatnonzero(chosen & (made.labels("view") == view))[0])
    name = f"walker-{number:02d}" if number <= ENROLLED else f"stranger-{number - ENROLLED:02d}"
    return Sample(
        file=f"{name}-{walk}-{view}.json",
        source="simulated",
        role=role,
        sequence=rounded(made.sequence(place)),
        subject=name if number <= ENROLLED else None,
        labels={"condition": walk[:2], "view": view},
    )


def action_samples() -> list[Sample]:
    """One recording of every simulated action."""
    made = simulate_actions(1, seed=SEED, per_action=1)
    return [
        Sample(f"{action}.json", "simulated", "action", rounded(made.sequence(i)), action=str(action))
        for i, action in enumerate(made.labels("action"))
    ]


def motion_capture_samples(named: dict[str, SkeletonSequence]) -> list[Sample]:
    """Filmed motion capture by name ("walk-1"): what is done in each, and of the walks, that it is nobody enrolled."""
    return list(_motion_capture(named))


def _motion_capture(named: dict[str, SkeletonSequence]) -> Iterator[Sample]:
    for name, sequence in named.items():
        action = name.partition("-")[0]
        shown = Sample(f"{name}.json", "cmu", "action", rounded(sequence), action=action)
        yield shown
        if action == "walk":
            yield replace(shown, role="probe", action=None)


def write_samples(folder: Path, made: str, samples: Sequence[Sample]) -> None:
    """The files and the manifest that says what each is; what is there already is replaced."""
    for sample in samples:
        write(folder / sample.file, to_json([Track(sample.file, sample.sequence)]), force=True)
    entries = [_entry(sample) for sample in samples]
    content = msgspec.json.format(msgspec.json.encode({"format": 1, "made": made, "samples": entries}), indent=1)
    write(folder / MANIFEST, content, force=True)


def _entry(sample: Sample) -> dict[str, object]:
    said = {name: getattr(sample, name) for name in ("file", "source", "role", "subject", "action", "labels")}
    return {name: value for name, value in said.items() if value}


def rounded(sequence: SkeletonSequence) -> SkeletonSequence:
    """The middle three seconds, to a tenth of a pixel and a hundredth of confidence: all that an estimator has."""
    start = max(0, (sequence.frames - FRAMES) // 2)
    cut = sequence.slice(start, start + FRAMES)
    return replace(cut, joints=np.round(cut.joints, 1), confidence=np.round(cut.confidence, 2))
