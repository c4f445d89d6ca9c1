"""An empty store of either kind, as for the gallery's tests."""

import os

import pytest

from gallery.store import open_store
from tests.databases import Databases
from tests.gallery.conftest import database, migrated, open_again, postgres, store
from tests.postgres import Server

__all__ = ["database", "migrated", "open_again", "postgres", "store"]


@pytest.fixture(scope="session")
def databases(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Databases with all tables and without galleries; by a name that the gallery's tests leave free."""
    name = f"migrated_for_jobs_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}"
    open_store(tmp_path_factory.mktemp("migrated"), database=postgres.create(name)).close()
    return Databases(postgres, name)
