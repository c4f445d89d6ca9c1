"""A gallery's health: people enrolled twice, templates under the wrong name, who is hard to recognise, what is lacking.

Each check is silent in a healthy gallery but for a stated chance, over everything it looks at (`doctor_rules`).
"""

from datetime import datetime, timedelta

from gallery.doctor_findings import Held, Report
from gallery.doctor_likeness import check_likeness
from gallery.doctor_menagerie import MOST_PROBES, check_menagerie
from gallery.doctor_model import Progress
from gallery.doctor_upkeep import check_upkeep
from model.errors import EmptyGallery

SOON = timedelta(days=30)


def work_of(held: Held) -> int:
    """How much `progress` will be told of."""
    return len(held.ids) + min(len(held.ids), MOST_PROBES)


def examine(held: Held, *, now: datetime, soon: timedelta = SOON, progress: Progress | None = None) -> Report:
    """All checks. Memory: the embeddings, a few numbers for each, and blocks of 128 MB. Raises `EmptyGallery`."""
    if not len(held.ids):
        raise EmptyGallery(held.gallery)
    report = Report(held.gallery, held.subjects, len(held.ids), now)
    report = check_likeness(report, held, progress)
    report = check_menagerie(report, held, progress)
    return check_upkeep(report, held, now=now, soon=soon)
