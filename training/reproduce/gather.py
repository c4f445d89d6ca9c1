"""All reports that a table needs, one a variant and seed: trained and tested where they are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from training.reproduce.choices import Choices
from training.reproduce.experiment import Experiment, experiment
from training.reproduce.report import Report, report_of_its_weights
from training.reproduce.table import Ours


@dataclass(frozen=True, eq=False)
class Found:
    """A report and the directory of its run."""

    report: Report
    run: Path


@dataclass(frozen=True, eq=False)
class Reports:
    """Reports of one recipe by variant and seed; what was not measured is not in it."""

    of: Mapping[tuple[str, int], Found]
    seeds: tuple[int, ...]

    def __iter__(self) -> Any:
        return (found.report for found in self.of.values())

    def by_seed(self, variant: str) -> dict[int, Report]:
        """The variant's reports, by seed."""
        return {seed: self.of[variant, seed].report for seed in self.seeds if (variant, seed) in self.of}

    def run(self, variant: str, seed: int) -> Path | None:
        found = self.of.get((variant, seed))
        return found.run if found else None

    def ours(self, variant: str, figure: Any = None) -> Ours | None:
        """A cell of the variant's score in %, or of `figure` of each report; None where nothing was measured."""
        reports = self.by_seed(variant)
        return cell({seed: report.score if figure is None else figure(report) for seed, report in reports.items()},
                    reports.values())  # fmt: skip


def cell(shares: Mapping[int, float | None], reports: Any, scale: float = 100.0) -> Ours | None:
    """A cell of ours from shares by seed; a share that is missing is left out, and a cell of none is None."""
    values = {seed: scale * share for seed, share in shares.items() if share is not None and np.isfinite(share)}
    marks = tuple(dict.fromkeys(mark for report in reports for mark in report.marks))
    return Ours(values, marks) if values else None


def gather(
    choices: Choices, console: Console, file: Path, variants: Sequence[str], seeds: Sequence[int],
    *, occlusion: bool = False, settings: Mapping[str, tuple[str, ...]] | None = None,
) -> Reports:  # fmt: skip
    """Seed by seed, so that whoever stops it has whole seeds. Raises whatever training and testing do.

    settings: of variants that have no name of ours, as {"n_a=2": ("loss.inter.overlap=2",)}.
    """
    own = settings or {}
    wanted = [experiment(choices, file, each, seed, own.get(each)) for seed in seeds for each in variants]
    found: dict[tuple[str, int], Found] = {}
    for number, each in enumerate(wanted, 1):
        if not choices.only_report:
            console.print(f"run {number} of {len(wanted)}: {each}", highlight=False, style="dim", soft_wrap=True)
        one = _written(each) if choices.only_report else _made(each, choices, console, occlusion=occlusion)
        if one is not None:
            found[each.variant, each.seed] = one
    return Reports(found, tuple(seeds))


def _made(each: Experiment, choices: Choices, console: Console, *, occlusion: bool) -> Found | None:
    """None where nothing may be trained and this run has not been."""
    from training.reproduce.runs import finished_run, trained  # these two bring torch: who only reports need not wait
    from training.reproduce.testing import report_of

    run = finished_run(each) if choices.only_test else trained(each, console, devices=choices.devices)
    return Found(report_of(each, run, occlusion=occlusion), run) if run else None


def _written(each: Experiment) -> Found | None:
    """The report that is there, unless the weights beside it are others."""
    for run in (each.path, *each.twins):
        if report := report_of_its_weights(run):
            return Found(report, run)
    return None
