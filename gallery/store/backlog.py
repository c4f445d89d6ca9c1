"""What is still to be done for somebody: counted, for whoever watches over it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gallery.store.moments import moment
from gallery.store.schema import deliveries, jobs

if TYPE_CHECKING:
    from gallery.store.store import Store


@dataclass(frozen=True, slots=True)
class Backlog:
    """queued, running: jobs. deliveries: to webhooks, of all processes; late_s: how long the most overdue one waits."""

    queued: int
    running: int
    deliveries: int
    late_s: float


def backlog(store: "Store") -> Backlog:
    """Of all processes on this store. Raises `StoreUnavailable`."""
    count = func.count()
    with store.read() as connection:
        unfinished = jobs.c.state.in_(("queued", "running"))
        rows = connection.execute(select(jobs.c.state, count).where(unfinished).group_by(jobs.c.state))
        by_state = {row[0]: int(row[1]) for row in rows}
        waiting, oldest = connection.execute(select(count, func.min(deliveries.c.due)).select_from(deliveries)).one()
    late = 0.0 if oldest is None else max(0.0, (moment() - int(oldest)) / 1e6)
    return Backlog(by_state.get("queued", 0), by_state.get("running", 0), waiting, late)
