"""The durable truth: galleries, subjects, templates and a log of changes. SQLAlchemy is imported here only.

`open_store` gives a `Store`; what it returns are the values of `gallery/template.py` and `gallery/store/rows.py`.
"""

from gallery.store.rows import Added, Head, Rows, Stored, Update
from gallery.store.store import Store, open_store

__all__ = ["Added", "Head", "Rows", "Store", "Stored", "Update", "open_store"]
