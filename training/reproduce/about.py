"""What stands below a picture of ours."""

from collections.abc import Sequence

from training.reproduce.report import Report


def about(reports: Sequence[Report]) -> str:
    """What stands below a picture: data, seeds, and what keeps its figures from being compared."""
    seeds = sorted({report.seed for report in reports})
    marks = dict.fromkeys(mark for report in reports for mark in report.marks)
    data = reports[0].data.name
    seed_text = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"
    return (
        ". ".join([f"{reports[0].recipe} on {data}, {seed_text}", *(mark[0].upper() + mark[1:] for mark in marks)])
        + "."
    )
