"""Alembic runs this for every command; the connection comes from `gallery/store/migrate.py`."""

from alembic import context


def run() -> None:
    context.configure(connection=context.config.attributes["connection"])
    # The caller's transaction holds all of it.
    context.run_migrations()


# Test collectors and type checkers import this file too; then there is nothing to run.
if hasattr(context, "config"):
    run()
