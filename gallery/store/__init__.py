"""The durable truth: galleries, subjects, templates, keys and logs. SQLAlchemy is imported here only.

`open_store` gives a `Store`; what it returns are the values of `gallery/template.py` and `gallery/store/rows.py`.
"""

from gallery.store.open import open_store
from gallery.store.rows import NEVER, Added, Erasure, Head, Rows, Sources, Update
from gallery.store.store import Store
from gallery.store.writing import KEEP, Keep

__all__ = [
    "KEEP",
    "NEVER",
    "Added",
    "Erasure",
    "Head",
    "Keep",
    "Rows",
    "Sources",
    "Store",
    "Update",
    "open_store",
]
