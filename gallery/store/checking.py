"""Is the database sound?"""

from collections.abc import Iterator
from functools import reduce
from operator import xor

from sqlalchemy import Connection, select

from gallery.store.schema import galleries, templates


def check(connection: Connection) -> list[str]:
    """What is wrong, a line each; empty when it is sound. Nothing is decrypted."""
    found: list[str] = []
    if connection.dialect.name == "sqlite":
        found += (str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok")
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check")
        found += (f"{row[0]} {row[1]}: no {row[2]}" for row in broken)
    return [*found, *_miscounted(connection)]


def _miscounted(connection: Connection) -> Iterator[str]:
    """Galleries whose templates are not those that they say they have."""
    counted = select(galleries.c.id, galleries.c.templates, galleries.c.content).order_by(galleries.c.id)
    for key, count, content in connection.execute(counted).all():
        marks = connection.scalars(select(templates.c.mark).where(templates.c.gallery_id == key)).all()
        if (len(marks), reduce(xor, marks, 0)) != (count, content):
            yield f"gallery {key}: it says it has {count} templates and has {len(marks)}, or others than it says"
