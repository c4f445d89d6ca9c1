"""How often a stranger's track is ever called a match, where it is looked at again and again (`gallery/sequential.py`).

    python -P -m tests.bench.sequential [--cbkings34 recordings/cbkings34_mediapipe_gait.npz]

Every clip of simulated people (or of recorded ones) is embedded once and kept in `build`. Half of the people calibrate,
the other half are enrolled, and each of them, with their own templates left out, is a stranger who walks past for up to
64 clips (78 s): clips of one walk after another, from camera to camera, in random order, which is harder than a walk on
the spot, since looks at the same clips could hardly differ. Printed is which share of tracks was ever called a match,
by the number of looks: at the whole track's rate for every look, and as streams do it.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gallery.calibrate import calibrate
from gallery.calibration import Calibration
from gallery.decide import rule_for
from gallery.sequential import Plan, plan_for
from model.bundle import open_bundle, shipped
from model.clips import to_clips, unit_length
from model.errors import InvalidRequest, LayoutMismatch
from model.prepare import prepare
from model.quality import assess
from model.runtime import OnnxEncoder
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.data.open import open_set
from training.simulate.walkers import simulate_walkers

BUNDLE = "gait-sim-coco17"
FOLDER = Path("build")
SUBJECTS, SEED = 300, 991
VIEWS = (0, 36, 90, 126)
WALKS = {"nm": 6, "bg": 2, "cl": 2}
LOOKS = (1, 2, 4, 8, 16, 32, 64)
SPLITS = 10
TRACKS = 6
TARGETS = (0.1, 0.05)


@dataclass(frozen=True, eq=False)
class Clips:
    """embeddings: (clips, dim); of each, the subject, the walk (its template if it is the first) and the sequence."""

    embeddings: Floats
    subject: NDArray[np.str_]
    walk: NDArray[np.str_]
    sequence: NDArray[np.int64]


def embedded(data: SequenceSet, path: Path, bundle: str) -> Clips:
    """Every clip of the usable sequences, from the file or made now (a minute or two)."""
    if not path.exists():
        encoder = OnnxEncoder(open_bundle(shipped(bundle)), threads=1)
        rows, places = [], []
        for place, sequence in enumerate(data.sequences()):
            try:
                ready = prepare(sequence, encoder.layout, encoder.clip).sequence
            except LayoutMismatch:
                continue
            if assess(ready, encoder.clip).usable:
                rows.append(encoder.embed_clips(to_clips(ready, encoder.clip, encoder.layout)))
                places += [place] * len(rows[-1])
        at = np.array(places)
        path.parent.mkdir(exist_ok=True)
        np.savez(
            path, embeddings=np.concatenate(rows), subject=data.subject[at], walk=data.sequence_name[at], sequence=at
        )
    with np.load(path, allow_pickle=False) as kept:
        return Clips(kept["embeddings"], kept["subject"], kept["walk"], kept["sequence"])


@dataclass(frozen=True, eq=False)
class Whole:
    """Sequences: mean embeddings (n, dim), and whose and of which walk they are."""

    embeddings: Floats
    subject: NDArray[np.str_]
    walk: NDArray[np.str_]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, clips: Clips) -> "Whole":
        numbers, first = np.unique(clips.sequence, return_index=True)
        means = unit_length(np.add.reduceat(clips.embeddings, first, axis=0))
        return cls(means, clips.subject[first], clips.walk[first], numbers)


@dataclass(frozen=True, eq=False)
class Scores:
    """Of each track and look (tracks, looks): the best score of somebody else, and of the person where it is the best;
    nan where the track is shorter. thresholds: by rate."""

    stranger: NDArray[np.float64]
    mated: NDArray[np.float64]
    thresholds: dict[float, float]


def one_split(clips: Clips, whole: Whole, wanted: Sequence[float], seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    people = rng.permutation(np.unique(whole.subject))
    calibrating, testing = np.array_split(people, 2)
    rows = np.isin(whole.subject, calibrating)
    enrolled_walk = {subject: np.sort(whole.walk[whole.subject == subject])[0] for subject in people}
    enrolled = np.array([enrolled_walk[s] == w for s, w in zip(whole.subject, whole.walk, strict=True)])
    each = max(1, round(enrolled.sum() / len(people)))
    made = calibrate(
        whole.embeddings[rows],
        whole.subject[rows],
        sessions=whole.walk[rows],
        templates_per_subject=each,
        target_fpir=wanted[-1],
    )
    gallery = enrolled & np.isin(whole.subject, testing)
    templates, owners = whole.embeddings[gallery], whole.subject[gallery]
    stranger, mated = [], []
    for subject in testing:
        mine = np.flatnonzero((whole.subject == subject) & ~enrolled)
        for _ in range(TRACKS if len(mine) else 0):
            found = _looks(clips, whole.numbers[rng.permutation(mine)]) @ templates.T
            others, own = np.where(owners == subject, -1, found).max(1), np.where(owners == subject, found, -1).max(1)
            stranger.append(_padded(others))
            mated.append(_padded(np.where(own >= others, own, -1)))
    sizes = len(testing) - 1, len(templates) - each
    return Scores(np.array(stranger), np.array(mated), _thresholds(made, sizes, wanted))


def _looks(clips: Clips, sequences: NDArray[np.int64]) -> Floats:
    """The mean embedding (looks, dim) of a track at each look."""
    rows = np.concatenate([np.flatnonzero(clips.sequence == number) for number in sequences])
    means = unit_length(np.cumsum(clips.embeddings[rows], axis=0))
    return means[[look - 1 for look in LOOKS if look <= len(means)]]


def _padded(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.pad(scores.astype(float), (0, len(LOOKS) - len(scores)), constant_values=np.nan)


def _thresholds(made: Calibration, sizes: tuple[int, int], wanted: Sequence[float]) -> dict[float, float]:
    """By rate, and under minus the rate that of a look by the plan of streams."""
    found = {}
    for rate in wanted:
        try:
            plan: Plan = plan_for(lambda r: rule_for(made, "gallery", *sizes, r), rate)
        except InvalidRequest:
            continue
        for name, at in ((rate, rate), (-rate, plan.fpir_of_look)):
            threshold = rule_for(made, "gallery", *sizes, at).threshold
            assert threshold is not None
            found[name] = threshold
        found[rate * 1000] = plan.shares
    return found


def report(name: str, clips: Clips, targets: Sequence[float]) -> None:
    whole = Whole.of(clips)
    splits = [one_split(clips, whole, targets, seed) for seed in range(SPLITS)]
    console = Console(width=130)
    console.print(
        f"\n{name}: {len(np.unique(whole.subject))} people, {SPLITS} splits, {len(splits[0].stranger)} tracks each"
    )
    table = Table("rate of a track", "every look at", "who", *(f"{look} clips" for look in LOOKS))
    for rate in targets:
        some = [split for split in splits if rate in split.thresholds]
        if not some:
            continue
        shares = int(some[0].thresholds[rate * 1000])
        for key, words in ((rate, f"{rate:g}"), (-rate, f"{rate / shares:g} (1/{shares})")):
            for who in ("stranger", "mated"):
                ever = np.array([_ever(getattr(split, who), split.thresholds[key]) for split in some])
                cells = [
                    "" if np.isnan(column).all() else f"{np.nanmean(column):.3f} ±{np.nanstd(column):.3f}"
                    for column in ever.T
                ]
                table.add_row(f"{rate:g}", words, who, *cells)
    console.print(table)


def _ever(scores: NDArray[np.float64], threshold: float) -> NDArray[np.float64]:
    """Of the tracks that have so many looks, the share that was a match at any of them."""
    found = []
    for look in range(len(LOOKS)):
        long_enough = ~np.isnan(scores[:, look])
        hit = (scores[long_enough, : look + 1] >= threshold).any(axis=1)
        found.append(float(hit.mean()) if long_enough.sum() >= 20 else np.nan)
    return np.array(found)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--cbkings34", type=Path)
    given = asked.parse_args()
    if given.cbkings34:
        data = open_set(given.cbkings34)
        report("cbkings34, real walks", embedded(data, FOLDER / "sequential-cbkings34.npz", BUNDLE), (0.4, 0.3))
        return
    path = FOLDER / "sequential.npz"
    data = simulate_walkers([] if path.exists() else SUBJECTS, seed=SEED, views=VIEWS, walks=WALKS)
    report("simulated people", embedded(data, path, BUNDLE), TARGETS)


if __name__ == "__main__":
    main()
