"""Numbers that are never used again, whatever is erased or rolled back to."""

from sqlalchemy import Connection, bindparam, update

from gallery.store.schema import counters
from model.errors import StoreUnavailable

NAMES = ("audit", "changes", "deliveries", "galleries", "secrets", "subjects", "templates")

_NEXT = (
    update(counters)
    .where(counters.c.name == bindparam("counter"))
    .values(last=counters.c.last + bindparam("count"))
    .returning(counters.c.last)
)


def next_keys(connection: Connection, name: str, count: int) -> int:
    """The first of `count` new keys in a row, for the caller's transaction; `name` is one of `NAMES`."""
    assert name in NAMES
    assert count >= 0
    if count == 0:
        return 0
    last = connection.scalar(_NEXT, {"counter": name, "count": count})
    if last is None:
        raise StoreUnavailable(f"its counter of {name} is missing; stop all that use it and restore a backup")
    return int(last) - count + 1
