"""Sealed templates, consent, the audit log, erasures, snapshots; keys that are never used again on any database.

What an earlier version kept in the clear is sealed here, under new keys; `gallery/store/migrate.py` sees to it that
nothing of it stays behind in the database's files.
"""

from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from gallery.store.migrations.seal import begin, seal_all

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD = ("changes", "templates", "subjects", "galleries")

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
# Everywhere in the order of code points, whatever the database's own order is.
NAME = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
column = sa.Column
required = partial(sa.Column, nullable=False)
identifier = partial(sa.Column, primary_key=True, autoincrement=False)


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    connection = op.get_bind()
    old = _set_aside(connection)
    _make_galleries()
    _make_templates()
    _make_logs()
    begin(connection)
    if old:
        seal_all(connection, context.config.attributes["masters"])
        for table in OLD:
            op.drop_table(f"old_{table}")


def _set_aside(connection: sa.Connection) -> bool:
    """Rename the old tables if they hold something; else they go. Only SQLite had any: no other was supported."""
    held = connection.execute(sa.text("SELECT seq FROM changes LIMIT 1")).one_or_none() is not None
    for name, table in (
        ("changes_of_gallery", "changes"),
        ("templates_of_subject", "templates"),
        ("templates_of_gallery", "templates"),
    ):
        op.drop_index(name, table)
    for table in OLD:
        if held:
            op.rename_table(table, f"old_{table}")
        else:
            op.drop_table(table)
    return held


def _make_galleries() -> None:
    op.create_table("counters", identifier("name", sa.String(32)), required("last", sa.BigInteger))
    op.create_table(
        "identity",
        identifier("store", sa.String(36)),
        required("epoch", sa.Integer),
        required("created", sa.BigInteger),
    )
    op.create_table(
        "galleries",
        identifier("id", KEY),
        required("name", NAME, unique=True),
        required("family", KEY),
        required("state", sa.String(16)),
        required("fingerprint", sa.String(128)),
        required("dim", sa.Integer),
        column("calibration", sa.JSON(none_as_null=True)),
        column("vault_days", sa.Integer),
        required("protected", sa.Boolean),
        required("templates", sa.BigInteger),
        required("content", sa.BigInteger),
        required("created", sa.BigInteger),
    )
    op.create_table(
        "secrets",
        identifier("id", KEY),
        column("gallery_id", KEY),
        required("kind", sa.String(16)),
        required("wrapped", sa.LargeBinary),
        required("wrapped_by", sa.String(128)),
        required("created", sa.BigInteger),
    )
    op.create_index("secrets_of_gallery", "secrets", ["gallery_id", "kind", "id"])


def _make_templates() -> None:
    op.create_table(
        "subjects",
        identifier("id", KEY),
        required("gallery_id", KEY, sa.ForeignKey("galleries.id", ondelete="CASCADE")),
        required("name", NAME),
        required("data_key", sa.LargeBinary),
        required("wrapped_by", KEY),
        column("consent", sa.String(256)),
        column("purpose", sa.String(256)),
        column("expires", sa.BigInteger),
        column("hold", sa.String(256)),
        column("metadata", sa.LargeBinary),
        required("created", sa.BigInteger),
        sa.UniqueConstraint("gallery_id", "name", name="subjects_of_gallery"),
    )
    op.create_index("subjects_by_expiry", "subjects", ["expires"], **where("expires IS NOT NULL"))
    op.create_index("subjects_by_key", "subjects", ["wrapped_by"])
    op.create_table(
        "templates",
        identifier("id", KEY),
        required("gallery_id", KEY, sa.ForeignKey("galleries.id", ondelete="CASCADE")),
        required("subject_id", KEY, sa.ForeignKey("subjects.id", ondelete="CASCADE")),
        required("embedding", sa.LargeBinary),
        required("mark", sa.BigInteger),
        required("fingerprint", sa.String(128)),
        required("labels", sa.JSON),
        required("frames", sa.Integer),
        column("source", sa.String(128)),
        column("origin", KEY),
        required("created", sa.BigInteger),
        sa.UniqueConstraint("subject_id", "source", name="templates_of_subject"),
    )
    op.create_index("templates_of_gallery", "templates", ["gallery_id", "id"])
    op.create_index("templates_of_origin", "templates", ["origin"], **where("origin IS NOT NULL"))
    op.create_table(
        "vault",
        identifier("template_id", KEY, sa.ForeignKey("templates.id", ondelete="CASCADE")),
        required("skeleton", sa.LargeBinary),
        required("expires", sa.BigInteger),
    )
    op.create_index("vault_by_expiry", "vault", ["expires"])


def _make_logs() -> None:
    op.create_table(
        "changes",
        identifier("seq", KEY),
        required("kind", sa.String(24)),
        required("gallery_id", KEY),
        column("subject_id", KEY),
        column("template_id", KEY),
        required("at", sa.BigInteger),
    )
    op.create_index("changes_of_gallery", "changes", ["gallery_id", "seq"])
    op.create_table(
        "snapshots",
        identifier("generation", KEY),
        required("gallery_id", KEY),
        required("seq", KEY),
        required("created", sa.BigInteger),
    )
    op.create_index("snapshots_of_gallery", "snapshots", ["gallery_id", "generation"])
    op.create_table(
        "audit",
        identifier("seq", KEY),
        required("at", sa.BigInteger),
        required("actor", sa.String(128)),
        required("action", sa.String(32)),
        column("gallery_id", KEY),
        column("subject_id", KEY),
        required("detail", sa.Text),
        required("hash", sa.LargeBinary),
    )
    op.create_table(
        "erasures",
        identifier("id", sa.String(36)),
        required("seq", KEY),
        required("gallery_id", KEY),
        required("subject_id", KEY),
        required("whole", sa.Boolean),
        required("templates", sa.JSON),
        column("generation", KEY),
        required("state", sa.String(16)),
        required("at", sa.BigInteger),
        column("destroyed", sa.BigInteger),
    )
    op.create_index("erasures_by_state", "erasures", ["state"])


def downgrade() -> None:
    raise NotImplementedError("what is sealed is not put back in the clear; restore a backup of the earlier version")
